from __future__ import annotations

import pytest
from flask import Flask

from flask_cairnloop import Cairnloop, ConfigError
from tests.support.hosts import make_app

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


def test_the_desk_can_be_made_before_the_app() -> None:
    desk = Cairnloop()
    app = Flask("host")
    app.config["SQLALCHEMY_DATABASE_URI"] = NOWHERE
    desk.init_app(app)
    assert any(rule.rule == "/support/" for rule in app.url_map.iter_rules())


def test_a_database_is_made_where_the_host_has_none() -> None:
    app = Flask("host")
    app.config["SQLALCHEMY_DATABASE_URI"] = NOWHERE
    Cairnloop(app)
    assert "sqlalchemy" in app.extensions


def test_no_database_at_all_is_said() -> None:
    with pytest.raises(ConfigError, match="SQLALCHEMY_DATABASE_URI"):
        Cairnloop(Flask("host"))


def test_a_second_registration_is_refused_with_advice() -> None:
    app = make_app(NOWHERE)
    with pytest.raises(RuntimeError, match="Give the second one its own"):
        Cairnloop(app)
    with pytest.raises(RuntimeError, match="already mounted"):
        Cairnloop(app, name="second")
    Cairnloop(app, name="second", url_prefix="/second")
    assert any(rule.rule == "/second/inbox" for rule in app.url_map.iter_rules())


def test_the_host_keeps_its_own_names() -> None:
    bare = Flask("host")
    bare.config["SQLALCHEMY_DATABASE_URI"] = NOWHERE
    filters, tests, names = (set(x) for x in (bare.jinja_env.filters, bare.jinja_env.tests, bare.jinja_env.globals))
    hooks = (dict(bare.before_request_funcs), dict(bare.after_request_funcs), dict(bare.error_handler_spec))
    Cairnloop(bare)
    assert set(bare.jinja_env.filters) == filters
    assert set(bare.jinja_env.tests) == tests
    assert set(bare.jinja_env.globals) - names <= {"cl"}
    assert None not in bare.before_request_funcs
    assert None not in bare.after_request_funcs
    assert hooks[0].get(None) is None
    assert all(rule.rule.startswith(("/support", "/static")) for rule in bare.url_map.iter_rules())

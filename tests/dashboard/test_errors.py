from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from flask_cairnloop import conversations
from flask_cairnloop.conversations import Conversation
from tests.dashboard.conftest import HTMX, Host


@pytest.mark.parametrize("path", ["/support/4711", "/support/knowledge-base/4711", "/support/assets/x/no.css"])
def test_what_is_not_there_says_where_to_look(desk: FlaskClient, path: str) -> None:
    response = desk.get(path)
    assert response.status_code == 404
    assert "There is nothing here" in response.text
    assert 'href="/support/inbox"' in response.text


def test_a_refusal_can_never_be_taken_for_a_region(desk: FlaskClient) -> None:
    response = desk.get("/support/4711/timeline", headers=HTMX)
    assert response.status_code == 404
    assert "HX-Region" not in response.headers


def test_a_request_that_makes_no_sense_says_what_is_wrong(desk: FlaskClient) -> None:
    response = desk.get("/support/inbox?priority=extreme")
    assert response.status_code == 422
    assert "<b>priority</b> needs one of low, normal, high, urgent" in response.text


def test_an_error_of_ours_tells_the_operator_nothing_of_its_insides(
    desk: FlaskClient, thread: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the database")

    monkeypatch.setattr(conversations, "of_customer", boom)
    desk.application.config["PROPAGATE_EXCEPTIONS"] = False
    response = desk.get(f"/support/{thread.id}")
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.text
    assert "secret" not in response.text


def test_the_hosts_own_errors_stay_the_hosts(desk: FlaskClient) -> None:
    assert "There is nothing here" not in desk.get("/elsewhere").text
    assert desk.get("/elsewhere").status_code == 404


def test_a_database_that_is_away_is_said_calmly(host: Host) -> None:
    app = host(before=lambda app: app.config.update(SQLALCHEMY_DATABASE_URI="postgresql+psycopg://x@127.0.0.1:1/x"))
    response = app.test_client().get("/support/inbox", headers={"X-Operator": "ada"})
    assert response.status_code == 503
    assert "The database cannot be reached right now." in response.text


def test_a_database_that_was_never_migrated_is_refused_with_the_command(host: Host, fresh_database: str) -> None:
    bare = make_url(fresh_database).set(database=f"{make_url(fresh_database).database}_bare")
    administration = create_engine(fresh_database, isolation_level="AUTOCOMMIT")
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {bare.database}"))
    address = bare.render_as_string(hide_password=False)
    app = host(before=lambda app: app.config.update(SQLALCHEMY_DATABASE_URI=address))
    response = app.test_client().get("/support/inbox", headers={"X-Operator": "ada"})
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {bare.database} WITH (FORCE)"))
    administration.dispose()
    assert response.status_code == 503
    assert "Run: flask cairnloop db upgrade" in response.text

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from flask_cairnloop import Customer, NotMigrated, conversations
from flask_cairnloop.assets import folder
from flask_cairnloop.cli import cairnloop
from flask_cairnloop.core import schema
from flask_cairnloop.core.database import SCHEMA, Base, engine, session
from flask_cairnloop.embedded import Servers
from tests.conftest import database_url
from tests.support.hosts import close, make_app


@pytest.fixture
def empty(backing: Servers, administration: Engine) -> Iterator[Flask]:
    """A host whose database was never migrated."""
    with administration.connect() as connection:
        connection.execute(text("CREATE DATABASE never_migrated"))
    app = make_app(database_url(backing, "never_migrated"))
    yield app
    close(app)
    with administration.connect() as connection:
        connection.execute(text("DROP DATABASE never_migrated WITH (FORCE)"))


def test_the_code_names_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(folder("migrations")))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_the_migrated_tables_are_the_models(app: Flask) -> None:
    def ours(item: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
        return kind != "table" or (getattr(item, "schema", None) == SCHEMA and name != schema.VERSION_TABLE)

    with engine().connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_object": ours, "compare_type": True}
        )
        differences = compare_metadata(context, Base.metadata)
    left = [each for each in differences if not _is_vector_index(each)]
    assert [str(each)[:160] for each in left] == []


def _is_vector_index(difference: object) -> bool:
    return isinstance(difference, tuple) and difference[0] == "remove_index" and "_vectors_" in str(difference[1].name)


def test_up_down_and_up_again(empty: Flask) -> None:
    runner = empty.test_cli_runner()
    with empty.app_context():
        with pytest.raises(NotMigrated, match="flask cairnloop db upgrade"):
            schema.require_migrated()
        assert runner.invoke(cairnloop, ["db", "check"]).exit_code == 1
        assert runner.invoke(cairnloop, ["db", "upgrade"], catch_exceptions=False).exit_code == 0
        assert schema.current_version() == schema.HEAD
        schema.require_migrated()
        conversations.receive_from(Customer(ref="mina"), "Hello")
        refused = runner.invoke(cairnloop, ["db", "downgrade", "base"], input="n\n")
        assert refused.exit_code == 1
        assert runner.invoke(cairnloop, ["db", "downgrade", "base", "--yes"], catch_exceptions=False).exit_code == 0
        assert schema.current_version() is None
        left = session().execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'cairnloop'")
        )
        assert left.scalars().all() == [schema.VERSION_TABLE]
        session().rollback()
        assert runner.invoke(cairnloop, ["db", "upgrade"], catch_exceptions=False).exit_code == 0
        assert runner.invoke(cairnloop, ["db", "check"], catch_exceptions=False).exit_code == 0
        assert "migrate" not in empty.extensions, "nothing of Flask-Migrate stays on the host"


@pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_change_the_past(app: Flask, customer: Customer, statement: str) -> None:
    conversations.receive_from(customer, "Hello")
    with pytest.raises(DBAPIError, match="append-only"):
        session().execute(text(statement.format("cairnloop.cairnloop_audit_events")))
    session().rollback()


def test_a_role_named_like_our_schema_is_refused_with_advice(backing: Servers, administration: Engine) -> None:
    with administration.connect() as connection:
        connection.execute(text("CREATE ROLE cairnloop LOGIN SUPERUSER PASSWORD 'x'"))
    url = make_url(backing.database_url).set(username="cairnloop", password="x").render_as_string(hide_password=False)
    app = make_app(url)
    result = app.test_cli_runner().invoke(cairnloop, ["db", "upgrade"])
    assert result.exit_code == 1
    assert "ALTER ROLE cairnloop SET search_path" in result.output
    close(app)
    with administration.connect() as connection:
        connection.execute(text("DROP ROLE cairnloop"))

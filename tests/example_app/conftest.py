"""Trailmark itself on the real servers, migrated by its own commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from example_app import create_app
from example_app.database import db
from tests.support.hosts import close

Counts = dict[str, int]


@pytest.fixture
def app(fresh_database: str, redis_url: str) -> Iterator[Flask]:
    """Trailmark with empty tables, and an app context."""
    made = create_app(
        {
            "SECRET_KEY": "a secret for tests only",
            "TESTING": True,
            "SQLALCHEMY_DATABASE_URI": fresh_database,
            # the embedded role has our schema's name, which Postgres would take for the host's default schema
            "SQLALCHEMY_ENGINE_OPTIONS": {"connect_args": {"options": "-csearch_path=public,cairnloop"}},
            "CAIRNLOOP_REDIS_URL": redis_url,
            "CAIRNLOOP_DRAFT_DELAY": 0,
        }
    )
    run(made, "db", "upgrade")
    with made.app_context():
        yield made
    close(made)


@pytest.fixture
def seeded(app: Flask) -> Flask:
    """Trailmark with its month of history."""
    run(app, "trailmark", "seed")
    return app


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """Somebody's browser, signed in nowhere."""
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return client


@pytest.fixture
def counts(app: Flask) -> Callable[[], Counts]:
    """How many rows every table has, Trailmark's and the desk's."""

    def count() -> Counts:
        with db.engine.connect() as connection:
            tables = connection.execute(
                text("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'cairnloop')")
            ).all()
            return {
                f"{schema}.{table}": connection.execute(text(f'SELECT count(*) FROM {schema}."{table}"')).scalar_one()
                for schema, table in tables
            }

    return count


def run(app: Flask, *arguments: str) -> str:
    """Run one of the app's commands and return what it says."""
    result = app.test_cli_runner().invoke(args=list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output

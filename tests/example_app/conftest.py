"""Trailmark itself on the real servers, migrated by its own commands."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.pool import NullPool

from example_app import create_app
from example_app.database import db
from flask_cairnloop.embedded import Servers
from tests.conftest import database_url
from tests.support.hosts import close

Counts = dict[str, int]


@pytest.fixture(scope="session")
def trailmark_template(backing: Servers, administration: Engine, template: str) -> str:
    """The name of a database that both have migrated, the desk and Trailmark."""
    name = create_database(administration, template)
    with throwaway(backing, name) as app:
        run(app, "db", "upgrade")
    return name


@pytest.fixture(scope="session")
def seeded_template(backing: Servers, administration: Engine, trailmark_template: str) -> str:
    """The name of a database with Trailmark's month of history."""
    name = create_database(administration, trailmark_template)
    with throwaway(backing, name) as app:
        run(app, "trailmark", "seed")
    return name


@pytest.fixture
def app(request: pytest.FixtureRequest, backing: Servers, administration: Engine, redis_url: str) -> Iterator[Flask]:
    """Trailmark with an app context; its tables are empty unless the test also asks for ``seeded``."""
    template = "seeded_template" if "seeded" in request.fixturenames else "trailmark_template"
    name = create_database(administration, request.getfixturevalue(template))
    made = make_trailmark(database_url(backing, name), redis_url)
    with made.app_context():
        yield made
    close(made)
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def create_database(administration: Engine, template: str) -> str:
    """The name of a new copy."""
    name = f"trailmark_{uuid.uuid4().hex[:12]}"
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return name


def make_trailmark(database: str, redis_url: str, **settings: object) -> Flask:
    """The app, as the environment would configure it."""
    return create_app(
        {
            "SECRET_KEY": "a secret for tests only",
            "TESTING": True,
            "SQLALCHEMY_DATABASE_URI": database,
            "CAIRNLOOP_REDIS_URL": redis_url,
            "CAIRNLOOP_DRAFT_DELAY": 0,
            **settings,
        }
    )


@contextmanager
def throwaway(backing: Servers, name: str) -> Iterator[Flask]:
    """An app that leaves no connection behind, so that its database can be copied."""
    url, options = database_url(backing, name), {"poolclass": NullPool}
    app = make_trailmark(url, backing.redis_url, SQLALCHEMY_ENGINE_OPTIONS=options)
    yield app
    close(app)


@pytest.fixture
def seeded(app: Flask) -> Flask:
    """Trailmark with its month of history, as ``app`` has made it."""
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

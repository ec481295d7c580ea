"""The cast and the stage: a real Postgres and Redis, an app with the desk on it, an operator and a customer."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine, make_url

from flask_cairnloop import Customer, Operator
from flask_cairnloop.embedded import Servers, servers
from tests.support import chromium
from tests.support.hosts import close, make_app, migrate

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ADA = Operator(id="ada", name="Ada Osei", scopes=frozenset({"support"}))
SAM = Operator(id="sam", name="Sam Kim", scopes=frozenset({"support"}))
MINA = Customer(ref="mina", name="Mina Park")
TOM = Customer(ref="tom", name="Tom Alvarez")


@pytest.fixture(scope="session")
def backing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The two servers, shared by the whole run."""
    with servers(tmp_path_factory.mktemp("servers"), durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def administration(backing: Servers) -> Iterator[Engine]:
    """A connection that may create and drop databases."""
    engine = create_engine(backing.database_url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def template(backing: Servers, administration: Engine) -> str:
    """The name of a migrated database, copied for each test."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    migrate(database_url(backing, name))
    return name


def database_url(backing: Servers, name: str) -> str:
    """The address of one database of the shared server."""
    return make_url(backing.database_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def fresh_database(backing: Servers, administration: Engine, template: str) -> Iterator[str]:
    """The address of a migrated, empty database of this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield database_url(backing, name)
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def redis_url(backing: Servers) -> str:
    """The shared Redis, emptied."""
    import redis

    with redis.Redis.from_url(backing.redis_url) as connection:
        connection.flushall()
    return backing.redis_url


@pytest.fixture
def host_settings() -> dict[str, object]:
    """Extra settings of this test's app; override or extend in a test module."""
    return {}


@pytest.fixture
def app(fresh_database: str, redis_url: str, host_settings: dict[str, object]) -> Iterator[Flask]:
    """A host with the desk on it, and an app context."""
    made = make_app(fresh_database, redis_url, **host_settings)
    with made.app_context():
        yield made
    close(made)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser with nobody signed in."""
    return app.test_client()


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    """A browser in which Ada is signed in and which sends what browsers send."""
    browser = app.test_client()
    browser.environ_base["HTTP_X_OPERATOR"] = ADA.id
    browser.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return browser


@pytest.fixture
def operator() -> Operator:
    """Ada."""
    return ADA


@pytest.fixture
def second_operator() -> Operator:
    """Sam."""
    return SAM


@pytest.fixture
def customer() -> Customer:
    """Mina."""
    return MINA


@pytest.fixture
def second_customer() -> Customer:
    """Tom."""
    return TOM


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], int]:
    """Run what is due, here and now; returns how many jobs ran."""
    from flask_cairnloop.core import work

    return work.run_due


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    """A headless Chromium, one for all: a process can hold one Playwright."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=15_000)  # two processes of tests share the machine
    found = chromium.find()
    if found is None:
        if chromium.is_required():
            pytest.fail("no Chromium, and CAIRNLOOP_BROWSER=required")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(found), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start Python processes that end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"process-{len(started)}.log").open("wb")
        child = subprocess.Popen(
            [sys.executable, *arguments], env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT
        )
        log.close()
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.terminate()
    for child in started:
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(5)

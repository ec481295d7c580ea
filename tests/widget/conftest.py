"""A served host, and customers at its websocket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.engine import Engine

from flask_cairnloop import Customer
from flask_cairnloop.conversations import Conversation, Message
from flask_cairnloop.core.database import session
from flask_cairnloop.embedded import Servers
from tests.conftest import database_url
from tests.support.hosts import close, make_app
from tests.widget.client import Widget

GEVENT = ("-m", "gunicorn", "-k", "gevent", "--graceful-timeout", "1")
THREADS = ("-m", "gunicorn", "-k", "gthread", "--threads", "16", "--graceful-timeout", "1")
DEVELOPMENT = ("-m", "flask", "--app", "tests.widget.host:create", "run")


@dataclass
class Site:
    """One running web server."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def socket(self) -> str:
        return self.url.replace("http", "ws", 1) + "/support/widget/socket"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(self.url + "/health", timeout=2).close()
                return
            except (OSError, urllib.error.URLError):
                assert time.monotonic() < until, "the web server did not start"
                assert self.process.poll() is None, "the web server ended"
                time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Serve = Callable[..., Site]


def command(server: tuple[str, ...], port: int) -> tuple[str, ...]:
    if server == DEVELOPMENT:
        return (*server, "--port", str(port))
    return (*server, "-b", f"127.0.0.1:{port}", "tests.widget.host:create()")


@pytest.fixture
def serve(processes: Callable[..., subprocess.Popen[bytes]], fresh_database: str, redis_url: str) -> Serve:
    """Start a web server of the test's own."""

    def start(*server: str, port: int = 0, **environment: str) -> Site:
        port = port or free_port()
        environment = {"DATABASE_URL": fresh_database, "REDIS_URL": redis_url} | environment
        site = Site(f"http://127.0.0.1:{port}", processes(*command(server or GEVENT, port), **environment))
        site.wait()
        return site

    return start


@pytest.fixture(scope="module")
def shared_database(backing: Servers, administration: Engine, template: str) -> Iterator[str]:
    """A migrated database for the tests of one module, which tell their customers apart."""
    name = f"shared_{uuid.uuid4().hex[:12]}"
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield database_url(backing, name)
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def site(shared_database: str, backing: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A host on one gevent process, for the tests of one module."""
    port = free_port()
    environment = os.environ | {"DATABASE_URL": shared_database, "REDIS_URL": backing.redis_url}
    environment["HOST_SETTINGS"] = json.dumps({"CAIRNLOOP_WIDGET_RATE": 100_000})
    with (tmp_path_factory.mktemp("site") / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command(GEVENT, port)], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    running = Site(f"http://127.0.0.1:{port}", process)
    running.wait()
    yield running
    process.terminate()
    process.wait(20)


@pytest.fixture
def desk_of_site(shared_database: str, backing: Servers) -> Iterator[Flask]:
    """An app context beside the web server, on its database: what the operators do."""
    made = make_app(shared_database, backing.redis_url)
    with made.app_context():
        yield made
    close(made)


@pytest.fixture
def mina() -> Customer:
    """A customer of this test's own."""
    return Customer(ref=f"mina {uuid.uuid4().hex}", name="Mina Park")


@pytest.fixture
def tom() -> Customer:
    """Another."""
    return Customer(ref=f"tom {uuid.uuid4().hex}", name="Tom Alvarez")


@pytest.fixture
def connect(site: Site) -> Iterator[Callable[..., Widget]]:
    """Open sockets that end with the test."""
    with ExitStack() as open_ones:
        yield lambda url=site.socket, **headers: open_ones.enter_context(Widget(url, **headers))


def stored(customer: Customer) -> list[str]:
    """What is stored of a customer, read anew; needs an app context."""
    session().rollback()
    query = select(Message.content).join(Conversation, Message.conversation_id == Conversation.id)
    query = query.where(Conversation.customer_ref == customer.ref)
    return list(session().scalars(query.order_by(Message.conversation_id, Message.sequence)))


def begun(customer: Customer) -> int:
    """How many conversations a customer has; needs an app context."""
    session().rollback()
    query = select(func.count()).select_from(Conversation).where(Conversation.customer_ref == customer.ref)
    return session().scalar(query) or 0

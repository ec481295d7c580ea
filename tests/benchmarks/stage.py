"""What the benchmarks stand on: real servers, a migrated database, a host, and rows by the hundred thousand."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from flask_cairnloop.embedded import Servers, servers
from tests.support.hosts import close, make_app, migrate


@contextmanager
def backing() -> Iterator[Servers]:
    """Durable servers in a directory that goes away."""
    with tempfile.TemporaryDirectory() as home, servers(Path(home) / "servers") as running:
        yield running


@contextmanager
def database(running: Servers, name: str) -> Iterator[str]:
    """The address of a migrated database."""
    url = make_url(running.database_url).set(database=name).render_as_string(hide_password=False)
    engine = create_engine(running.database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    migrate(url)
    yield url
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@contextmanager
def host(url: str, redis_url: str, **settings: object) -> Iterator[Flask]:
    """A host on that database, with an app context."""
    app = make_app(url, redis_url, CAIRNLOOP_EMBEDDER=None, **settings)
    with app.app_context():
        yield app
    close(app)


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


FILL = text(
    """
    INSERT INTO cairnloop.cairnloop_conversations
        (tenant, customer_ref, customer_name, channel, subject, status, awaiting, priority, tags, last_sequence,
         last_message_at, last_message_role, last_message_author, last_message_preview, customer_seen_sequence,
         operator_seen_sequence, reopened_count, created_at, updated_at)
    SELECT '', 'customer-' || n, 'Customer ' || n, 'widget', 'Question ' || n,
           CASE WHEN n % 3 = 0 THEN 'resolved' ELSE 'open' END,
           CASE WHEN n % 2 = 0 THEN 'operator' ELSE 'customer' END,
           'normal', '{}', 1, now() - n * interval '7 seconds', 'user', 'Customer ' || n, 'What about number ' || n,
           1, 0, 0, now() - n * interval '7 seconds', now()
    FROM generate_series(1, :number) AS n
    """
)
THREAD = text(
    """
    INSERT INTO cairnloop.cairnloop_messages
        (conversation_id, sequence, role, content, author_id, author_name, details, created_at)
    SELECT :thread, n, CASE WHEN n % 2 = 0 THEN 'agent' ELSE 'user' END, 'Message number ' || n,
           CASE WHEN n % 2 = 0 THEN 'ada' ELSE 'customer-1' END, 'Somebody', '{}',
           now() - (:number - n) * interval '1 s'
    FROM generate_series(1, :number) AS n
    """
)

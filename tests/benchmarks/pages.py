"""The inbox at 1,000 and 100,000 conversations; the last page of a thread of 50 and of 10,000 messages."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from flask_cairnloop.core.database import engine, session
from tests.benchmarks.stage import FILL, THREAD, backing, database, host


def browser(app: Flask) -> FlaskClient:
    """Ada's browser."""
    client = app.test_client()
    client.environ_base["HTTP_X_OPERATOR"] = "ada"
    return client


def side_by_side(*pages: tuple[FlaskClient, str], rounds: int = 40) -> list[float]:
    """The median server time of each page, fetched in turns so that a noisy machine is noisy to all of them."""
    times: list[list[float]] = [[] for _ in pages]
    for turn in range(rounds + 5):
        for (client, path), taken in zip(pages, times, strict=True):
            start = time.perf_counter()
            assert client.get(path).status_code == 200
            if turn >= 5:  # the first turns fill caches
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


def statements(client: FlaskClient, path: str) -> int:
    """How many SQL statements a page takes."""
    count = 0

    def tick(*_: object) -> None:
        nonlocal count
        count += 1

    bind = engine()
    event.listen(bind, "before_cursor_execute", tick)
    client.get(path)
    event.remove(bind, "before_cursor_execute", tick)
    return count


def fill(number: int) -> None:
    """Add conversations, and let Postgres tidy up as it does by itself in time."""
    session().execute(FILL, {"number": number})
    session().commit()
    _vacuum()


def lengthen(thread: int, number: int) -> None:
    """Give a conversation that many messages."""
    session().execute(THREAD, {"thread": thread, "number": number})
    length = "UPDATE cairnloop.cairnloop_conversations SET last_sequence = :number, status = 'open' WHERE id = :thread"
    session().execute(text(length), {"thread": thread, "number": number})
    session().commit()
    _vacuum()


def _vacuum() -> None:
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def run() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, target."""
    with ExitStack() as stack:
        running = stack.enter_context(backing())
        apps = []
        for name in ("few", "many", "threads"):
            url = stack.enter_context(database(running, name))
            apps.append(stack.enter_context(host(url, running.redis_url)))
        few, many, threads = apps
        for app, number in ((few, 1_000), (many, 100_000), (threads, 100)):
            with app.app_context():
                fill(number)
        with threads.app_context():
            lengthen(10, 50)
            lengthen(20, 10_000)
        small, large = side_by_side((browser(few), "/support/inbox"), (browser(many), "/support/inbox"))
        short, long = side_by_side((browser(threads), "/support/10"), (browser(threads), "/support/20"))
        with many.app_context():
            taken = statements(browser(many), "/support/inbox")
    return [
        ("Inbox, first page: 100,000 against 1,000 conversations", _ratio(large, small), "<= 1.5x"),
        ("Inbox: SQL statements", str(taken), "<= 8"),
        ("Thread, last page: 10,000 against 50 messages", _ratio(long, short), "<= 1.5x"),
    ]


def _ratio(measured: float, base: float) -> str:
    return f"{measured / base:.2f}x ({measured * 1e3:.0f} ms, {base * 1e3:.0f} ms)"

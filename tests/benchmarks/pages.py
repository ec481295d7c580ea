"""The inbox at 1,000 and 100,000 conversations; the last page of a thread of 50 and of 10,000 messages."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from flask_cairnloop.core.database import engine, session
from tests.benchmarks.stage import FILL, THREAD, backing, database, host, median_seconds


def browser(app: Flask) -> FlaskClient:
    """Ada's browser."""
    client = app.test_client()
    client.environ_base["HTTP_X_OPERATOR"] = "ada"
    return client


def page_seconds(client: FlaskClient, path: str) -> float:
    """The median server time of a page, which must answer 200."""

    def fetch() -> None:
        assert client.get(path).status_code == 200

    return median_seconds(fetch)


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
    inbox: dict[int, float] = {}
    with backing() as running:
        for number in (1_000, 100_000):
            with database(running, f"inbox_{number}") as url, host(url, running.redis_url) as app:
                fill(number)
                inbox[number] = page_seconds(browser(app), "/support/inbox")
                taken = statements(browser(app), "/support/inbox")
        with database(running, "threads") as url, host(url, running.redis_url) as app:
            fill(100)
            lengthen(10, 50)
            lengthen(20, 10_000)
            short, long = (page_seconds(browser(app), f"/support/{thread}") for thread in (10, 20))
    return [
        ("Inbox, first page: 100,000 against 1,000 conversations", _ratio(inbox[100_000], inbox[1_000]), "<= 1.5x"),
        ("Inbox: SQL statements", str(taken), "<= 8"),
        ("Thread, last page: 10,000 against 50 messages", _ratio(long, short), "<= 1.5x"),
    ]


def _ratio(measured: float, base: float) -> str:
    return f"{measured / base:.2f}x ({measured * 1e3:.0f} ms, {base * 1e3:.0f} ms)"

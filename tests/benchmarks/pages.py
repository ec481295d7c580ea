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
    """Add conversations and let Postgres learn about them."""
    session().execute(FILL, {"number": number})
    session().commit()
    session().connection(execution_options={"isolation_level": "AUTOCOMMIT"}).execute(text("ANALYZE"))
    session().rollback()


def run() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, target."""
    rows = []
    with backing() as running:
        seconds = {}
        for number in (1_000, 100_000):
            with database(running, f"inbox_{number}") as url, host(url, running.redis_url) as app:
                fill(number)
                client = browser(app)
                seconds[number] = page_seconds(client, "/support/inbox")
                taken = statements(client, "/support/inbox")
                if number == 1_000:
                    for size in (50, 10_000):
                        thread = size  # conversation ids begin at 1
                        session().execute(THREAD, {"thread": thread, "number": size})
                        session().execute(
                            text("UPDATE cairnloop.cairnloop_conversations SET last_sequence = :n WHERE id = :n"),
                            {"n": min(size, 1000)},
                        )
                        session().commit()
                        break
                    small = page_seconds(client, "/support/50")
                    session().execute(THREAD, {"thread": 60, "number": 10_000})
                    session().commit()
                    large = page_seconds(client, "/support/60")
        rows.append(
            (
                "Inbox, first page: 100,000 against 1,000 conversations",
                f"{seconds[100_000] / seconds[1_000]:.2f}x ({seconds[100_000] * 1e3:.0f} ms, {seconds[1_000] * 1e3:.0f} ms)",
                "<= 1.5x",
            )
        )
        rows.append(("Inbox: SQL statements", str(taken), "<= 8"))
        rows.append(
            (
                "Thread, last page: 10,000 against 50 messages",
                f"{large / small:.2f}x ({large * 1e3:.0f} ms, {small * 1e3:.0f} ms)",
                "<= 1.5x",
            )
        )
    return rows

"""2,000 idle widgets on one gevent process: memory a socket, pooled connections held, and how soon a reply arrives."""

from __future__ import annotations

import asyncio
import statistics
import time

import psutil
from sqlalchemy import create_engine, text

from flask_cairnloop import Customer, Operator, conversations
from tests.benchmarks.ingest import served
from tests.benchmarks.sockets import Socket
from tests.benchmarks.stage import backing, database, host
from tests.support.hosts import token_for

SOCKETS = 2_000
REPLIES = 20
ADA = Operator(id="ada", name="Ada Osei")


def memory(port: int) -> int:
    """Bytes held by the processes that serve the port, the one that only watches over them left out."""
    total = 0
    for process in psutil.process_iter(["cmdline"]):
        if f"127.0.0.1:{port}" in (process.info["cmdline"] or []) and not process.children():
            total += process.memory_info().rss
    return total


async def gather(port: int) -> list[Socket]:
    """Open the sockets, 50 at a time, each saying hello."""
    sockets: list[Socket] = []

    async def one(number: int) -> None:
        socket = await Socket.connect(port)
        socket.say(type="hello", token=token_for(Customer(ref=f"idle-{number}")), after=0)
        await socket.hear("ready")
        sockets.append(socket)

    for start in range(0, SOCKETS, 50):
        await asyncio.gather(*(one(number) for number in range(start, start + 50)))
    return sockets


async def measure(port: int, url: str, redis_url: str) -> tuple[float, int, float]:
    """Kilobytes a socket, sessions of the host in the database, milliseconds from commit to arrival."""
    asker = await Socket.connect(port)
    asker.say(type="hello", token=token_for(Customer(ref="asker")), after=0)
    await asker.hear("ready")
    before = memory(port)
    sockets = await gather(port)
    each = (memory(port) - before) / len(sockets) / 1024
    asker.say(type="send", client_id="first", content="Hello?")
    thread = (await asker.hear("ack"))["conversation"]
    delays = []
    with host(url, redis_url) as app:
        for number in range(REPLIES):
            with app.app_context():
                await asyncio.to_thread(_reply, app, thread, number)
            start = time.perf_counter()
            await asker.hear("messages")
            delays.append(time.perf_counter() - start)
    busy = _busy_sessions(url)
    for socket in [*sockets, asker]:
        socket.close()
    return each, busy, statistics.median(delays) * 1e3


def _reply(app: object, thread: int, number: int) -> None:
    with app.app_context():  # type: ignore[attr-defined]
        conversations.reply(thread, f"Reply {number}", by=ADA)


def _busy_sessions(url: str) -> int:
    """Sessions of this database that are inside a transaction: what a held connection would look like."""
    engine = create_engine(url)
    with engine.connect() as connection:
        query = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"""
        busy = connection.execute(text(query)).scalar_one()
    engine.dispose()
    return int(busy)


def run() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, target."""
    with backing() as running, database(running, "idle") as url, served(url, running.redis_url, 1) as port:
        each, busy, delay = asyncio.run(measure(port, url, running.redis_url))
    return [
        (f"{SOCKETS:,} idle widgets on one gevent process: memory a socket", f"{each:.0f} KB", "reported"),
        ("Idle widgets: database sessions held in a transaction", str(busy), "0"),
        ("From an operator's committed reply to its arrival", f"{delay:.0f} ms", "reported"),
    ]

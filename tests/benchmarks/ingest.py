"""Durable messages a second through the websocket, against a bare psycopg loop of the same statements."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from flask_cairnloop import Customer
from tests.benchmarks.sockets import Socket
from tests.benchmarks.stage import backing, database, free_port
from tests.support.hosts import token_for

CLIENTS = 50
SECONDS = 8.0

HEAD = """SELECT id, tenant, customer_ref, status, resolved_at, last_sequence, first_agent_message_at
    FROM cairnloop.cairnloop_conversations WHERE id = %s FOR UPDATE"""
MESSAGE = """INSERT INTO cairnloop.cairnloop_messages
    (conversation_id, sequence, role, content, author_id, author_name, client_id, details, created_at)
    VALUES (%s, %s, 'user', %s, %s, 'Somebody', %s, '{}', now())
    ON CONFLICT (conversation_id, client_id) WHERE client_id IS NOT NULL DO NOTHING RETURNING id"""
SUMMARY = """UPDATE cairnloop.cairnloop_conversations
    SET last_sequence = %s, updated_at = now(), last_message_at = now(), last_message_role = 'user',
        last_message_author = 'Somebody', last_message_preview = %s, awaiting = 'operator',
        customer_seen_sequence = %s, customer_typing_at = NULL WHERE id = %s"""
AUDIT = """INSERT INTO cairnloop.cairnloop_audit_events
    (tenant, at, action, actor_kind, actor_id, subject, subject_id, conversation_id, details)
    VALUES ('', now(), 'message.receive', 'customer', %s, 'message', %s, %s, '{}')"""
PROMISE = """INSERT INTO cairnloop.cairnloop_jobs (name, args, state, run_at, unique_key, attempts, created_at)
    VALUES ('generate_draft', '{}', 'waiting', now() + interval '1 hour', %s, 0, now())
    ON CONFLICT (unique_key) WHERE state = 'waiting' DO UPDATE SET run_at = excluded.run_at RETURNING id"""
OPEN = """INSERT INTO cairnloop.cairnloop_conversations
    (tenant, customer_ref, channel, subject, status, awaiting, priority, last_sequence, last_message_at,
     customer_seen_sequence, operator_seen_sequence, reopened_count, created_at, updated_at)
    VALUES ('', %s, 'widget', 'Bench', 'open', 'operator', 'normal', 0, now(), 0, 0, 0, now(), now()) RETURNING id"""


def bare(url: str) -> float:
    """Messages a second of the bare loop: 50 connections in one process."""
    address = url.replace("postgresql+psycopg", "postgresql")
    counts = [0] * CLIENTS
    stop = threading.Event()

    def client(number: int) -> None:
        with psycopg.connect(address) as connection:
            ref = f"bare-{time.time_ns()}-{number}"
            thread = connection.execute(OPEN, (ref,)).fetchone()[0]  # type: ignore[index]
            connection.commit()
            while not stop.is_set():
                head = connection.execute(HEAD, (thread,)).fetchone()
                sequence, words = head[5] + 1, f"Message {counts[number]}"  # type: ignore[index]
                row = (thread, sequence, words, ref, f"{number}-{counts[number]}")
                message = connection.execute(MESSAGE, row).fetchone()[0]  # type: ignore[index]
                connection.execute(SUMMARY, (sequence, words, sequence, thread))
                connection.execute(AUDIT, (ref, message, thread))
                connection.execute(PROMISE, (f"draft:{thread}",))
                connection.commit()
                counts[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


async def through_the_widget(port: int) -> float:
    """Acknowledged messages a second of 50 clients, each waiting for its ack before the next."""
    counts = [0] * CLIENTS
    ends = 0.0

    async def client(number: int) -> None:
        socket = await Socket.connect(port)
        socket.say(type="hello", token=token_for(Customer(ref=f"c{number}", name="Somebody")), after=0)
        await socket.hear("ready")
        while time.perf_counter() < ends:
            socket.say(type="send", client_id=f"{os.getpid()}-{number}-{counts[number]}", content=f"Message {number}")
            await socket.hear("ack")
            counts[number] += 1
        socket.close()

    ends = time.perf_counter() + SECONDS
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return sum(counts) / SECONDS


@contextmanager
def served(url: str, redis_url: str, processes: int) -> Iterator[int]:
    """A host under gunicorn on gevent. Yields the port."""
    port = free_port()
    environment = os.environ | {"TEST_DATABASE_URL": url, "TEST_REDIS_URL": redis_url, "TEST_DRAFT_DELAY": "3600"}
    environment["TEST_WIDGET_RATE"] = "100000"
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", str(processes), "--log-level", "warning"]
    command += ["--worker-connections", "5000", "-b", f"127.0.0.1:{port}", "tests.support.worker_app:create_app()"]
    child = subprocess.Popen(command, env=environment)
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/support/widget/widget.js", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        yield port
    finally:
        child.terminate()
        child.wait(20)


def run() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, target."""
    with backing() as running, database(running, "ingest") as url:
        loop = bare(url)
        rates = {}
        for processes in (1, 2):
            with served(url, running.redis_url, processes) as port:
                rates[processes] = asyncio.run(through_the_widget(port))
        again = bare(url)
    base = (loop + again) / 2
    one = f"{rates[1] / base:.2f}x ({rates[1]:.0f}/s of {base:.0f}/s)"
    two = f"{rates[2] / rates[1]:.2f}x ({rates[2]:.0f}/s)"
    return [
        ("Durable ingest with acks, 50 clients, one process: against bare psycopg", one, ">= 0.15x, >= 0.25x wished"),
        ("Durable ingest: two processes against one", two, "reported"),
    ]

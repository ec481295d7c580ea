"""Real worker processes, killed and starved."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta

import psutil
import pytest
import redis
from flask import Flask
from sqlalchemy import and_, func, or_, select

from flask_cairnloop import Customer, conversations, drafts
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import session
from flask_cairnloop.core.jobs import Job, JobState

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def host_settings() -> dict[str, object]:
    return {"CAIRNLOOP_EMBEDDER": None}


@pytest.fixture
def start_worker(app: Flask, processes: Start, redis_url: str) -> Callable[..., subprocess.Popen[bytes]]:
    """Start ``flask cairnloop worker``."""

    def start(*options: str) -> subprocess.Popen[bytes]:
        return processes(
            *("-m", "flask", "--app", "tests.support.worker_app", "cairnloop", "worker", *options),
            TEST_DATABASE_URL=app.config["SQLALCHEMY_DATABASE_URI"],
            TEST_REDIS_URL=redis_url,
        )

    return start


SOON = timedelta(minutes=5)


def unfinished() -> int:
    """Jobs that run now or are due; what is promised for a later hour is no concern of these tests."""
    due = or_(Job.state == JobState.RUNNING, and_(Job.state == JobState.WAITING, Job.run_at < now() + SOON))
    number = session().execute(select(func.count()).select_from(Job).where(due)).scalar_one()
    session().rollback()
    return number


def finished() -> int:
    number = session().execute(select(func.count()).select_from(Job).where(Job.state == JobState.DONE)).scalar_one()
    session().rollback()
    return number


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def ask(number: int) -> list[int]:
    return [
        conversations.receive_from(Customer(ref=f"c{index}"), f"How do I rotate key {index}?").conversation_id
        for index in range(number)
    ]


def drafts_per_conversation() -> dict[int, int]:
    rows = session().execute(select(drafts.Draft.conversation_id, func.count()).group_by(drafts.Draft.conversation_id))
    counts = {row[0]: row[1] for row in rows}
    session().rollback()
    return counts


def test_a_worker_is_seen_by_rq_and_does_the_work(
    app: Flask, start_worker: Callable[..., subprocess.Popen[bytes]], redis_url: str
) -> None:
    start_worker()
    threads = ask(3)
    wait_until(lambda: unfinished() == 0, 40)
    assert drafts_per_conversation() == dict.fromkeys(threads, 1)
    from rq import Worker

    with redis.Redis.from_url(redis_url) as connection:
        assert len(Worker.all(connection=connection)) == 1


MOMENTS = list(range(7, 7 + (20 if os.environ.get("CAIRNLOOP_TORTURE") == "full" else 1)))


@pytest.mark.parametrize("seed", MOMENTS)
def test_flushing_redis_and_killing_the_worker_loses_and_doubles_nothing(
    app: Flask, start_worker: Callable[..., subprocess.Popen[bytes]], redis_url: str, seed: int
) -> None:
    """100 drafts pending; Redis forgets everything and every process of the worker dies in the middle."""
    threads = ask(100)
    supervisor = start_worker()
    wait_until(lambda: finished() >= random.Random(seed).randint(5, 60), 40)
    with redis.Redis.from_url(redis_url) as connection:
        connection.flushall()
    for child in psutil.Process(supervisor.pid).children(recursive=True):
        os.kill(child.pid, signal.SIGKILL)
    supervisor.kill()
    supervisor.wait()
    assert unfinished() > 0, "it was killed in the middle"
    start_worker()
    wait_until(lambda: unfinished() == 0, 60)
    assert drafts_per_conversation() == dict.fromkeys(threads, 1)


def test_children_end_with_their_supervisor(app: Flask, start_worker: Callable[..., subprocess.Popen[bytes]]) -> None:
    supervisor = start_worker("--processes", "1")
    parent = psutil.Process(supervisor.pid)
    wait_until(lambda: len(parent.children()) == 2, 20)
    ask(1)
    wait_until(lambda: unfinished() == 0, 40)
    children = parent.children()
    supervisor.kill()
    supervisor.wait()
    assert psutil.wait_procs(children, timeout=25)[1] == []


def test_a_killed_child_is_replaced(app: Flask, start_worker: Callable[..., subprocess.Popen[bytes]]) -> None:
    supervisor = start_worker()
    parent = psutil.Process(supervisor.pid)
    wait_until(lambda: len(parent.children()) == 2, 20)
    for child in parent.children():
        child.kill()
    wait_until(lambda: len([c for c in parent.children() if c.status() != psutil.STATUS_ZOMBIE]) == 2, 20)
    ask(1)
    wait_until(lambda: unfinished() == 0, 40)


def test_a_worker_refuses_a_database_without_tables(backing: object, processes: Start, tmp_path: object) -> None:
    child = processes(
        *("-m", "flask", "--app", "tests.support.worker_app", "cairnloop", "worker", "--burst"),
        TEST_DATABASE_URL=backing.database_url,  # type: ignore[attr-defined]
        TEST_REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert child.wait(30) != 0

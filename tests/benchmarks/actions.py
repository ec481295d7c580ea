"""How many actions a second go from proposed over approved to executed, beside bare RQ jobs with as many statements.

``python -m tests.benchmarks actions`` prints the table. Both sides have two worker processes and durable servers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from flask import Flask
from redis import Redis
from rq import Queue, SimpleWorker
from sqlalchemy import create_engine, event, func, select, text

from flask_cairnloop import ALLOW, Operator, Tool, governance
from flask_cairnloop.core import work
from flask_cairnloop.core.database import engine, session
from flask_cairnloop.governance import ApprovalStatus, ToolApproval
from tests.benchmarks.stage import backing, database, host
from tests.support.hosts import make_app

Row = tuple[str, str, str]
ACTIONS = 100
WORKERS = 2
PATIENCE = 50.0  # seconds for each side
ADA = Operator(id="ada", name="Ada Osei", scopes=frozenset({"support"}))
BO = Operator(id="bo", name="Bo Lind", scopes=frozenset({"support"}))


class Count(Tool, risk_tier="low_write"):
    """Does nothing, so that the desk's own work is measured."""

    number: int

    @classmethod
    def scope(cls) -> set[str]:
        return {"support"}

    def authorize(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        return ALLOW

    def run(self, actor_id: str, context: Mapping[str, Any]) -> str:
        return f"counted {self.number}"


def run() -> Iterator[Row]:
    """Rows of the table: what, measured, target."""
    with backing() as running, database(running, "actions") as url:
        statements, governed = governed_actions(url, running.redis_url)
        bare = bare_jobs(url, running.redis_url, statements)
    yield (f"Proposed, approved, executed: {ACTIONS} actions, {WORKERS} workers", f"{governed:.0f}/s", "")
    yield (f"Bare RQ jobs of as many statements ({statements}), {WORKERS} workers", f"{bare:.0f}/s", "")
    yield ("Governed actions to bare jobs", f"{governed / bare:.2f}", "")


def create_app() -> Flask:
    """The workers' host."""
    places = os.environ["BENCH_DATABASE_URL"], os.environ["BENCH_REDIS_URL"]
    return make_app(*places, CAIRNLOOP_EMBEDDER=None, CAIRNLOOP_TOOLS=(Count,))


def governed_actions(url: str, redis_url: str) -> tuple[int, float]:
    """Statements of one action from beginning to end, and actions a second."""
    with host(url, redis_url, CAIRNLOOP_TOOLS=(Count,)):
        statements = counted(lambda: (act(-1), work.run_due()))
        command = ["-m", "flask", "--app", "tests.benchmarks.actions", "cairnloop", "worker"]
        with workers(command, url, redis_url):
            act(-2)
            wait_until(lambda: executed() >= 2)  # they are up
            started = time.perf_counter()
            for number in range(ACTIONS):
                act(number)
            wait_until(lambda: executed() >= ACTIONS + 2)
            return statements, ACTIONS / (time.perf_counter() - started)


def act(number: int) -> None:
    """Propose, and approve as somebody else."""
    made = governance.propose("count", {"number": number}, by=ADA)
    governance.approve(made.id, by=BO, seen=made.digest)


def executed() -> int:
    """How many are done."""
    done = select(func.count(ToolApproval.id)).where(ToolApproval.status == ApprovalStatus.EXECUTED)
    found = session().scalar(done) or 0
    session().rollback()
    return found


def counted(work_to_do: Callable[[], object]) -> int:
    """The statements it sends to the database."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    work_to_do()
    event.remove(engine(), "before_cursor_execute", note)
    return len(sent)


def bare_jobs(url: str, redis_url: str, statements: int) -> float:
    """Jobs a second whose work is that many inserts in one transaction."""
    plain = create_engine(url)
    with plain.begin() as connection:
        connection.execute(text("CREATE TABLE bare_jobs (job int, step int)"))
    queue = Queue("bare", connection=Redis.from_url(redis_url))
    with workers(["-m", "tests.benchmarks.actions"], url, redis_url), plain.connect() as connection:

        def done() -> int:
            found = connection.scalar(text("SELECT count(DISTINCT job) FROM bare_jobs")) or 0
            connection.rollback()
            return int(found)

        queue.enqueue("tests.benchmarks.actions.insert", -1, statements)
        wait_until(lambda: done() >= 1)
        started = time.perf_counter()
        for number in range(ACTIONS):
            queue.enqueue("tests.benchmarks.actions.insert", number, statements)
        wait_until(lambda: done() >= ACTIONS + 1)
        took = time.perf_counter() - started
    plain.dispose()
    return ACTIONS / took


_bare = create_engine(os.environ["BENCH_DATABASE_URL"]) if "BENCH_DATABASE_URL" in os.environ else None


def insert(job: int, statements: int) -> None:
    """The bare job's work."""
    assert _bare is not None
    with _bare.begin() as connection:
        for step in range(statements):
            connection.execute(text("INSERT INTO bare_jobs VALUES (:job, :step)"), {"job": job, "step": step})


def wait_until(reached: Callable[[], bool]) -> None:
    """Look until it is so. Raises ``TimeoutError``."""
    deadline = time.perf_counter() + PATIENCE
    while not reached():
        if time.perf_counter() > deadline:
            raise TimeoutError("the workers did not finish")
        time.sleep(0.02)


@contextmanager
def workers(command: list[str], url: str, redis_url: str) -> Iterator[None]:
    """Two worker processes."""
    places = os.environ | {"BENCH_DATABASE_URL": url, "BENCH_REDIS_URL": redis_url}
    with ExitStack() as stack:
        for _ in range(WORKERS):
            process = subprocess.Popen(
                [sys.executable, *command], env=places, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        yield


if __name__ == "__main__":
    SimpleWorker(["bare"], connection=Redis.from_url(os.environ["BENCH_REDIS_URL"])).work()

"""Claiming a promised job, running it, and settling what became of it.

A worker holds a session-level advisory lock under its own key; a claim names that key. A claim whose lock is free
belongs to a dead worker and is taken over. A run settles its row only while the claim is still its own, so work that
was taken over saves nothing.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast

from flask import Flask, current_app
from sqlalchemy import Connection, CursorResult, Engine, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import now, state
from flask_cairnloop.core.database import after_commit, engine, session, transaction
from flask_cairnloop.core.errors import ClaimLost, HostFailure
from flask_cairnloop.core.jobs import TASKS, Job, JobState, Task, push_one

log = logging.getLogger("flask_cairnloop.jobs")
LOCK_CLASS = 0x436C  # "Cl": the advisory locks of our workers
BACKOFF = (1, 5, 30, 120, 600)  # seconds before the next attempt
ERROR_LENGTH = 2000


class Worker:
    """One worker's identity: an advisory lock held on a connection of its own."""

    def __init__(self, bind: Engine) -> None:
        self._engine = bind
        self._connection: Connection | None = None
        self._key = 0

    def key(self) -> int:
        """The key whose lock we hold, taken anew if the connection was lost."""
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
            except DBAPIError:
                self.release()
        if self._connection is None:
            self._lock()
        return self._key

    def _lock(self) -> None:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        key = random.randrange(1, 2**31)
        connection.execute(text("SELECT pg_advisory_lock(:kind, :key)"), {"kind": LOCK_CLASS, "key": key})
        self._connection, self._key = connection, key

    def release(self) -> None:
        """Let the lock go with its connection."""
        if self._connection is not None:
            with suppress(SQLAlchemyError):  # closing alone lets it go a moment later
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


@dataclass(frozen=True)
class Claim:
    """A job in our hands: valid while its row still names this worker and this attempt."""

    job_id: int
    task: Task
    args: dict[str, Any]
    worker_key: int
    attempt: int
    settled: list[bool]


_claim: ContextVar[Claim | None] = ContextVar("cairnloop_claim", default=None)


def carry(job_id: int) -> None:
    """What RQ calls: run the row in an app context of its own."""
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
    worker = state(app).once("worker", lambda: Worker(engine()))
    with app.app_context():
        run(job_id, worker)


def run(job_id: int, worker: Worker) -> bool:
    """Claim and run one job. Returns whether it was ours to run."""
    claim = _take(job_id, worker.key())
    if claim is None:
        return False
    token = _claim.set(claim)
    try:
        with telemetry.span("job.run"):
            _perform(claim)
    except ClaimLost:
        session().rollback()
        log.warning("job %s was taken over by another worker", claim.task.name)
    except Exception as failure:
        session().rollback()
        _fail(claim, failure)
    finally:
        _claim.reset(token)
    return True


def _perform(claim: Claim) -> None:
    if claim.task.atomic:
        with transaction():
            claim.task.function(**claim.args)
            complete()
        return
    claim.task.function(**claim.args)
    if not claim.settled:
        with transaction():
            complete()


def complete() -> None:
    """Mark the running job done inside the current transaction; outside a job, nothing.

    Raises ``ClaimLost`` when the job is no longer ours, which undoes the transaction.
    """
    claim = _claim.get()
    if claim is None or claim.settled:
        return
    if not _settle(claim, state=JobState.DONE, finished_at=now(), last_error=None, claimed_by=None):
        raise ClaimLost
    claim.settled.append(True)


def _take(job_id: int, key: int) -> Claim | None:
    with transaction() as db:
        row = db.execute(
            update(Job)
            .where(Job.id == job_id, Job.state == JobState.WAITING, Job.run_at <= now())
            .values(state=JobState.RUNNING, claimed_by=key, attempts=Job.attempts + 1)
            .returning(Job.name, Job.args, Job.attempts)
        ).one_or_none()
        if row is None:
            return None
        task = TASKS.get(row.name)
        if task is None:
            db.execute(
                update(Job)
                .where(Job.id == job_id)
                .values(state=JobState.FAILED, finished_at=now(), last_error=f"no job is named {row.name!r}")
            )
            return None
    return Claim(job_id, task, row.args, key, row.attempts, [])


def _settle(claim: Claim, **values: Any) -> bool:
    """Write ``values`` while the claim is still ours."""
    return _update_running(claim.job_id, claim.worker_key, claim.attempt, **values)


def _update_running(job_id: int, key: int | None, attempt: int, **values: Any) -> bool:
    statement = update(Job).where(Job.id == job_id, Job.state == JobState.RUNNING, Job.attempts == attempt)
    statement = statement.where(Job.claimed_by.is_(None) if key is None else Job.claimed_by == key)
    result = session().execute(statement.values(**values).execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount == 1


def _fail(claim: Claim, failure: Exception) -> None:
    permanent = isinstance(failure, HostFailure) and failure.permanent
    final = permanent or claim.attempt >= claim.task.max_attempts
    reason = f"{type(failure).__name__}: {failure}"[:ERROR_LENGTH].replace("\0", "")
    level = logging.ERROR if final else logging.WARNING
    log.log(level, "job %s failed: %s", claim.task.name, reason, exc_info=failure)
    if final:
        _give_up(claim.job_id, claim.worker_key, claim.attempt, reason)
    else:
        wait = BACKOFF[min(claim.attempt, len(BACKOFF)) - 1] * random.uniform(0.8, 1.2)
        _wait_again(claim.job_id, claim.worker_key, claim.attempt, reason, wait)


def _give_up(job_id: int, key: int | None, attempt: int, reason: str) -> None:
    with transaction():
        _update_running(
            job_id, key, attempt, state=JobState.FAILED, finished_at=now(), last_error=reason, claimed_by=None
        )


def _wait_again(job_id: int, key: int | None, attempt: int, reason: str, wait: float) -> None:
    """Let the job wait again; where the same key already waits, that one stands in for it."""
    values: dict[str, Any] = {
        "state": JobState.WAITING,
        "claimed_by": None,
        "last_error": reason,
        "pushed_at": None,
    }
    values["run_at"] = now() + timedelta(seconds=wait)
    try:
        with transaction():
            _update_running(job_id, key, attempt, **values)
    except IntegrityError:
        _give_up(job_id, key, attempt, f"a newer job of the same kind took its place; {reason}")


_DEAD = text(
    """
    SELECT j.id, j.name, j.attempts, j.claimed_by FROM cairnloop.cairnloop_jobs j
    WHERE j.state = 'running' AND NOT EXISTS (
        SELECT 1 FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = :kind
          AND l.objid = j.claimed_by AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY j.id LIMIT 500
    """
)


def recover() -> int:
    """Take over the claims of workers that died. Returns how many."""
    with transaction() as db:
        dead = db.execute(_DEAD, {"kind": LOCK_CLASS}).all()
    for row in dead:
        task = TASKS.get(row.name)
        if task is not None and row.attempts >= task.max_attempts:
            _give_up(row.id, row.claimed_by, row.attempts, "its worker died every time it was tried")
        else:
            _wait_again(row.id, row.claimed_by, row.attempts, "its worker died", 0.0)
    return len(dead)


def replay(names: Collection[str]) -> int:
    """Let the jobs of these names that were given up wait again, with every attempt before them.

    Returns how many. Of several with one unique key the newest stands in for all, and so does one that waits already.
    Call it outside any transaction: each job has its own.
    """
    replayed, before = 0, 2**63 - 1
    while failed := _given_up(names, before):
        for before in failed:
            try:
                with transaction():
                    replayed += _revive(before)
            except IntegrityError:
                with transaction() as db:
                    same = update(Job).where(Job.id == before, Job.state == JobState.FAILED)
                    db.execute(same.values(state=JobState.DONE))
    return replayed


def _given_up(names: Collection[str], before: int, limit: int = 500) -> Sequence[int]:
    query = select(Job.id).where(Job.state == JobState.FAILED, Job.name.in_(names), Job.id < before)
    with transaction() as db:
        return db.scalars(query.order_by(Job.id.desc()).limit(limit)).all()


def _revive(job_id: int) -> int:
    """Returns 1, or 0 where another process was faster."""
    values = {"state": JobState.WAITING, "attempts": 0, "run_at": now(), "pushed_at": None, "finished_at": None}
    statement = update(Job).where(Job.id == job_id, Job.state == JobState.FAILED).values(**values).returning(Job.name)
    name = session().execute(statement.execution_options(synchronize_session=False)).scalar_one_or_none()
    if name is None:
        return 0
    after_commit(partial(push_one, job_id, name))
    return 1


@contextmanager
def as_worker() -> Iterator[Worker]:
    """A worker's identity for the length of the block."""
    worker = Worker(engine())
    try:
        yield worker
    finally:
        worker.release()


def due(limit: int = 500) -> list[int]:
    """Ids of the jobs that are due, oldest first."""
    with transaction() as db:
        rows = db.query(Job.id).filter(Job.state == JobState.WAITING, Job.run_at <= now()).order_by(Job.run_at, Job.id)
        return [row.id for row in rows.limit(limit)]


def run_due(rounds: int = 20) -> int:
    """Run in this process everything that is due, and what that promises in turn. Returns the number of runs."""
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
    count = 0
    with as_worker() as worker:
        for _ in range(rounds):
            with app.app_context():
                ids = due()
            if not ids:
                break
            for job_id in ids:
                with app.app_context():
                    count += run(job_id, worker)
    return count

"""Work promised in the database: ``@job`` names a function, ``enqueue`` writes its row, RQ carries the row's id.

The row stands in the same transaction as the change that asks for it. After the commit its id goes to RQ; whatever
Redis forgets, the scheduler finds again among the rows. ``work`` claims a row and runs it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Identity, Index, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from flask_cairnloop.core import redis
from flask_cairnloop.core.current import now, settings, state
from flask_cairnloop.core.database import Base, after_commit, choice, session, table

if TYPE_CHECKING:
    from redis.client import Pipeline
    from rq import Queue

log = logging.getLogger("flask_cairnloop.jobs")
WAKE = "cairnloop:wake"
SCHEDULER_SLEEP = 2.0  # seconds the scheduler sleeps at most; what is due later need not wake it
CARRIER = "flask_cairnloop.core.work.carry"


class JobState(StrEnum):
    """What became of a promise."""

    WAITING = "waiting"  #: Due at ``run_at``.
    RUNNING = "running"  #: Claimed by a living worker.
    DONE = "done"  #: Its effects are saved.
    FAILED = "failed"  #: Given up; ``last_error`` says why.


class Job(Base):
    """One promise of work."""

    __tablename__ = "cairnloop_jobs"
    __table_args__ = (
        Index("ix_cairnloop_jobs_due", "run_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_cairnloop_jobs_running", "claimed_by", postgresql_where=text("state = 'running'")),
        Index("ix_cairnloop_jobs_failed", "id", postgresql_where=text("state = 'failed'")),
        Index(
            "uq_cairnloop_jobs_waiting_key",
            "unique_key",
            unique=True,
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    args: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    state: Mapped[JobState] = mapped_column(choice(JobState), default=JobState.WAITING)
    run_at: Mapped[datetime]
    unique_key: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    #: The claiming worker's advisory lock key; a claim whose lock is free is taken over.
    claimed_by: Mapped[int | None]
    #: When the id last went to RQ.
    pushed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]


_INSERT = insert(table(Job))
_PROMISE = _INSERT.returning(table(Job).c.id)
_PROMISE_ONCE = _INSERT.on_conflict_do_update(
    index_elements=["unique_key"],
    index_where=text("state = 'waiting'"),
    set_={name: _INSERT.excluded[name] for name in ("run_at", "args", "pushed_at")},
).returning(table(Job).c.id)


@dataclass(frozen=True)
class Task:
    """A function that can be promised. ``timeout`` is in seconds."""

    name: str
    function: Callable[..., None]
    timeout: int
    max_attempts: int
    atomic: bool

    def __call__(self, **args: Any) -> None:
        """Run it here and now."""
        self.function(**args)

    def enqueue(self, *, unique_key: str | None = None, delay: float = 0.0, **args: Any) -> int:
        """Promise a run in ``delay`` seconds, inside the current transaction. Returns the job's id.

        A waiting job with the same ``unique_key`` is moved to the new time and arguments instead of doubled.
        """
        moment = now()
        row: dict[str, Any] = {"name": self.name, "args": args, "unique_key": unique_key}
        row["run_at"] = moment + timedelta(seconds=delay)
        row |= {
            "created_at": moment,
            "state": JobState.WAITING,
            "pushed_at": None if delay else moment,
            "attempts": 0,
        }
        job_id: int = (
            session().connection().execute(_PROMISE if unique_key is None else _PROMISE_ONCE, row).scalar_one()
        )
        if delay < SCHEDULER_SLEEP:
            after_commit(_wake_scheduler if delay else lambda: push_one(job_id, self.name))
        return job_id


TASKS: dict[str, Task] = {}


def job(
    name: str, *, timeout: int = 30, max_attempts: int = 5, atomic: bool = True
) -> Callable[[Callable[..., None]], Task]:
    """Make a function a job.

    ``atomic``: its effects are rows, so it runs in one transaction with the mark "done" and they happen exactly once.
    Otherwise it opens its own transactions and calls ``work.complete()`` inside the last one.
    """

    def register(function: Callable[..., None]) -> Task:
        if name in TASKS:
            raise ValueError(f"two jobs are named {name!r}")
        task = TASKS[name] = Task(name, function, timeout, max_attempts, atomic)
        return task

    return register


def queue() -> Queue:
    """The RQ queue that carries our ids."""

    def make() -> Queue:
        from rq import Queue
        from rq.serializers import JSONSerializer

        return Queue(settings.queue, connection=redis.client(), serializer=JSONSerializer)

    return state().once("queue", make)


def push(job_ids: list[int], names: dict[int, str] | None = None) -> bool:
    """Hand row ids to RQ. Returns whether Redis took them."""

    def fill(pipeline: Pipeline) -> None:
        carrier = queue()
        for job_id in job_ids:
            task = TASKS.get((names or {}).get(job_id, ""))
            carrier.enqueue_call(
                CARRIER,
                args=[job_id],
                timeout=(task.timeout if task else 60) + 5,
                result_ttl=0,
                failure_ttl=60,
                description=task.name if task else "cairnloop job",
                pipeline=pipeline,
            )

    return bool(job_ids) and redis.hints().send(fill)


def push_one(job_id: int, name: str) -> None:
    """Hand one row's id to RQ; where Redis is away, the scheduler does it later."""
    push([job_id], {job_id: name})


def _wake_scheduler() -> None:
    redis.hints().send(lambda pipeline: pipeline.publish(WAKE, "1"))


def waiting_counts() -> dict[JobState, int]:
    """How many jobs stand in each unfinished state, counted up to 501 each."""
    db = session()
    counts: dict[JobState, int] = {}
    for at_state in (JobState.WAITING, JobState.RUNNING, JobState.FAILED):
        some = db.query(Job.id).filter(Job.state == at_state).limit(501).subquery()
        counts[at_state] = db.query(func.count()).select_from(some).scalar() or 0
    return counts

"""The process that sleeps until the next job is due and hands it to RQ; the safety net under Redis and workers."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from flask_cairnloop.core import redis
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.jobs import SCHEDULER_SLEEP, WAKE, Job, JobState, push, queue
from flask_cairnloop.core.work import recover

log = logging.getLogger("flask_cairnloop.scheduler")
FORGOTTEN = timedelta(seconds=5)  # a pushed job older than this, with an empty queue, was lost by Redis
STUCK = timedelta(minutes=10)  # pushed this long ago and still waiting: pushed again whatever the queue says
HEARTBEAT = "cairnloop:scheduler"


def tick() -> float:
    """Recover, push what is due, and return the seconds until there is more to do."""
    recover()
    push_due()
    soonest = (
        session()
        .execute(select(func.min(Job.run_at)).where(Job.state == JobState.WAITING, Job.run_at > now()))
        .scalar()
    )
    session().rollback()
    if soonest is None:
        return SCHEDULER_SLEEP
    return max(0.0, min(SCHEDULER_SLEEP, (soonest - now()).total_seconds()))


def push_due() -> int:
    """Hand due jobs to RQ: those never handed over, and those Redis has lost. Returns how many."""
    total = 0
    forgotten = now() - (FORGOTTEN if _queue_is_empty() else STUCK)
    while True:
        with transaction() as db:
            due = db.execute(
                select(Job.id, Job.name)
                .where(Job.state == JobState.WAITING, Job.run_at <= now())
                .where(or_(Job.pushed_at.is_(None), Job.pushed_at < forgotten))
                .order_by(Job.run_at, Job.id)
                .limit(500)
                .with_for_update(skip_locked=True)
            ).all()
            if not due or not push([row.id for row in due], {row.id: row.name for row in due}):
                return total
            db.execute(update(Job).where(Job.id.in_([row.id for row in due])).values(pushed_at=now()))
            total += len(due)


def _queue_is_empty() -> bool:
    from redis.exceptions import RedisError

    try:
        return queue().count == 0
    except (RedisError, OSError):
        return False


def loop(app: Flask, stop: threading.Event) -> None:
    """Tick until ``stop`` is set; a database or Redis that is away is waited for."""
    alarm = _Alarm(app)
    while not stop.is_set():
        try:
            with app.app_context():
                redis.hints().send(lambda pipeline: pipeline.set(HEARTBEAT, str(time.time()), ex=15))
                pause = tick()
        except SQLAlchemyError as failure:
            log.warning("the database is unreachable, trying again: %s", failure)
            pause = 1.0
        alarm.sleep(pause, stop)


class _Alarm:
    """Sleep that a committed promise can cut short, over Redis where it is there."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._subscription: object | None = None

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        from redis.client import PubSub
        from redis.exceptions import RedisError

        deadline = time.monotonic() + seconds
        try:
            with self._app.app_context():
                if self._subscription is None:
                    channel = redis.listen(redis.client())
                    channel.subscribe(WAKE)
                    self._subscription = channel
                assert isinstance(self._subscription, PubSub)
                while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
                    if self._subscription.get_message(timeout=min(left, 0.5)):
                        return
        except (RedisError, OSError):
            self._subscription = None
            stop.wait(max(0.0, deadline - time.monotonic()))

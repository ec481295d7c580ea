"""Is the desk wired right, and is every part of it doing its work?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from flask_cairnloop import knowledge
from flask_cairnloop.core import jobs, redis, schema
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session
from flask_cairnloop.core.jobs import Job, JobState
from flask_cairnloop.core.scheduler import HEARTBEAT
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.labels import Health
from flask_cairnloop.host.context_provider import NoContext
from flask_cairnloop.host.widget_verifier import RefuseAll

LATE = timedelta(minutes=1)  # overdue work older than this means that nobody is doing it
COUNTED = 501  # counts stop here


@dataclass(frozen=True)
class Finding:
    """One part of the desk: how it is, in words, and what to do where it is not well."""

    name: str
    health: Health
    says: str
    next_step: str = ""


@dataclass(frozen=True)
class Supplied:
    """One thing the host supplies; ``missing`` says what is lost without it."""

    name: str
    setting: str
    by: str
    missing: str = ""


def findings() -> list[Finding]:
    """Look at every part."""
    from redis.exceptions import RedisError

    looks: list[tuple[str, Callable[[], Finding]]] = [
        ("Database", _database),
        ("Redis", _redis),
        ("Scheduler", _scheduler),
        ("Workers", _workers),
        ("Background work", _work),
        ("Search index", _index),
    ]
    found = []
    for name, look in looks:
        try:
            found.append(look())
        except SQLAlchemyError:
            session().rollback()
            found.append(Finding(name, Health.DOWN, "The database did not answer.", "Check SQLALCHEMY_DATABASE_URI."))
        except (RedisError, OSError):
            found.append(Finding(name, Health.DOWN, "Redis did not answer.", "Check CAIRNLOOP_REDIS_URL."))
    return found


def wiring() -> list[Supplied]:
    """What the host supplies, and what is missing where it does not."""
    embedder = settings.embedder
    no_context, no_chat = (
        isinstance(settings.context_provider, NoContext),
        isinstance(settings.widget_verifier, RefuseAll),
    )
    return [
        Supplied("Who is an operator", "CAIRNLOOP_OPERATOR_RESOLVER", _named(settings.operator_resolver)),
        Supplied(
            "Customer facts",
            "CAIRNLOOP_CONTEXT_PROVIDER",
            _named(settings.context_provider),
            "Nothing is shown beside a conversation." if no_context else "",
        ),
        Supplied(
            "Who a customer is",
            "CAIRNLOOP_WIDGET_VERIFIER",
            _named(settings.widget_verifier),
            "Every chat is refused." if no_chat else "",
        ),
        Supplied("What happens to drafts", "CAIRNLOOP_AUTOMATION_POLICY", _named(settings.automation_policy)),
        Supplied("Who composes drafts", "CAIRNLOOP_DRAFT_GENERATOR", _named(settings.draft_generator)),
        Supplied(
            "Search by meaning",
            "CAIRNLOOP_EMBEDDER",
            _named(embedder) if embedder is not None else "None",
            "" if embedder is not None else "Search goes by words alone.",
        ),
    ]


def _database() -> Finding:
    started = time.perf_counter()
    version = str(session().execute(text("SHOW server_version")).scalar()).split(" ")[0]
    took = (time.perf_counter() - started) * 1000
    at = schema.current_version()
    says = f"PostgreSQL {version}, answers in {took:.0f} ms, tables at {at}"
    if at != schema.HEAD:
        return Finding("Database", Health.ATTENTION, says, "Run: flask cairnloop db upgrade")
    return Finding("Database", Health.WELL, says)


def _redis() -> Finding:
    client = redis.client()
    started = time.perf_counter()
    client.ping()
    took = (time.perf_counter() - started) * 1000
    version = cast("dict[str, str]", client.info("server"))["redis_version"]
    return Finding("Redis", Health.WELL, f"Redis {version}, answers in {took:.0f} ms")


def _scheduler() -> Finding:
    beat = cast("bytes | None", redis.client().get(HEARTBEAT))
    if beat is None:
        return Finding("Scheduler", Health.DOWN, "None has been seen.", "Run: flask cairnloop worker")
    age = max(0.0, time.time() - float(beat))
    return Finding("Scheduler", Health.WELL, f"Last seen {age:.0f} s ago")


def _workers() -> Finding:
    from rq import Worker

    found = Worker.all(queue=jobs.queue())
    if not found:
        return Finding("Workers", Health.DOWN, "None is running, so no drafts are made.", "Run: flask cairnloop worker")
    beats = [worker.last_heartbeat for worker in found if worker.last_heartbeat is not None]
    newest = max((beat if beat.tzinfo else beat.replace(tzinfo=UTC) for beat in beats), default=None)
    seen = f", last seen {_ago(newest)}" if newest else ""
    return Finding("Workers", Health.WELL, f"{len(found)} running{seen}")


def _work() -> Finding:
    overdue = _count(Job.state == JobState.WAITING, Job.run_at < now() - LATE)
    failed = _count(Job.state == JobState.FAILED)
    waiting = _count(Job.state == JobState.WAITING)
    says = f"{waiting} waiting, {overdue} overdue, {failed} given up"
    if overdue or failed:
        step = "Overdue work needs a running worker." if overdue else "Look for the reasons in the worker's log."
        return Finding("Background work", Health.ATTENTION, says, step)
    return Finding("Background work", Health.WELL, says)


def _index() -> Finding:
    index = knowledge.index_health(visible_to=current_operator())
    if not index.published:
        return Finding("Search index", Health.WELL, "No article is published yet, so drafts have nothing to stand on.")
    searchable = index.published - index.waiting
    says = f"{searchable} of {index.published} published articles can be found"
    if index.waiting:
        return Finding("Search index", Health.ATTENTION, says, "The rest is indexed as soon as a worker runs.")
    if index.words_only and settings.embedder is not None:
        return Finding("Search index", Health.ATTENTION, f"{says}; {index.words_only} by words alone")
    return Finding("Search index", Health.WELL, says)


def _count(*conditions: object) -> int:
    ids = select(Job.id).where(*conditions).limit(COUNTED)  # type: ignore[arg-type]
    return session().scalar(select(func.count()).select_from(ids.subquery())) or 0


def _ago(moment: datetime) -> str:
    return f"{max(0, int((now() - moment).total_seconds()))} s ago"


def _named(behaviour: object) -> str:
    return type(behaviour).__name__

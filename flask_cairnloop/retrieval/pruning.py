"""Forgetting questions that are too old."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select

from flask_cairnloop.core import live
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.retrieval.models import GapEvent


def prune(limit: int = 1_000) -> int:
    """Delete up to ``limit`` gaps older than ``CAIRNLOOP_GAP_RETENTION_DAYS``, oldest first. Returns how many."""
    with transaction() as db:
        old = select(GapEvent.id).where(GapEvent.occurred_at < now() - _retention())
        chosen = old.order_by(GapEvent.occurred_at).limit(limit).with_for_update(skip_locked=True)
        tenants = db.scalars(delete(GapEvent).where(GapEvent.id.in_(chosen)).returning(GapEvent.tenant)).all()
        for tenant in set(tenants):
            live.changed(f"tenant:{tenant}", "gaps")
        return len(tenants)


def next_due() -> float | None:
    """In how many seconds the oldest gap is to be pruned, 0 where it is overdue; None where there is no gap."""
    oldest = session().scalar(select(func.min(GapEvent.occurred_at)))
    return None if oldest is None else max(0.0, (oldest + _retention() - now()).total_seconds())


def _retention() -> timedelta:
    return timedelta(days=settings.gap_retention_days)

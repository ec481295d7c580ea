"""The append-only log: who did what to which record, in ids, without personal text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, Index, insert
from sqlalchemy.orm import Mapped, mapped_column

from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import Base, session, table
from flask_cairnloop.host.auditor import NoAuditor
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.people import Actor


class AuditEvent(Base):
    """One thing that happened. The database refuses to change or delete it."""

    __tablename__ = "cairnloop_audit_events"
    __table_args__ = (
        Index("ix_cairnloop_audit_events_recent", "tenant", "id"),
        Index("ix_cairnloop_audit_events_conversation", "conversation_id", "id"),
        Index("ix_cairnloop_audit_events_actor", "tenant", "actor_id", "id"),
        Index("ix_cairnloop_audit_events_action", "tenant", "action", "id"),
        Index("ix_cairnloop_audit_events_subject", "subject", "subject_id", "id"),
        Index("ix_cairnloop_audit_events_at", "tenant", "at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tenant: Mapped[str]
    at: Mapped[datetime]
    #: Dotted, such as ``conversation.resolve``.
    action: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    conversation_id: Mapped[int | None]
    details: Mapped[dict[str, Any]]


def record(
    action: str,
    *,
    by: Actor,
    subject: str,
    subject_id: int,
    conversation_id: int | None = None,
    tenant: str = "",
    **details: Any,
) -> None:
    """Write one event into the current transaction, and let the host's ``Auditor`` add its own.

    ``details`` holds ids, enum words and counts only. Whatever the host's auditor raises undoes the change.
    """
    db = session()
    row = {"tenant": tenant, "at": now(), "action": action, "actor_kind": by.kind, "actor_id": by.id}
    row |= {
        "subject": subject,
        "subject_id": subject_id,
        "conversation_id": conversation_id,
        "details": details,
    }
    db.connection().execute(insert(table(AuditEvent)), row)
    auditor = settings.auditor
    if not isinstance(auditor, NoAuditor):
        metadata = {
            "subject": subject,
            "subject_id": subject_id,
            "conversation_id": conversation_id,
            **details,
        }
        with db.begin_nested():
            ask("auditor", auditor.audit, db, action, by, metadata)

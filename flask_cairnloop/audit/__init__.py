"""The one writer of what happened. Every verb records here, in the transaction of its change."""

from __future__ import annotations

from flask_cairnloop.audit.log import AuditEvent, record
from flask_cairnloop.audit.queries import AuditFilter, actions, list_events

__all__ = ["AuditEvent", "AuditFilter", "actions", "list_events", "record"]

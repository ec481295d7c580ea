"""GET /audit-log: what happened, and who did it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from flask import Blueprint, request, stream_with_context, url_for
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from flask_cairnloop import audit as log
from flask_cairnloop.audit import AuditFilter
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import HostFailure, InvalidInput
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.deeds import deed
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.host.auditor import Auditor, NoAuditor
from flask_cairnloop.host.boundary import ask

SIZE = 50  # rows of a page
BATCH = 500  # rows read at once for an export
EXPORTED = 100_000  # rows of one export, at most
HOSTS = 50  # of the host's own events
PARTS = ("actor", "action", "tool", "conversation", "proposal", "since", "until")  # of the filter, in the address
COLUMNS = ("id", "at", "action", "actor_kind", "actor_id", "subject", "subject_id", "conversation_id", "details")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/audit-log")(audit)
    blueprint.get("/audit-log.csv")(audit_csv)


def audit() -> Response:
    """The events, newest first, narrowed by the address."""
    operator = current_operator()
    asked, errors = _asked()
    before = whole(request.args, "before")
    found = log.list_events(asked, visible_to=operator, before=before, limit=SIZE + 1)
    kept: dict[str, Any] = {key: request.args[key] for key in PARTS if request.args.get(key)}
    following = url_for(".audit", **kept, before=found[SIZE - 1].id) if len(found) > SIZE else None
    return page(
        "audit/show.html",
        section="audit",
        status=422 if errors else 200,
        events=found[:SIZE],
        following=following,
        kept=kept,
        errors=errors,
        actions=sorted(log.actions(visible_to=operator), key=deed),
        tools=[tool.tool_spec() for tool in settings.tools],
        deed=deed,
        hosts=_hosts_events(),
    )


def audit_csv() -> Response:
    """The same events as a file; at most 100,000 rows."""
    asked, errors = _asked()
    if errors:
        raise InvalidInput(errors)
    name = f"audit-log-{now():%Y-%m-%d}.csv"
    response = FlaskResponse(stream_with_context(_rows(asked)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _rows(asked: AuditFilter) -> Iterator[str]:
    operator = current_operator()
    yield _line(COLUMNS)
    before: int | None = None
    for _ in range(EXPORTED // BATCH):
        found = log.list_events(asked, visible_to=operator, before=before, limit=BATCH)
        yield "".join(_line([getattr(event, column) for column in COLUMNS]) for event in found)
        if len(found) < BATCH:
            return
        before = found[-1].id
        session().rollback()


def _line(values: Sequence[Any]) -> str:
    """One line that a spreadsheet reads as text, whatever stands in it."""
    text = io.StringIO()
    csv.writer(text).writerow([_cell(value) for value in values])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "; ".join(f"{key}={each}" for key, each in value.items())
    words = str(value)
    return f"'{words}" if isinstance(value, str) and words.startswith(_FORMULA) else words


def _asked() -> tuple[AuditFilter, dict[str, str]]:
    """The filter of the address, and what is wrong with it."""
    errors: dict[str, str] = {}

    def number(key: str) -> int | None:
        try:
            return whole(request.args, key)
        except InvalidInput as fault:
            errors.update(fault.errors)
            return None

    def day(key: str) -> datetime | None:
        given = request.args.get(key, "").strip()
        try:
            return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC) if given else None
        except ValueError:
            errors[key] = "needs a day such as 2026-01-31"
            return None

    until = day("until")
    asked = AuditFilter(
        actor=request.args.get("actor", "").strip()[:255] or None,
        action=request.args.get("action", "").strip()[:100] or None,
        tool=request.args.get("tool", "").strip()[:100] or None,
        conversation_id=number("conversation"),
        proposal_id=number("proposal"),
        since=day("since"),
        until=until + timedelta(days=1) if until is not None and until.year < 9999 else until,
    )
    return asked, errors


def _hosts_events() -> Sequence[Mapping[str, Any]] | None:
    """The host's own events; empty where it keeps none, None where it could not say."""
    if isinstance(settings.auditor, NoAuditor):
        return ()
    try:
        return ask("auditor", _first, settings.auditor)
    except HostFailure:
        return None


def _first(auditor: Auditor) -> Sequence[Mapping[str, Any]]:
    """Read inside the call, as the answer may be a query that is still to be run."""
    found = auditor.list_events(limit=HOSTS, operator=current_operator())
    return [{str(key): value for key, value in dict(event).items()} for event in islice(found, HOSTS)]

"""Questions the knowledge base did not answer: recorded without what must not be kept, once a day each, and pruned."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, tuple_

from flask_cairnloop.conversations import Conversation, Message, MessageRole
from flask_cairnloop.core import live, telemetry
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import after_commit, session, transaction
from flask_cairnloop.core.errors import NotFound
from flask_cairnloop.host.people import Actor, Operator, System
from flask_cairnloop.retrieval.jobs import promise_pruning
from flask_cairnloop.retrieval.models import GapEvent, GapSource
from flask_cairnloop.retrieval.redaction import MARKER, redact
from flask_cairnloop.retrieval.results import Cause, Evidence, GroundingLevel, Trust
from flask_cairnloop.retrieval.summaries import beginning

QUESTION_LENGTH = 300  # characters kept
TITLE_LENGTH = 160
EXCERPT_LENGTH = 240
ID_LENGTH = 80
READ = 4_000  # characters looked at
PASSAGES = 5
REPEATED_WITHIN = timedelta(hours=24)
LONGEST = 200  # rows in one answer, at most

_WEAK = frozenset(GroundingLevel) - {GroundingLevel.STRONG}
_LACKING = frozenset(Cause) - {Cause.INDEX_UNAVAILABLE}  # a failure of the desk, not of its knowledge
Snapshot = Evidence | Mapping[str, Any]


def record_gap(
    question: str,
    *,
    source: GapSource,
    level: GroundingLevel,
    cause: Cause,
    evidence: Sequence[Snapshot],
    by: Actor,
    conversation_id: int | None = None,
) -> GapEvent | None:
    """Remember a question the knowledge base did not answer, in redacted words; returns what stands there now.

    The same question within 24 hours, of the same conversation (a draft's) or the same operator (a search's), is
    counted at the gap that is there. None where there is nothing to learn: the evidence was strong, the index could
    not be searched, or no word is left once the question is redacted. No question, however odd, raises.
    """
    if level not in _WEAK or cause not in _LACKING:
        return None
    with transaction():
        conversation = _conversation(conversation_id, by.tenant)
        names = [*_names(conversation), by.name]
        asked = _line(question, QUESTION_LENGTH, names)
        same = _fingerprint(asked)
        if same is None:
            return None
        gap = GapEvent(tenant=by.tenant, source=GapSource(source), level=GroundingLevel(level), cause=Cause(cause))
        gap.question, gap.fingerprint = asked, same
        gap.host_user_id = by.id if isinstance(by, Operator) else None
        gap.conversation_id = conversation.id if conversation is not None else None
        passages = [each.snapshot() if isinstance(each, Evidence) else each for each in evidence]
        gap.evidence = _passages(passages, names)
        gap.canonical_hits = _count(passages, Trust.CANONICAL)
        gap.assistive_hits = _count(passages, Trust.ASSISTIVE)
        return _keep(gap)


def list_gaps(*, visible_to: Operator | System, before: int | None = None, limit: int = 50) -> Sequence[GapEvent]:
    """The tenant's gaps, newest first: those before the gap ``before``, or the newest. At most 200."""
    query = select(GapEvent).where(GapEvent.tenant == visible_to.tenant)
    if before is not None:
        # Pruning takes the oldest first: where this one is gone, there are none before it.
        place = select(GapEvent.occurred_at, GapEvent.id).where(
            GapEvent.id == before, GapEvent.tenant == visible_to.tenant
        )
        query = query.where(tuple_(GapEvent.occurred_at, GapEvent.id) < place.scalar_subquery())
    ordered = query.order_by(GapEvent.occurred_at.desc(), GapEvent.id.desc())
    return session().scalars(ordered.limit(max(1, min(limit, LONGEST)))).all()


def get_gap(gap_id: int, *, visible_to: Operator | System) -> GapEvent:
    """One gap. Raises ``NotFound`` where there is none of the viewer's tenant."""
    found = session().scalars(select(GapEvent).where(GapEvent.id == gap_id, GapEvent.tenant == visible_to.tenant))
    gap = found.one_or_none()
    if gap is None:
        raise NotFound
    return gap


def _keep(gap: GapEvent) -> GapEvent:
    """Store it, or count it at the same one of this day; two at once become one."""
    db, moment = session(), now()
    draft = gap.source == GapSource.DRAFT and gap.conversation_id is not None
    who = GapEvent.conversation_id == gap.conversation_id if draft else GapEvent.host_user_id == gap.host_user_id
    key = f"gap:{gap.tenant}:{gap.source}:{gap.conversation_id if draft else gap.host_user_id}:{gap.fingerprint}"
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    known = db.scalars(
        select(GapEvent)
        .where(GapEvent.tenant == gap.tenant, GapEvent.fingerprint == gap.fingerprint, GapEvent.source == gap.source)
        .where(who, GapEvent.occurred_at >= moment - REPEATED_WITHIN)
        .order_by(GapEvent.occurred_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if known is not None:
        known.repeats += 1
        known.last_at = moment
    else:
        gap.occurred_at = gap.last_at = moment
        db.add(gap)
        after_commit(lambda: telemetry.count("cairnloop_gaps", source=gap.source, level=gap.level))
        promise_pruning()
    db.flush()
    live.changed(f"tenant:{gap.tenant}", "gaps")
    return known or gap


def _conversation(conversation_id: int | None, tenant: str) -> Conversation | None:
    if conversation_id is None:
        return None
    query = select(Conversation).where(Conversation.id == conversation_id, Conversation.tenant == tenant)
    return session().scalars(query).one_or_none()


def _names(conversation: Conversation | None) -> list[str | None]:
    """The customer's name and those of the operators who wrote to them."""
    if conversation is None:
        return []
    wrote = select(Message.author_name).where(
        Message.conversation_id == conversation.id, Message.role.in_([MessageRole.USER, MessageRole.AGENT])
    )
    return [conversation.customer_name, *session().scalars(wrote.distinct().limit(40))]


def _line(text: object, length: int, names: Iterable[str | None]) -> str:
    """One line without what must not be kept, cut between words."""
    known = redact(beginning(" ".join(str(text or "")[: 4 * READ].split()), READ), names=names)
    return beginning(" ".join(known.split()), length)


def _fingerprint(asked: str) -> str | None:
    """Equal for questions that differ in case and punctuation only; None where no word is left."""
    if not re.search(r"[^\W_]", MARKER.sub(" ", asked)):
        return None
    return hashlib.sha256(" ".join(re.findall(r"[^\W_]+", asked.casefold())).encode()).hexdigest()


def _passages(snapshots: Iterable[Mapping[str, Any]], names: Sequence[str | None]) -> list[dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = {}
    for snapshot in snapshots:
        if not isinstance(snapshot, Mapping) or len(kept) == PASSAGES:
            continue
        name = str(snapshot.get("id") or "").replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:ID_LENGTH]
        score = snapshot.get("score")
        fit = isinstance(score, int | float) and math.isfinite(score)
        kept.setdefault(
            name,
            {
                "id": name,
                "title": _line(snapshot.get("title"), TITLE_LENGTH, names),
                "excerpt": _line(snapshot.get("content") or snapshot.get("excerpt"), EXCERPT_LENGTH, names),
                "trust": _trust(snapshot),
                "score": round(float(score), 4) if fit and score is not None else 0.0,
            },
        )
    return list(kept.values())


def _trust(snapshot: Mapping[str, Any]) -> str:
    """What an unknown word says is never canon."""
    return (Trust.CANONICAL if snapshot.get("trust") == Trust.CANONICAL else Trust.ASSISTIVE).value


def _count(snapshots: Iterable[Mapping[str, Any]], trust: Trust) -> int:
    return sum(isinstance(each, Mapping) and _trust(each) == trust for each in snapshots)

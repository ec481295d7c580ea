"""Resolved cases: what past conversations taught, kept redacted and found beside the knowledge base, never as canon.

A case is written by the job ``index_case`` after a conversation was resolved, and removed in the transaction that
reopens it. ``jobs.promise_cases`` promises the job for chosen conversations, or for every resolved one without a case;
``without_vectors`` names the cases that the configured embedder has not seen; ``rebuild(CASES, embedder)`` of
``knowledge.rebuilding`` gives an embedder those it has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert

from flask_cairnloop import audit, conversations
from flask_cairnloop.conversations import Conversation, ConversationStatus, Message, MessageRole
from flask_cairnloop.core import live
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session, table, transaction
from flask_cairnloop.core.errors import HostFailure, NotFound
from flask_cairnloop.host.people import SYSTEM, Actor
from flask_cairnloop.knowledge import vectors
from flask_cairnloop.knowledge.embedding import embed
from flask_cairnloop.knowledge.rebuilding import Corpus
from flask_cairnloop.retrieval.models import CaseVector, ResolvedCase
from flask_cairnloop.retrieval.summaries import Summary, meaning, summarise

READ = 100  # messages of each side
LONGEST = 1_000  # rows in one answer, at most

#: Cases as a rebuild of vectors sees them: embedded by what was asked.
CASES = Corpus(vectors.CASES, ("subject", "problem"), lambda row: meaning(row.subject, row.problem))


@dataclass(frozen=True)
class Prepared:
    """A case ready to be stored; ``failure`` says why it has no vector."""

    conversation_id: int
    resolved_at: datetime
    summary: Summary
    model: str | None = None
    vector: Sequence[float] | None = None
    failure: HostFailure | None = None


def prepare(conversation_id: int) -> Prepared | None:
    """Sum a resolved conversation up and embed what was asked. Call it outside any transaction.

    None where it is open, was never resolved, or lacks a customer's question or an operator's answer.
    """
    with transaction() as db:
        conversation = db.get(Conversation, conversation_id, populate_existing=True)
        if conversation is None or not _is_settled(conversation) or conversation.resolved_at is None:
            return None
        summary = summarise(conversation, _thread(conversation_id))
        if summary is None:
            return None
        prepared = Prepared(conversation_id, conversation.resolved_at, summary)
        embedder = settings.embedder
        if embedder is None or _is_embedded(conversation_id, summary.digest, embedder.name):
            return prepared
    try:
        (vector,) = embed(embedder, [meaning(summary.subject, summary.problem)])
    except HostFailure as failure:
        return replace(prepared, failure=failure)
    return replace(prepared, model=embedder.name, vector=vector)


def store(prepared: Prepared) -> bool:
    """Write a case in the current transaction. Returns whether it was: not where the thread has moved on meanwhile."""
    try:
        conversation = conversations.lock(prepared.conversation_id, by=SYSTEM)
    except NotFound:
        return False
    if not _is_settled(conversation) or conversation.resolved_at != prepared.resolved_at:
        return False
    db, summary = session(), prepared.summary
    known = select(ResolvedCase.digest).where(ResolvedCase.conversation_id == conversation.id)
    fresh = db.scalar(known) != summary.digest
    values: dict[str, Any] = {name: getattr(summary, name) for name in Summary.__dataclass_fields__}
    values |= {"tenant": conversation.tenant, "host_user_id": conversation.host_user_id}
    values |= {"resolved_at": prepared.resolved_at, "updated_at": now()}
    row = insert(table(ResolvedCase)).values(conversation_id=conversation.id, created_at=now(), **values)
    written = row.on_conflict_do_update(index_elements=["conversation_id"], set_=values)
    case_id = db.execute(written.returning(table(ResolvedCase).c.id)).scalar_one()
    if fresh:
        db.execute(delete(CaseVector).where(CaseVector.case_id == case_id))
    if prepared.model is not None and prepared.vector is not None:
        _store_vector(case_id, prepared.model, prepared.vector)
    _record("case.index", case_id, conversation, SYSTEM)
    return True


def remove(conversation: Conversation, *, by: Actor) -> bool:
    """Forget the case of a locked conversation, in the current transaction. Returns whether there was one."""
    gone = delete(ResolvedCase).where(ResolvedCase.conversation_id == conversation.id).returning(ResolvedCase.id)
    case_id = session().execute(gone.execution_options(synchronize_session=False)).scalar()
    if case_id is None:
        return False
    _record("case.remove", case_id, conversation, by)
    return True


def lacking(after: int = 0, limit: int = 500) -> Sequence[int]:
    """Ids above ``after`` of resolved conversations without a case, in order."""
    query = (
        select(Conversation.id)
        .where(Conversation.id > after, Conversation.resolved_at.is_not(None))
        .where(Conversation.status != ConversationStatus.OPEN)
        .where(~exists().where(ResolvedCase.conversation_id == Conversation.id))
    )
    return session().scalars(query.order_by(Conversation.id).limit(max(1, min(limit, LONGEST)))).all()


def without_vectors(limit: int = 500) -> Sequence[int]:
    """Conversations whose case is found by words alone although an embedder is configured, oldest first."""
    if settings.embedder is None:
        return []
    query = select(ResolvedCase.conversation_id).where(~_embedded_by(settings.embedder.name)).order_by(ResolvedCase.id)
    return session().scalars(query.limit(max(1, min(limit, LONGEST)))).all()


def _is_settled(conversation: Conversation) -> bool:
    return conversation.status != ConversationStatus.OPEN and conversation.resolved_at is not None


def _thread(conversation_id: int) -> list[Message]:
    """How the thread began on the customer's side and ended on the desk's, in order; never an internal note."""
    messages: list[Message] = []
    for role, order in ((MessageRole.USER, Message.sequence), (MessageRole.AGENT, Message.sequence.desc())):
        of_role = select(Message).where(Message.conversation_id == conversation_id, Message.role == role)
        messages += session().scalars(of_role.order_by(order).limit(READ))
    return sorted(messages, key=lambda message: message.sequence)


def _is_embedded(conversation_id: int, digest: str, model: str) -> bool:
    same = select(ResolvedCase.id).where(
        ResolvedCase.conversation_id == conversation_id, ResolvedCase.digest == digest, _embedded_by(model)
    )
    return session().scalar(same) is not None


def _embedded_by(model: str) -> Any:
    return exists().where(CaseVector.case_id == ResolvedCase.id, CaseVector.model == model)


def _store_vector(case_id: int, model: str, vector: Sequence[float]) -> None:
    put = insert(CaseVector).values(case_id=case_id, model=model, embedding=vector)
    session().execute(
        put.on_conflict_do_update(index_elements=["case_id", "model"], set_={"embedding": put.excluded.embedding})
    )


def _record(action: str, case_id: int, conversation: Conversation, by: Actor) -> None:
    tenant = conversation.tenant
    audit.record(action, by=by, subject="case", subject_id=case_id, conversation_id=conversation.id, tenant=tenant)
    live.changed(f"tenant:{conversation.tenant}", "settings")

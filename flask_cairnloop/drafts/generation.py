"""From a customer's unanswered messages to a draft, exactly one per job."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import select

from flask_cairnloop import audit, conversations
from flask_cairnloop.conversations import Conversation, Message, MessageRole
from flask_cairnloop.conversations.news import announce
from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import after_commit, session, transaction
from flask_cairnloop.drafts.composing import Composed, compose
from flask_cairnloop.drafts.decisions import send_as_it_stands, supersede_pending
from flask_cairnloop.drafts.models import Draft
from flask_cairnloop.drafts.policy import decide
from flask_cairnloop.drafts.views import ConversationView, awaits_answer, read
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.people import SYSTEM, System
from flask_cairnloop.retrieval import ground
from flask_cairnloop.signals import draft_created, emit

TYPING = 15.0  # seconds an operator counts as typing after the last keystroke


def generate(conversation_id: int, *, settle: Callable[[], None] = lambda: None) -> Draft | None:
    """Draft an answer to what the customer wrote since the last one. Returns the draft that was kept, if any.

    Searching, composing and the host's policy run outside any transaction. The last transaction locks the conversation
    and keeps the draft only if it still answers the newest message; ``settle`` runs inside it in every case.
    """
    with telemetry.span("draft.generate"):
        view = read(conversation_id)
        if view is None:
            with transaction():
                settle()
            return None
        composed = compose(view, ground(view.question, visible_to=System(tenant=view.tenant)))
        decision = decide(view, composed)
        with transaction():
            draft = _keep(view, composed, decision)
            settle()
        return draft


def _keep(view: ConversationView, composed: Composed, decision: Decision) -> Draft | None:
    conversation = conversations.lock(view.id, by=SYSTEM)
    if not _still_fits(conversation, view):
        _count("stale")
        return None
    if decision == Decision.DENY:
        _record("draft.deny", view, subject="conversation", subject_id=view.id)
        _count("denied")
        return None
    supersede_pending(view.id, by=SYSTEM)
    conversation.updated_at = now()
    sent = decision == Decision.ALLOW and bool(composed.body) and not _person_is_at_it(conversation, view)
    if decision == Decision.ALLOW and not sent:
        decision = Decision.REQUIRE_APPROVAL
    draft = _store(view, composed, decision)
    if sent:
        send_as_it_stands(draft, conversation, by=SYSTEM)
    _count("sent" if sent else "pending")
    return draft


def _still_fits(conversation: Conversation, view: ConversationView) -> bool:
    """Whether the conversation still waits, for an answer to the same message, and none was drafted for it yet."""
    if not awaits_answer(conversation):
        return False
    unanswered = conversations.unanswered(view.id)
    if not unanswered or unanswered[-1].sequence != view.answers_sequence:
        return False
    known = select(Draft.id).where(Draft.conversation_id == view.id, Draft.answers_sequence == view.answers_sequence)
    return session().execute(known.limit(1)).first() is None


def _person_is_at_it(conversation: Conversation, view: ConversationView) -> bool:
    """Whether an operator is typing, or has said anything since the question, if only in a note."""
    typing = conversation.operator_typing_at
    if typing is not None and (now() - typing).total_seconds() < TYPING:
        return True
    since = select(Message.id).where(
        Message.conversation_id == view.id,
        Message.sequence > view.answers_sequence,
        Message.role != MessageRole.USER,
    )
    return session().execute(since.limit(1)).first() is not None


def _store(view: ConversationView, composed: Composed, decision: Decision) -> Draft:
    proposal, grounding = composed.proposal, composed.grounding
    draft = Draft(
        tenant=view.tenant,
        conversation_id=view.id,
        kind=proposal.kind,
        decision=decision,
        body=composed.body,
        sentences=composed.sentences,
        evidence=[each.snapshot() for each in grounding.evidence],
        grounding=grounding.snapshot(),
        confidence=proposal.confidence,
        summary=proposal.summary,
        missing=proposal.missing,
        generator=composed.generator,
        note=composed.note,
        answers_sequence=view.answers_sequence,
    )
    db = session()
    db.add(draft)
    db.flush()
    words = {"kind": draft.kind, "decision": decision, "grounding": grounding.level}
    _record("draft.create", view, subject="draft", subject_id=draft.id, words=words)
    emit(draft_created, draft=draft, conversation_id=view.id, actor=SYSTEM)
    announce(view.id, view.tenant, "draft")
    return draft


def _record(
    action: str, view: ConversationView, *, subject: str, subject_id: int, words: Mapping[str, str] | None = None
) -> None:
    audit.record(
        action,
        by=SYSTEM,
        subject=subject,
        subject_id=subject_id,
        conversation_id=view.id,
        tenant=view.tenant,
        **(words or {}),
    )


def _count(outcome: str) -> None:
    after_commit(lambda: telemetry.count("cairnloop_drafts", outcome=outcome))

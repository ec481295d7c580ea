"""From a customer's unanswered messages to a draft, exactly one per job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from flask_cairnloop import audit, conversations
from flask_cairnloop.conversations import Conversation, Message, MessageRole
from flask_cairnloop.conversations.news import announce
from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import after_commit, session, transaction
from flask_cairnloop.drafts.composing import Composed, compose
from flask_cairnloop.drafts.decisions import send_as_it_stands, supersede_pending
from flask_cairnloop.drafts.engines.extractive import escalation
from flask_cairnloop.drafts.models import Draft
from flask_cairnloop.drafts.policy import decide
from flask_cairnloop.drafts.views import ConversationView, awaits_answer, read
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.draft_generator import DraftKind
from flask_cairnloop.host.people import SYSTEM, System
from flask_cairnloop.retrieval import ground
from flask_cairnloop.retrieval.results import Cause, Grounding, GroundingLevel
from flask_cairnloop.signals import draft_created, draft_denied, emit

TYPING = 15.0  # seconds an operator counts as typing after the last keystroke
ASKED_TWICE = "The customer was asked back already."


@dataclass(frozen=True)
class Request:
    """An operator's wish for another draft: one newer than ``after``, the newest there was when they asked."""

    by: str | None = None
    after: int = 0


def generate(
    conversation_id: int, *, request: Request | None = None, settle: Callable[[], None] = lambda: None
) -> Draft | None:
    """Draft an answer to what the customer wrote since the last one. Returns the draft that was kept, if any.

    Searching, composing and the host's policy run outside any transaction. The last transaction locks the conversation
    and keeps the draft only if it still answers the newest message, one for each message and each ``request``;
    ``settle`` runs inside it in every case. A draft that an operator asked for is never sent without them.
    """
    request = request or Request()
    with telemetry.span("draft.generate"):
        view = read(conversation_id)
        if view is None:
            with transaction():
                settle()
                announce(conversation_id, "", "draft", lists=False)
            return None
        composed = _once_back(view, compose(view, ground(view.question, visible_to=System(tenant=view.tenant))))
        decision = decide(view, composed)
        with transaction():
            draft = _keep(view, composed, decision, request)
            settle()
            announce(conversation_id, view.tenant, "draft", lists=False)
        return draft


def _once_back(view: ConversationView, composed: Composed) -> Composed:
    """Whoever composed it: a customer is asked back once, then a person is needed."""
    if not (view.just_clarified and composed.proposal.kind == DraftKind.CLARIFICATION):
        return composed
    judged = replace(
        composed.grounding,
        level=GroundingLevel.ESCALATION,
        cause=Cause.CLARIFICATION_LIMIT_REACHED,
        reason=ASKED_TWICE,
    )
    return Composed(escalation(judged), "", judged, composed.generator, composed.note)


def _keep(view: ConversationView, composed: Composed, decision: Decision, request: Request) -> Draft | None:
    conversation = conversations.lock(view.id, by=SYSTEM)
    if not _still_fits(conversation, view, request):
        _count("stale")
        return None
    if decision == Decision.DENY:
        _deny(view, composed.grounding)
        return None
    supersede_pending(view.id, by=SYSTEM)
    conversation.updated_at = now()
    sent = decision == Decision.ALLOW and request.by is None and _may_be_sent(conversation, view)
    draft = _build(view, composed, decision, request)
    sent = sent and draft.is_for_customer and draft.is_supported
    if decision == Decision.ALLOW and not sent:
        draft.decision = Decision.REQUIRE_APPROVAL
    _store(draft, view)
    if sent:
        send_as_it_stands(draft, conversation, by=SYSTEM)
    _count("sent" if sent else "pending")
    return draft


def _deny(view: ConversationView, grounding: Grounding) -> None:
    """Keep nothing but the fact: the audit log, a number, and word to whoever collects unanswered questions."""
    _record("draft.deny", view, subject="conversation", subject_id=view.id, words={"grounding": grounding.level})
    emit(
        draft_denied,
        conversation_id=view.id,
        tenant=view.tenant,
        actor=SYSTEM,
        grounding=grounding.snapshot(),
        evidence=[each.snapshot() for each in grounding.evidence],
    )
    _count("denied")


def _still_fits(conversation: Conversation, view: ConversationView, request: Request) -> bool:
    """Whether the conversation still waits, for an answer to the same message, and none was drafted for it yet."""
    if not awaits_answer(conversation):
        return False
    unanswered = conversations.unanswered(view.id)
    if not unanswered or unanswered[-1].sequence != view.answers_sequence:
        return False
    known = select(Draft.id).where(Draft.conversation_id == view.id, Draft.answers_sequence == view.answers_sequence)
    return session().execute(known.where(Draft.id > request.after).limit(1)).first() is None


def _may_be_sent(conversation: Conversation, view: ConversationView) -> bool:
    """Whether a machine may write: the customer wants no person, and none is at it."""
    return conversation.handed_over_at is None and not _person_is_at_it(conversation, view)


def _person_is_at_it(conversation: Conversation, view: ConversationView) -> bool:
    """Whether an operator is typing, or has said anything since the question, if only in a note."""
    typing = conversation.operator_typing_at
    if typing is not None and (now() - typing).total_seconds() < TYPING:
        return True
    since = select(Message.id).where(
        Message.conversation_id == view.id,
        Message.sequence > view.asks_sequence,
        Message.role.not_in([MessageRole.USER, MessageRole.SYSTEM]),
    )
    return session().execute(since.limit(1)).first() is not None


def _build(view: ConversationView, composed: Composed, decision: Decision, request: Request) -> Draft:
    proposal, grounding = composed.proposal, composed.grounding
    return Draft(
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
        requested_by=request.by,
    )


def _store(draft: Draft, view: ConversationView) -> None:
    db = session()
    db.add(draft)
    db.flush()
    words = {"kind": draft.kind, "decision": draft.decision, "grounding": draft.grounding["level"]}
    _record("draft.create", view, subject="draft", subject_id=draft.id, words=words)
    emit(draft_created, draft=draft, conversation_id=view.id, actor=SYSTEM)
    announce(view.id, view.tenant, "draft")


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

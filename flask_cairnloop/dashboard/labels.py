"""The words, tone and icon of every status: one table for all screens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flask_cairnloop.conversations import (
    Awaiting,
    Channel,
    ConversationStatus,
    InboxSort,
    InboxView,
    MessageRole,
    Priority,
    ShownStatus,
)
from flask_cairnloop.core.jobs import JobState
from flask_cairnloop.drafts import DraftStatus
from flask_cairnloop.governance import ActionEventType, ApprovalStatus, Origin, ProposalStatus
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.draft_generator import DraftKind
from flask_cairnloop.host.tool import ApprovalMode, RiskTier
from flask_cairnloop.knowledge import ArticleStatus, RevisionStatus
from flask_cairnloop.knowledge.changes import ChangeKind
from flask_cairnloop.retrieval.models import GapSource
from flask_cairnloop.retrieval.results import Cause, GroundingLevel, Reason, Trust


class Tone(StrEnum):
    """What a colour means; each is a class ``cl-tone-…``."""

    NEUTRAL = "neutral"
    OK = "ok"
    INFO = "info"
    WARN = "warn"
    BAD = "bad"
    AI = "ai"
    NOTE = "note"


class Theme(StrEnum):
    """Light, dark, or as the operator's system has it."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Health(StrEnum):
    """How one part of the desk is doing."""

    WELL = "well"
    ATTENTION = "attention"
    DOWN = "down"


class Freshness(StrEnum):
    """What search makes of a published article."""

    SEARCHABLE = "searchable"
    WAITING = "waiting"
    WORDS_ONLY = "words_only"
    FAILED = "failed"


class Mark(StrEnum):
    """What a conversation, a message or a sentence carries besides its status."""

    HANDED_OVER = "handed_over"
    AUTOMATIC = "automatic"
    DOUBTED = "doubted"
    ON_ITS_WAY = "on_its_way"
    APPROVAL = "approval"


@dataclass(frozen=True)
class Label:
    """How a value is shown. ``icon`` names a symbol of the sprite; ``hint`` explains the word."""

    word: str
    tone: Tone = Tone.NEUTRAL
    icon: str = ""
    hint: str = ""


LABELS: dict[type[StrEnum], dict[StrEnum, Label]] = {
    ShownStatus: {
        ShownStatus.NEW: Label("New", Tone.INFO, "dot", "No operator has answered yet"),
        ShownStatus.OPEN: Label("Open", Tone.INFO, "ring", "The customer wrote last"),
        ShownStatus.AWAITING_CUSTOMER: Label("Awaiting customer", Tone.NEUTRAL, "clock", "An operator wrote last"),
        ShownStatus.RESOLVED: Label("Resolved", Tone.OK, "check"),
        ShownStatus.ARCHIVED: Label("Archived", Tone.NEUTRAL, "archive"),
    },
    ConversationStatus: {
        ConversationStatus.OPEN: Label("Open", Tone.INFO, "ring"),
        ConversationStatus.RESOLVED: Label("Resolved", Tone.OK, "check"),
        ConversationStatus.ARCHIVED: Label("Archived", Tone.NEUTRAL, "archive"),
    },
    Awaiting: {
        Awaiting.OPERATOR: Label("Needs a reply", Tone.INFO, "ring"),
        Awaiting.CUSTOMER: Label("Awaiting customer", Tone.NEUTRAL, "clock"),
    },
    Priority: {
        Priority.LOW: Label("Low", Tone.NEUTRAL, "down", "Low priority"),
        Priority.NORMAL: Label("Normal", Tone.NEUTRAL, "minus", "Normal priority"),
        Priority.HIGH: Label("High", Tone.WARN, "up", "High priority"),
        Priority.URGENT: Label("Urgent", Tone.BAD, "urgent", "Urgent"),
    },
    Channel: {
        Channel.WIDGET: Label("Chat", icon="inbox"),
        Channel.API: Label("API", icon="globe"),
        Channel.EMAIL: Label("E-mail", icon="send"),
    },
    MessageRole: {
        MessageRole.USER: Label("Customer", icon="person"),
        MessageRole.AGENT: Label("Operator", icon="person"),
        MessageRole.SYSTEM: Label("Support desk", icon="info"),
        MessageRole.INTERNAL_NOTE: Label("Internal note", Tone.NOTE, "lock", "Only operators see this"),
        MessageRole.SYSTEM_OUTBOUND: Label("Follow-up", Tone.INFO, "send"),
    },
    InboxView: {
        InboxView.NEEDS_REPLY: Label("Needs reply"),
        InboxView.RESOLVED: Label("Resolved"),
        InboxView.ALL: Label("All"),
    },
    InboxSort: {
        InboxSort.NEWEST: Label("Newest first"),
        InboxSort.OLDEST: Label("Oldest first"),
    },
    DraftKind: {
        DraftKind.REPLY: Label("Draft reply", Tone.AI, "spark"),
        DraftKind.CLARIFICATION: Label("Question to the customer", Tone.AI, "question"),
        DraftKind.ESCALATION: Label("Needs a person", Tone.WARN, "person"),
    },
    DraftStatus: {
        DraftStatus.PENDING: Label("Needs your approval", Tone.AI, "clock"),
        DraftStatus.APPROVED: Label("Sent as drafted", Tone.OK, "check"),
        DraftStatus.EDITED: Label("Sent in an operator's words", Tone.OK, "pencil"),
        DraftStatus.DISCARDED: Label("Discarded", Tone.NEUTRAL, "close"),
        DraftStatus.SUPERSEDED: Label("Overtaken", Tone.NEUTRAL, "archive"),
    },
    Decision: {
        Decision.ALLOW: Label("May be sent without a person", Tone.WARN, "send"),
        Decision.DRAFT_ONLY: Label("Shown when asked for", Tone.NEUTRAL, "spark"),
        Decision.REQUIRE_APPROVAL: Label("Needs your approval", Tone.AI, "clock"),
        Decision.DENY: Label("Not allowed by policy", Tone.BAD, "close"),
    },
    GroundingLevel: {
        GroundingLevel.STRONG: Label("Well supported", Tone.OK, "check"),
        GroundingLevel.CLARIFICATION: Label("Partly supported", Tone.WARN, "question"),
        GroundingLevel.ESCALATION: Label("Not supported", Tone.BAD, "warning"),
    },
    Trust: {
        Trust.CANONICAL: Label("Published article", Tone.OK, "book"),
        Trust.ASSISTIVE: Label("Resolved case", Tone.NEUTRAL, "archive", "May help you; a reply never rests on it"),
    },
    Reason: {
        Reason.WORDS: Label("Same words"),
        Reason.MEANING: Label("Close in meaning"),
        Reason.WORDS_ONLY: Label("Words only", hint="Meaning could not be compared"),
    },
    ArticleStatus: {
        ArticleStatus.DRAFT: Label("Draft", Tone.NEUTRAL, "pencil"),
        ArticleStatus.PUBLISHED: Label("Published", Tone.OK, "check"),
        ArticleStatus.ARCHIVED: Label("Archived", Tone.NEUTRAL, "archive"),
    },
    RevisionStatus: {
        RevisionStatus.DRAFT: Label("Being written", Tone.NEUTRAL, "pencil"),
        RevisionStatus.PUBLISHED: Label("Live", Tone.OK, "check"),
        RevisionStatus.SUPERSEDED: Label("Replaced", Tone.NEUTRAL, "archive"),
    },
    ChangeKind: {
        ChangeKind.SAME: Label("Unchanged"),
        ChangeKind.ADDED: Label("Added", Tone.OK, "plus"),
        ChangeKind.REMOVED: Label("Removed", Tone.BAD, "minus"),
        ChangeKind.FOLDED: Label("Unchanged"),
    },
    Freshness: {
        Freshness.SEARCHABLE: Label("Searchable", Tone.OK, "check", "Search and drafts use the live version"),
        Freshness.WAITING: Label("Not searchable yet", Tone.WARN, "clock", "The live version waits to be indexed"),
        Freshness.WORDS_ONLY: Label("Found by words only", Tone.WARN, "warning", "Its meaning could not be indexed"),
        Freshness.FAILED: Label("Indexing failed", Tone.BAD, "warning", "Search does not show the live version"),
    },
    GapSource: {
        GapSource.DRAFT: Label("A customer asked", icon="person"),
        GapSource.SEARCH: Label("An operator searched", icon="question"),
    },
    Cause: {
        Cause.CANONICAL_RESULTS: Label("Articles answer this"),
        Cause.CANONICAL_INSUFFICIENT_DETAIL: Label("Articles touch this without answering it"),
        Cause.NO_CANONICAL_RESULTS: Label("No article is about this"),
        Cause.ASSISTIVE_ONLY_RESULTS: Label("Only past cases are about this"),
        Cause.CLARIFICATION_LIMIT_REACHED: Label("The customer was asked back, and it was still unclear"),
        Cause.INDEX_UNAVAILABLE: Label("The knowledge base could not be searched just then"),
    },
    ProposalStatus: {
        ProposalStatus.PROPOSED: Label("Proposed", Tone.INFO, "ring"),
        ProposalStatus.NEEDS_INPUT: Label("Needs input", Tone.WARN, "pencil"),
        ProposalStatus.SCOPE_INVALID: Label("Not available here", Tone.BAD, "lock", "Its proposer lacks a scope"),
        ProposalStatus.POLICY_DENIED: Label("Blocked by policy", Tone.BAD, "close"),
    },
    ApprovalStatus: {
        ApprovalStatus.PENDING: Label("Pending approval", Tone.WARN, "clock"),
        ApprovalStatus.DEFERRED: Label("Deferred", Tone.NEUTRAL, "clock"),
        ApprovalStatus.APPROVED: Label("Approved", Tone.INFO, "check", "It is checked once more, then it runs"),
        ApprovalStatus.EXECUTION_PENDING: Label("Running", Tone.INFO, "ring"),
        ApprovalStatus.EXECUTED: Label("Action completed", Tone.OK, "check"),
        ApprovalStatus.EXECUTION_FAILED: Label("Action failed", Tone.BAD, "warning"),
        ApprovalStatus.OUTCOME_UNKNOWN: Label("Outcome unknown", Tone.BAD, "question", "Somebody has to find out"),
        ApprovalStatus.REJECTED: Label("Rejected", Tone.NEUTRAL, "close"),
        ApprovalStatus.EXPIRED: Label("Expired", Tone.NEUTRAL, "clock"),
        ApprovalStatus.INVALIDATED: Label("No longer valid", Tone.BAD, "close", "What was approved has changed"),
        ApprovalStatus.WITHDRAWN: Label("Withdrawn", Tone.NEUTRAL, "back"),
    },
    RiskTier: {
        RiskTier.READ_ONLY: Label("Looks up", Tone.NEUTRAL, "search", "Changes nothing"),
        RiskTier.LOW_WRITE: Label("Low risk", Tone.INFO, "bolt", "Easily put right"),
        RiskTier.HIGH_WRITE: Label("High risk", Tone.WARN, "bolt", "Costs money or trust"),
        RiskTier.DESTRUCTIVE: Label("Cannot be undone", Tone.BAD, "urgent"),
    },
    ApprovalMode: {
        ApprovalMode.AUTO: Label("Runs at once"),
        ApprovalMode.REQUIRES_APPROVAL: Label("Needs approval"),
        ApprovalMode.ALWAYS_BLOCK: Label("Never runs"),
    },
    Origin: {
        Origin.OPERATOR: Label("An operator"),
        Origin.ASSISTANT: Label("An assistant"),
        Origin.HOST: Label("Your app"),
    },
    ActionEventType: {
        ActionEventType.PROPOSAL_CREATED: Label("Proposed", icon="bolt"),
        ActionEventType.PROPOSAL_BLOCKED: Label("Blocked", Tone.BAD, "close"),
        ActionEventType.APPROVAL_REQUESTED: Label("Approval asked for", icon="clock"),
        ActionEventType.APPROVED: Label("Approved", Tone.OK, "check"),
        ActionEventType.REJECTED: Label("Rejected", icon="close"),
        ActionEventType.DEFERRED: Label("Deferred", icon="clock"),
        ActionEventType.RETURNED: Label("Came back", icon="clock"),
        ActionEventType.WITHDRAWN: Label("Withdrawn", icon="back"),
        ActionEventType.EXPIRED: Label("Expired", icon="clock"),
        ActionEventType.REVALIDATION_PASSED: Label("Checked again", Tone.OK, "check"),
        ActionEventType.REVALIDATION_FAILED: Label("No longer valid", Tone.BAD, "close"),
        ActionEventType.EXECUTION_STARTED: Label("Begun", icon="ring"),
        ActionEventType.EXECUTION_ATTEMPT_FAILED: Label("Failed, to be tried again", Tone.WARN, "warning"),
        ActionEventType.EXECUTION_SUCCEEDED: Label("Action completed", Tone.OK, "check"),
        ActionEventType.EXECUTION_FAILED: Label("Action failed", Tone.BAD, "warning"),
        ActionEventType.OUTCOME_LOST: Label("Outcome lost", Tone.BAD, "question"),
        ActionEventType.SETTLED: Label("Settled by hand", Tone.OK, "pencil"),
    },
    Mark: {
        Mark.HANDED_OVER: Label("Asked for a person", Tone.WARN, "person", "Nothing is sent to them automatically"),
        Mark.AUTOMATIC: Label("Sent automatically", Tone.AI, "spark", "The policy let it go without an operator"),
        Mark.DOUBTED: Label("Check before sending", Tone.WARN, "warning", "Its evidence does not carry every sentence"),
        Mark.ON_ITS_WAY: Label("A draft is on its way", Tone.AI, "clock"),
        Mark.APPROVAL: Label("Approval waiting", Tone.WARN, "shield", "An action waits for a person"),
    },
    JobState: {
        JobState.WAITING: Label("Waiting", Tone.NEUTRAL, "clock"),
        JobState.RUNNING: Label("Running", Tone.INFO, "ring"),
        JobState.DONE: Label("Done", Tone.OK, "check"),
        JobState.FAILED: Label("Failed", Tone.BAD, "warning"),
    },
    Theme: {
        Theme.SYSTEM: Label("System", icon="screen"),
        Theme.LIGHT: Label("Light", icon="sun"),
        Theme.DARK: Label("Dark", icon="moon"),
    },
    Health: {
        Health.WELL: Label("Working", Tone.OK, "check"),
        Health.ATTENTION: Label("Needs attention", Tone.WARN, "warning"),
        Health.DOWN: Label("Down", Tone.BAD, "close"),
    },
}


def label(value: StrEnum) -> Label:
    """How ``value`` is shown."""
    return LABELS[type(value)][value]

"""What retrieval answers: passages with their source, and the judgement on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Trust(StrEnum):
    """How far a passage can be relied on."""

    CANONICAL = "canonical"  #: From a published article: a reply may stand on it.
    ASSISTIVE = "assistive"  #: From a resolved case: it may help an operator, never carry a reply.


class GroundingLevel(StrEnum):
    """What the evidence allows."""

    STRONG = "strong"  #: Answer.
    CLARIFICATION = "clarification"  #: Ask one question back.
    ESCALATION = "escalation"  #: A person is needed.


class Cause(StrEnum):
    """Why the evidence was judged as it was; a closed set, for telemetry and for gaps."""

    CANONICAL_RESULTS = "canonical_results"
    CANONICAL_INSUFFICIENT_DETAIL = "canonical_insufficient_detail"
    NO_CANONICAL_RESULTS = "no_canonical_results"
    ASSISTIVE_ONLY_RESULTS = "assistive_only_results"
    CLARIFICATION_LIMIT_REACHED = "clarification_limit_reached"
    INDEX_UNAVAILABLE = "index_unavailable"


class Reason(StrEnum):
    """Why a passage was found, or what the search had to do without."""

    WORDS = "words"  #: It shares words with the question.
    MEANING = "meaning"  #: It is close to the question in meaning.
    WORDS_ONLY = "words_only"  #: Meaning could not be compared: no embedder, or it failed.


@dataclass(frozen=True)
class Evidence:
    """One retrieved passage. ``id`` is what a draft's sentences cite."""

    id: str
    title: str
    heading: str
    content: str
    trust: Trust
    score: float
    article_id: int | None
    revision_id: int | None
    chunk_id: int | None
    updated_at: datetime
    reasons: tuple[Reason, ...]
    lexical_rank: int | None
    semantic_rank: int | None
    #: Cosine between the question and the passage; None where it was not compared.
    similarity: float | None
    #: How well this passage alone carries an answer, 0 to 1; set by grounding.
    support: float | None = None
    #: The resolved conversation an assistive passage comes from.
    conversation_id: int | None = None

    @property
    def source(self) -> str:
        """What it is a passage of: equal for passages of one article, or of one case."""
        return f"article:{self.article_id}" if self.article_id is not None else f"case:{self.conversation_id}"

    def snapshot(self) -> dict[str, Any]:
        """Itself as JSON, to be kept with what was decided by it."""
        return asdict(self) | {"updated_at": self.updated_at.isoformat(), "reasons": list(self.reasons)}

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> Evidence:
        """Itself from its snapshot."""
        values = dict(snapshot)
        values["trust"] = Trust(values["trust"])
        values["updated_at"] = datetime.fromisoformat(values["updated_at"])
        values["reasons"] = tuple(Reason(reason) for reason in values["reasons"])
        return cls(**values)


@dataclass(frozen=True)
class Grounding:
    """The judged evidence for one question, best first. ``reason`` tells an operator how it was judged."""

    question: str
    level: GroundingLevel
    score: float
    evidence: tuple[Evidence, ...]
    cause: Cause
    reason: str
    #: Similar resolved cases, best first: they help an operator and carry no reply.
    similar: tuple[Evidence, ...] = ()

    def snapshot(self) -> dict[str, Any]:
        """The judgement as JSON, without the evidence."""
        return {
            "question": self.question,
            "level": self.level.value,
            "score": round(self.score, 4),
            "cause": self.cause.value,
            "reason": self.reason,
        }

"""Who composes a reply?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask_cairnloop.drafts import ConversationView
    from flask_cairnloop.retrieval import Grounding


class DraftKind(StrEnum):
    """What a draft is for."""

    REPLY = "reply"  #: An answer, each sentence with its evidence.
    CLARIFICATION = "clarification"  #: One question back to the customer.
    ESCALATION = "escalation"  #: A word to the operator: this needs a person. Never sent to a customer.


@dataclass(frozen=True)
class Sentence:
    """One sentence of a draft and the ids of the evidence it stands on; courtesies stand on none."""

    text: str
    evidence_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class DraftProposal:
    """What a generator proposes. ``confidence`` is between 0 and 1; ``missing`` says what the evidence lacked."""

    kind: DraftKind
    sentences: tuple[Sentence, ...]
    summary: str = ""
    confidence: float = 0.0
    missing: str = ""
    #: Who composed it, where that is not the generator itself.
    composer: str = ""


class DraftGenerator(ABC):
    """Composes a reply from the conversation and the judged evidence. The default needs no key and no network."""

    @abstractmethod
    def generate_draft(self, conversation: ConversationView, grounding: Grounding) -> DraftProposal:
        """A proposal that cites only evidence of ``grounding``. Raise ``HostFailure`` to fall back to the default."""

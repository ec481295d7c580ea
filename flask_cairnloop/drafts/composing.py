"""Ask the generator for a proposal, check it, and fall back to quoting where it fails."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure, InvalidInput
from flask_cairnloop.core.text import clean
from flask_cairnloop.drafts import claims
from flask_cairnloop.drafts.claims import Verdict
from flask_cairnloop.drafts.engines.extractive import ExtractiveGenerator
from flask_cairnloop.drafts.views import ConversationView
from flask_cairnloop.drafts.wording import lay_out
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.draft_generator import DraftKind, DraftProposal, Sentence
from flask_cairnloop.retrieval.results import Cause, Grounding, GroundingLevel

BODY_LENGTH = 8_000
NOTE_LENGTH = 300
NAME_LENGTH = 200
ASKED_ALREADY = "The customer's answer to our question did not settle what is meant."


@dataclass(frozen=True)
class Composed:
    """A checked proposal, its text, who composed it, and a ``note`` where the chosen generator was replaced."""

    proposal: DraftProposal
    body: str
    grounding: Grounding
    generator: str
    note: str | None = None
    #: The claim gate's word on each sentence.
    verdicts: tuple[Verdict, ...] = ()

    @property
    def sentences(self) -> list[dict[str, Any]]:
        """The sentences as a draft stores them; ``doubt`` says what of one its evidence does not carry."""
        return [
            {
                "text": each.text,
                "evidence": list(each.evidence_ids),
                "supported": verdict.is_supported,
                "doubt": verdict.doubt,
            }
            for each, verdict in zip(self.proposal.sentences, self.verdicts, strict=True)
        ]

    @property
    def is_supported(self) -> bool:
        """Whether its evidence carries every sentence; only then may it be sent without being rewritten."""
        return all(verdict.is_supported for verdict in self.verdicts)


def compose(view: ConversationView, grounding: Grounding) -> Composed:
    """A proposal for this conversation, each sentence judged. There always is one: at worst, a word to the operator.

    May call the host's generator and embedder; so call it outside any transaction.
    """
    if view.just_clarified and grounding.level == GroundingLevel.CLARIFICATION:
        grounding = replace(
            grounding,
            level=GroundingLevel.ESCALATION,
            cause=Cause.CLARIFICATION_LIMIT_REACHED,
            reason=ASKED_ALREADY,
        )
    generator = settings.draft_generator
    note = None
    if not isinstance(generator, ExtractiveGenerator):
        try:
            proposal = ask("draft_generator", generator.generate_draft, view, grounding)
            composed = _judged(_checked(proposal, grounding, generator), view)
            _require_a_carried_sentence(composed)
            return composed
        except HostFailure as failure:
            note = f"{type(generator).__name__} did not compose this: {failure.reason}"[:NOTE_LENGTH]
    quoting = ExtractiveGenerator()
    composed = _checked(quoting.generate_draft(view, grounding), grounding, quoting)
    return replace(_judged(composed, view), note=note)


def _judged(composed: Composed, view: ConversationView) -> Composed:
    proposal = composed.proposal
    called = (view.customer_name or "").split()
    verdicts = claims.check(proposal.kind, proposal.sentences, composed.grounding.evidence, names=called)
    return replace(composed, verdicts=tuple(verdicts))


def _require_a_carried_sentence(composed: Composed) -> None:
    """Refuse a reply that nothing speaks for; one doubted sentence among others is for the operator to judge."""
    if composed.proposal.kind == DraftKind.REPLY and not any(
        verdict.is_supported
        for sentence, verdict in zip(composed.proposal.sentences, composed.verdicts, strict=True)
        if sentence.evidence_ids
    ):
        raise HostFailure("no sentence of its reply is carried by the passages it cites")


def _checked(proposal: object, grounding: Grounding, generator: object) -> Composed:
    """Refuse what the evidence does not allow. Raises ``HostFailure``."""
    if not isinstance(proposal, DraftProposal):
        raise HostFailure("it answered no DraftProposal")
    try:
        proposal = _tidied(proposal)
    except (InvalidInput, ValueError, TypeError) as fault:
        raise HostFailure(f"its proposal is malformed: {fault}") from fault
    known = {each.id for each in grounding.evidence}
    if any(each not in known for sentence in proposal.sentences for each in sentence.evidence_ids):
        raise HostFailure("it cited evidence that does not exist")
    if proposal.kind == DraftKind.REPLY and grounding.level != GroundingLevel.STRONG:
        raise HostFailure("it answered although the evidence is weak")
    if proposal.kind == DraftKind.REPLY and not any(sentence.evidence_ids for sentence in proposal.sentences):
        raise HostFailure("it answered without citing any evidence")
    name = proposal.composer or type(generator).__name__
    if proposal.kind == DraftKind.ESCALATION:
        return Composed(replace(proposal, sentences=()), "", grounding, name)
    body = lay_out(proposal.sentences)
    if not body or len(body) > BODY_LENGTH:
        raise HostFailure(f"its reply has {len(body)} characters")
    return Composed(proposal, body, grounding, name)


def _tidied(proposal: DraftProposal) -> DraftProposal:
    confidence = float(proposal.confidence)
    if not math.isfinite(confidence):
        raise ValueError("confidence is no number")
    return replace(
        proposal,
        kind=DraftKind(proposal.kind),
        sentences=tuple(
            Sentence(clean(sentence.text, field="text", limit=BODY_LENGTH), tuple(sentence.evidence_ids))
            for sentence in proposal.sentences
        ),
        summary=clean(proposal.summary, field="summary", limit=BODY_LENGTH, required=False),
        missing=clean(proposal.missing, field="missing", limit=BODY_LENGTH, required=False),
        composer=clean(proposal.composer, field="composer", limit=NAME_LENGTH, required=False),
        confidence=min(1.0, max(0.0, confidence)),
    )

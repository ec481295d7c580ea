"""Who composes Trailmark's drafts: the bundled quoting, with a promise too much where you want to see it caught."""

from __future__ import annotations

from dataclasses import replace

from flask_cairnloop import DraftGenerator, DraftKind, DraftProposal, Sentence
from flask_cairnloop.drafts import ConversationView
from flask_cairnloop.drafts.engines.extractive import ExtractiveGenerator
from flask_cairnloop.retrieval import Grounding

PROMISE = "We have also credited your account with $20 for the trouble."


class GenerousGenerator(DraftGenerator):
    """Quotes the articles; to questions tagged ``goodwill`` it adds a credit that no article speaks of."""

    def generate_draft(self, conversation: ConversationView, grounding: Grounding) -> DraftProposal:
        """The bundled generator's proposal, more generous than its evidence where the tag says so."""
        proposal = ExtractiveGenerator().generate_draft(conversation, grounding)
        if proposal.kind != DraftKind.REPLY or "goodwill" not in conversation.tags:
            return proposal
        cited = next(sentence.evidence_ids for sentence in proposal.sentences if sentence.evidence_ids)
        *said, closing = proposal.sentences
        return replace(proposal, sentences=(*said, Sentence(PROMISE, cited), closing))

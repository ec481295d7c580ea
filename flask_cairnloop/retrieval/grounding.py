"""Is the evidence good enough to answer, good enough to ask back, or not good enough?"""

from __future__ import annotations

import logging
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import transaction
from flask_cairnloop.host.people import Actor
from flask_cairnloop.knowledge.sentences import split_sentences
from flask_cairnloop.retrieval.results import Cause, Evidence, Grounding, GroundingLevel
from flask_cairnloop.retrieval.search import cases, passages, tidy, vectors

log = logging.getLogger("flask_cairnloop.retrieval")

PASSAGES = 8  # judged; the best of them are kept
PER_ARTICLE = 3
KEPT = 5
SIMILAR = 3  # resolved cases shown beside
ALIKE = 0.55  # support from which a case is worth an operator's look


def ground(question: str, *, visible_to: Actor) -> Grounding:
    """Search and judge. Whatever fails on the way ends as an escalation that says so, never as an answer.

    A message that tells a story and then asks is judged whole and by what it asks alone; the better judgement counts.
    """
    asked = tidy(question)
    with telemetry.span("retrieval.draft_grounding"):
        readings = list(dict.fromkeys((asked, _asking_part(asked)))) if asked else []
        embedded = list(zip(readings, vectors(readings), strict=True)) if readings else []
        try:
            with transaction():
                found = [
                    passages(reading, vector, visible_to=visible_to, limit=PASSAGES, per_article=PER_ARTICLE)
                    for reading, vector in embedded
                ]
                similar = cases(*embedded[0], visible_to=visible_to, limit=SIMILAR) if embedded else []
        except SQLAlchemyError as failure:
            log.warning("the index could not be searched: %s", type(failure).__name__)
            reason = "The knowledge base could not be searched."
            grounding = Grounding(asked, GroundingLevel.ESCALATION, 0.0, (), Cause.INDEX_UNAVAILABLE, reason)
        else:
            grounding = max((judge(asked, each) for each in found or [[]]), key=lambda each: each.score)
            grounding = _beside(grounding, [each for each in similar if (each.support or 0.0) >= ALIKE])
    telemetry.count("cairnloop_groundings", level=grounding.level)
    return grounding


def judge(question: str, found: list[Evidence]) -> Grounding:
    """Weigh passages whose ``support`` is known against the thresholds of the settings."""
    ranked = sorted(found, key=lambda each: (-(each.support or 0.0), -each.score, each.id))
    score = ranked[0].support or 0.0 if ranked else 0.0
    if score >= settings.grounding_strong:
        level, cause, reason = _ANSWER
        ranked = [each for each in ranked if (each.support or 0.0) >= settings.grounding_clarify]
    elif score >= settings.grounding_clarify:
        level, cause, reason = _ASK
    else:
        level, cause, reason = _PASS_ON
    return Grounding(question, level, score, tuple(ranked[:KEPT]), cause, reason)


_ANSWER = (GroundingLevel.STRONG, Cause.CANONICAL_RESULTS, "The knowledge base answers this.")
_ASK = (
    GroundingLevel.CLARIFICATION,
    Cause.CANONICAL_INSUFFICIENT_DETAIL,
    "The knowledge base has something near this, but the question leaves open what exactly is meant.",
)
_PASS_ON = (
    GroundingLevel.ESCALATION,
    Cause.NO_CANONICAL_RESULTS,
    "Nothing in the knowledge base answers this.",
)
_ONLY_CASES = "Nothing in the knowledge base answers this, but similar conversations were resolved before."


def _beside(grounding: Grounding, similar: list[Evidence]) -> Grounding:
    """The judgement with similar cases beside it. They never make it better."""
    if similar and grounding.cause == Cause.NO_CANONICAL_RESULTS:
        grounding = replace(grounding, cause=Cause.ASSISTIVE_ONLY_RESULTS, reason=_ONLY_CASES)
    return replace(grounding, similar=tuple(similar))


def _asking_part(question: str) -> str:
    """The sentences that end in a question mark, where there are any."""
    return "\n".join(each for each in split_sentences(question) if each.endswith("?")) or question

"""Is the evidence good enough to answer, good enough to ask back, or not good enough?"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.host.people import Actor
from flask_cairnloop.knowledge.sentences import split_sentences
from flask_cairnloop.retrieval.candidates import LEXEMES, SEARCHABLE, WORDS
from flask_cairnloop.retrieval.results import Cause, Evidence, Grounding, GroundingLevel
from flask_cairnloop.retrieval.search import search, tidy

log = logging.getLogger("flask_cairnloop.retrieval")

PASSAGES = 8  # judged; the best of them are kept
PER_ARTICLE = 3
KEPT = 5
COUNTED = 10_000  # a word in more passages than this is common enough

# A passage's support is a weighted sum of its closeness in meaning and the share of the question's weight in words it
# covers; without vectors, coverage alone, taken down so that the same thresholds hold. Measured on development data.
MEANING_SHARE = 0.6
WORDS_ALONE = 0.8

_COVERAGE = text(
    f"""
    WITH searchable AS NOT MATERIALIZED (SELECT c.id, c.search FROM cairnloop.cairnloop_chunks c {SEARCHABLE})
    SELECT lexeme,
        (SELECT count(*) FROM (SELECT FROM searchable LIMIT :counted) AS counted) AS passages,
        (SELECT count(*) FROM (SELECT FROM searchable WHERE search @@ word LIMIT :counted) AS counted) AS sharing,
        ARRAY(SELECT id FROM searchable WHERE id = ANY(:ids) AND search @@ word) AS covering
    FROM (SELECT lexeme, quoted::tsquery AS word FROM ({LEXEMES}) AS lexemes) AS asked
    """
)


@dataclass(frozen=True)
class _Word:
    """One word of the question: what it weighs, and which passages have it."""

    weight: float
    covering: frozenset[int]


def ground(question: str, *, visible_to: Actor) -> Grounding:
    """Search and judge. Whatever fails on the way ends as an escalation that says so, never as an answer.

    A message that tells a story and then asks is judged whole and by what it asks alone; the better judgement counts.
    """
    asked = tidy(question)
    with telemetry.span("retrieval.draft_grounding"):
        try:
            with transaction():
                readings = dict.fromkeys((asked, _asking_part(asked)))
                found = [_supported(reading, visible_to) for reading in readings]
        except SQLAlchemyError as failure:
            log.warning("the index could not be searched: %s", type(failure).__name__)
            reason = "The knowledge base could not be searched."
            grounding = Grounding(asked, GroundingLevel.ESCALATION, 0.0, (), Cause.INDEX_UNAVAILABLE, reason)
        else:
            grounding = max((judge(asked, each) for each in found), key=lambda each: each.score)
    telemetry.count("cairnloop_groundings", level=grounding.level)
    return grounding


def judge(question: str, found: list[Evidence]) -> Grounding:
    """Weigh passages whose ``support`` is known against the thresholds of the settings."""
    ranked = sorted(found, key=lambda each: (-(each.support or 0.0), -each.score, each.chunk_id))
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


def _asking_part(question: str) -> str:
    """The sentences that end in a question mark, where there are any."""
    return "\n".join(each for each in split_sentences(question) if each.endswith("?")) or question


def _supported(question: str, visible_to: Actor) -> list[Evidence]:
    found = search(question, visible_to=visible_to, limit=PASSAGES, per_article=PER_ARTICLE)
    words = _words(question, found, visible_to.tenant) if found else []
    return [replace(each, support=_support(each, words)) for each in found]


def _support(evidence: Evidence, words: list[_Word]) -> float:
    whole = sum(word.weight for word in words)
    covered = sum(word.weight for word in words if evidence.chunk_id in word.covering)
    coverage = covered / whole if whole else 0.0
    if evidence.similarity is None:
        return WORDS_ALONE * coverage
    return MEANING_SHARE * max(0.0, evidence.similarity) + (1 - MEANING_SHARE) * coverage


def _words(question: str, found: list[Evidence], tenant: str) -> list[_Word]:
    ids = [evidence.chunk_id for evidence in found]
    values = {"question": question, "words": WORDS, "tenant": tenant, "ids": ids, "counted": COUNTED}
    rows = session().execute(_COVERAGE, values)
    return [_Word(_weight(row.passages, row.sharing), frozenset(row.covering)) for row in rows]


def _weight(passages: int, sharing: int) -> float:
    """A rare word says more about what is asked than a common one."""
    return math.log(1 + (passages - sharing + 0.5) / (sharing + 0.5))

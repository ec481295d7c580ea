"""What a match is worth: the weights of words, of the two legs, and of what they say together.

Every number here was chosen on public development data, one and the same for manuals, policies and cases;
``docs/retrieval.md`` tells what was compared, ``tests/benchmarks/retrieval.py`` measures it again.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flask_cairnloop.retrieval.spelling import Reading, Word

# BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) with a title counted twice. The weight
# of a word is the square root of its usual one: in a message that tells a story the rarest word is rarely the topic.
SATURATION = 0.9
LENGTH_SHARE = 0.4
TYPICAL_LENGTH = 40  # different words of a full passage
SLIP = 0.8  # share of its weight that a word read as another one keeps

# Reciprocal-rank fusion (Cormack, Clarke and Büttcher, 2009) over articles: each leg adds its weight divided by
# CONSTANT plus the place. Words lead among articles; among cases, which are short and alike, meaning does.
CONSTANT = 60
ARTICLE_WEIGHTS = (3.0, 1.0)
CASE_WEIGHTS = (1.0, 3.0)

# Support, 0 to 1: closeness in meaning, the share of the question's weight that is covered, and how much matched at
# all, counted in words that only one passage has. Without vectors the last two alone, taken down so that the same
# thresholds hold.
MEANING_SHARE = 0.4
COVERAGE_SHARE = 0.1
MATCH_SHARE = 0.5
ENOUGH = 2.0  # such words earn half of what matching can earn
WORDS_ALONE = 0.9

Key = TypeVar("Key", bound=Hashable)

SCORED = 500  # passages whose words are weighed, at most, besides the nearest in meaning


@dataclass(frozen=True)
class Query:
    """A reading of a question, weighed, and which passages are worth weighing against it."""

    terms: list[str]
    weights: list[float]
    #: The weight of all words of the question, known or not.
    whole: float
    #: The weight of a word that only one passage has.
    unit: float
    #: Words so rare that every passage that has one is weighed.
    rare: list[str]
    #: The rarest others: passages that have two of these, and some that have the first, fill what room is left.
    common: list[str]
    room: int


def weigh(reading: Reading) -> Query:
    """Weigh a question's words against the passages there are."""
    terms: dict[str, float] = {}
    passages: dict[str, int] = {}
    whole = 0.0
    for word in reading.words:
        share = 1.0 if word.is_itself else SLIP
        whole += _times(word) * max(_weight(reading.passages, each) for each in word.readings.values())
        for term, count in word.readings.items():
            weight = share * _times(word) * _weight(reading.passages, count)
            terms[term] = max(terms.get(term, 0.0), weight)
            passages[term] = count
    rare, room = _rare(passages)
    common = sorted(passages.keys() - set(rare), key=lambda term: (passages[term], term))[:3]
    unit = _weight(reading.passages, 1)
    return Query(list(terms), list(terms.values()), whole, unit, rare, common, room)


def _rare(passages: dict[str, int]) -> tuple[list[str], int]:
    rare = []
    room = SCORED
    for term in sorted(passages, key=lambda each: (passages[each], each)):
        if passages[term] > room:
            break
        rare.append(term)
        room -= max(0, passages[term])
    return rare, room


def _weight(passages: int, having: int) -> float:
    having = min(max(having, 0), passages)
    return math.sqrt(math.log(1 + (passages - having + 0.5) / (having + 0.5)))


def _times(word: Word) -> float:
    """A word said twice counts a little more than one said once."""
    return 2 * word.times / (word.times + 1)


def support(query: Query, *, score: float, covered: float, similarity: float | None) -> float:
    """How well one passage carries an answer, 0 to 1: comparable between questions and between knowledge bases."""
    coverage = min(1.0, covered / query.whole) if query.whole else 0.0
    matched = score / query.unit if query.unit else 0.0
    words = COVERAGE_SHARE * coverage + MATCH_SHARE * matched / (matched + ENOUGH)
    if similarity is None:
        return WORDS_ALONE * words / (COVERAGE_SHARE + MATCH_SHARE)
    return MEANING_SHARE * max(0.0, similarity) + words


def fuse(legs: Iterable[tuple[float, Sequence[Key]]]) -> dict[Key, float]:
    """Weighted orders into one score per key; a key's first place in an order counts."""
    scores: dict[Key, float] = {}
    for weight, order in legs:
        for place, key in enumerate(dict.fromkeys(order), 1):
            scores[key] = scores.get(key, 0.0) + weight / (CONSTANT + place)
    return scores

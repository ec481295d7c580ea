"""The words of a question, how common each is, and what an unknown one was probably meant to be."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from flask_cairnloop.core.database import session
from flask_cairnloop.knowledge.words import ENGLISH, folded

WORDS = 64  # words of a question that are looked for, from its beginning
UNKNOWN = 8  # of these, how many unknown ones are read as others
READINGS = 2  # of one unknown word
NEAREST = 40  # known words compared with an unknown one
BEGINNING = 3  # letters that are enough to begin a known word
ONE_SLIP, TWO_SLIPS = 4, 8  # letters from which one slip, and two, are forgiven

_KNOWN = """
SELECT term, sum(passages) AS passages FROM (
    SELECT term, passages FROM cairnloop.cairnloop_terms WHERE tenant = :tenant AND corpus = :corpus
    UNION ALL
    SELECT term, passages FROM cairnloop.cairnloop_term_changes WHERE tenant = :tenant AND corpus = :corpus
) AS counted WHERE term {} GROUP BY term
"""
_ASKED = text(
    f"""
    WITH asked AS MATERIALIZED (
        SELECT lexeme, cardinality(positions) AS times, positions[1] AS place
        FROM unnest(to_tsvector({ENGLISH}, {folded("CAST(:question AS text)")}))
        ORDER BY place, lexeme LIMIT :words
    ), known AS ({_KNOWN.format("= ANY(ARRAY(SELECT lexeme FROM asked) || ARRAY[''])")})
    SELECT lexeme, times, place, coalesce(passages, 0) AS passages FROM asked LEFT JOIN known ON term = lexeme
    UNION ALL SELECT '', 0, 0, passages FROM known WHERE term = '' ORDER BY place, lexeme
    """
)
_NEAREST = text(
    """
    SELECT term, passages FROM cairnloop.cairnloop_terms
    WHERE tenant = :tenant AND corpus = :corpus AND passages > 0 AND trigrams && CAST(:trigrams AS text[])
        AND (abs(length(term) - length(:word)) <= 2 OR starts_with(term, :word))
    ORDER BY (SELECT count(*) FROM unnest(trigrams) AS t WHERE t = ANY(CAST(:trigrams AS text[]))) DESC,
        passages DESC, term
    LIMIT :nearest
    """
)


@dataclass(frozen=True)
class Word:
    """One word of a question, as its stem. ``readings`` are the known words it stands for: itself, or the nearest."""

    stem: str
    times: int
    #: Known stems, and how many passages have each.
    readings: dict[str, int]

    @property
    def is_itself(self) -> bool:
        """Whether it is read as it was written."""
        return self.stem in self.readings


@dataclass(frozen=True)
class Reading:
    """A question's words against one tenant's ``passages`` of one corpus."""

    passages: int
    words: tuple[Word, ...]


def read(question: str, *, tenant: str, corpus: str) -> Reading:
    """The first ``WORDS`` words of a question, stop words left out."""
    values = {"question": question, "tenant": tenant, "corpus": corpus, "words": WORDS}
    rows = session().execute(_ASKED, values).all()
    passages = next((int(row.passages) for row in rows if not row.lexeme), 0)
    words = []
    unknown = 0
    for row in rows:
        if not row.lexeme:
            continue
        readings = {row.lexeme: int(row.passages)}
        if row.passages <= 0:
            unknown += 1
            if unknown <= UNKNOWN:
                readings = _nearest(row.lexeme, tenant, corpus) or readings
        words.append(Word(row.lexeme, row.times, readings))
    return Reading(passages, tuple(words))


def _nearest(word: str, tenant: str, corpus: str) -> dict[str, int]:
    """What an unknown word was probably meant to be: known words a slip away, else those it begins."""
    if len(word) < BEGINNING or len(word) > 30 or not word.isalpha():
        return {}
    trigrams = [f" {word} "[place : place + 3] for place in range(len(word))]
    values = {"word": word, "tenant": tenant, "corpus": corpus, "trigrams": trigrams, "nearest": NEAREST}
    known = {row.term: int(row.passages) for row in session().execute(_NEAREST, values)}
    near = {term: slips for term in known if (slips := _forgiven(word, term)) is not None}
    best = sorted(near, key=lambda term: (near[term], -known[term], term))[:READINGS]
    best = best or [term for term in known if term.startswith(word)][:READINGS]
    return {term: known[term] for term in best}


def _forgiven(word: str, term: str) -> int | None:
    """How many slips lie between two words; None where they are too many. Short words keep their first letter."""
    allowed = (len(word) >= ONE_SLIP) + (len(word) >= TWO_SLIPS)
    if abs(len(word) - len(term)) > allowed or (len(word) < TWO_SLIPS and word[0] != term[0]):
        return None
    slips = distance(word, term)
    return slips if slips <= allowed else None


def distance(one: str, other: str) -> int:
    """Letters left out, added, replaced or swapped with their neighbour between two words.

    The restricted Damerau-Levenshtein distance (optimal string alignment).
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]

"""The claim gate: what in a reply do its cited passages not carry?

It judges words, not intentions, and knows nothing of who composed them. Each sentence is held against the passages it
cites and nothing else: not what the customer said, not what other sentences cite.
"""

from __future__ import annotations

import logging
import math
import operator
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.drafts import facts
from flask_cairnloop.drafts.facts import Fact, FactKind
from flask_cairnloop.drafts.phrases import (
    is_courtesy,
    secret_in,
    speaks_to_a_machine,
    tells_of_a_deed,
    wants_handed_over,
)
from flask_cairnloop.drafts.stems import COMMON, WORD, stem, stems, unclipped
from flask_cairnloop.drafts.wording import ITEM
from flask_cairnloop.host.draft_generator import DraftKind, Sentence
from flask_cairnloop.knowledge.embedding import embed
from flask_cairnloop.knowledge.sentences import split_sentences
from flask_cairnloop.retrieval.results import Evidence, Trust

log = logging.getLogger("flask_cairnloop.drafts")

# The share of a sentence's words that its passages must have. From COVERED on, words suffice; from HALF_COVERED on, it
# must also mean nearly the same as one of their sentences. Measured on development data; docs/drafts.md tells how.
COVERED = 0.8
HALF_COVERED = 0.5
CLOSE = 0.75  # cosine
MISSING_SHOWN = 3
_JOINING = frozenset(
    {"yes", "please", "simply", "just", "however", "then", "next", "finally", "instead", "still", "note"}
)

_NO_EVIDENCE = "No passage is cited for this sentence."
_NOT_PUBLISHED = "It cites something other than a published article."
_DONE = "It says that something was or will be done; no passage can carry that."
_MACHINE = "The cited passage “{title}” speaks to a machine rather than to a reader; check the article."
_TURNED = "The cited passages say the opposite, or say it without “{word}”."
_EMPTY = "There is nothing in this sentence that a passage could carry."
_NO_QUESTION = "It is no question."
_SECRET = "It asks for “{word}”, which a desk never asks for."

_NEGATOR = re.compile(r"\b(?:not|no|never|none|neither|nor|cannot|without|unable|\w+n['’]t)\b", re.IGNORECASE)
_AFTER_NEGATION = frozenset({"longer", "more", "only", "yet", "ever", "just"})
_OPPOSITES = """
    enable/disable on/off before/after above/below minimum/maximum most/least increase/decrease include/exclude
    allow/forbid allow/prohibit connect/disconnect lock/unlock left/right up/down open/close start/stop more/less
    accept/reject add/remove free/paid always/never same/different first/last install/uninstall with/without
    refundable/nonrefundable
"""
_PAIRS = [tuple(pair.split("/")) for pair in _OPPOSITES.split()]
_ASKED_WITH = """
    so that we help with the right thing is this about something else could would please tell us me more which what
    when where who how do does did mean exactly exact describe share say let know see seeing happen happens happened
    error message screen version model device step kind type use using try trying tried or and want need looking
    question sure understand correctly clarify detail details bit few
"""
_ASKING = frozenset(stem(word) for word in _ASKED_WITH.split())


@dataclass(frozen=True)
class Verdict:
    """Whether the evidence carries a sentence, and if not, what an operator should know."""

    doubt: str | None = None

    @property
    def is_supported(self) -> bool:
        """Whether nothing speaks against it."""
        return self.doubt is None


@dataclass(frozen=True)
class _Line:
    """One sentence of the evidence."""

    text: str
    stems: frozenset[str]
    facts: tuple[Fact, ...]
    negated: tuple[str, ...]


class _Passages:
    """What a sentence cites, read."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self.evidence = evidence
        texts = [text for each in evidence for text in (each.title, each.heading, *split_sentences(each.content))]
        self.lines: list[_Line] = [_read(text) for text in dict.fromkeys(texts) if text]
        self.stems = frozenset(word for line in self.lines for word in line.stems)
        self.facts = [fact for line in self.lines for fact in line.facts]

    def nearest(self, text: str) -> _Line:
        """The line a sentence comes closest to: its own words first, then the most shared and the fewest others."""
        words = frozenset(stems(text))
        return max(self.lines, key=lambda line: (line.text == text, len(words & line.stems), -len(line.stems)))


def check(
    kind: DraftKind, sentences: Sequence[Sentence], evidence: Iterable[Evidence], *, names: Iterable[str] = ()
) -> list[Verdict]:
    """A verdict on each sentence against the passages it cites.

    ``names`` are those of the customer, for greetings. Calls the embedder, at most once, for sentences whose words
    alone leave it open; so call it outside any transaction. Where the embedder fails, words decide.
    """
    known = {each.id: each for each in evidence}
    called = tuple(names)
    read: dict[tuple[str, ...], _Passages] = {}
    verdicts: list[Verdict] = []
    left_open: list[tuple[int, str, str]] = []
    for place, sentence in enumerate(sentences):
        ids = tuple(each for each in dict.fromkeys(sentence.evidence_ids) if each in known)
        if kind == DraftKind.CLARIFICATION:
            ids = ids or tuple(known)
        if ids not in read:
            read[ids] = _Passages([known[each] for each in ids])
        doubt, line = None, None
        if not is_courtesy(sentence.text, names=called):
            judge = _doubt_asking if kind == DraftKind.CLARIFICATION else _doubt
            doubt, line = judge(sentence.text, read[ids])
        if doubt is not None and line is not None:
            left_open.append((place, sentence.text, line))
        verdicts.append(Verdict(doubt))
    for place in _close(left_open):
        verdicts[place] = Verdict()
    return verdicts


def _doubt(text: str, passages: _Passages) -> tuple[str | None, str | None]:
    """What speaks against a sentence; and, where meaning may still decide for it, the line to compare it with."""
    if not passages.lines:
        return _NO_EVIDENCE, None
    if any(each.trust != Trust.CANONICAL for each in passages.evidence):
        return _NOT_PUBLISHED, None
    for each in passages.evidence:
        if speaks_to_a_machine(each.content):
            return _MACHINE.format(title=each.title), None
    nearest = passages.nearest(text)
    if nearest.text == text:
        return None, None
    if (mark := ITEM.match(text)) and not ITEM.match(nearest.text):
        text = text[mark.end() :]  # who lists what the passage tells may number it
    claim = _read(text, is_claim=True)
    doubt = _wrong_fact(claim, passages) or _turned(claim, nearest)
    if doubt is None and tells_of_a_deed(text) and not tells_of_a_deed(nearest.text):
        doubt = _DONE
    if doubt is None and (secret := wants_handed_over(text)) and not wants_handed_over(nearest.text):
        doubt = _SECRET.format(word=secret)
    if doubt is not None:
        return doubt, None
    words = _words(facts.without(text))
    if not words and not claim.facts:
        return _EMPTY, None
    missing = [word for word in words if stem(word.lower()) not in passages.stems]
    covered = 1 - len({stem(word.lower()) for word in missing}) / max(1, len({stem(word.lower()) for word in words}))
    if covered >= COVERED:
        return None, None
    shown = ", ".join(f"“{word}”" for word in list(dict.fromkeys(missing))[:MISSING_SHOWN])
    return f"The cited passages do not speak of {shown}.", nearest.text if covered >= HALF_COVERED else None


def _doubt_asking(text: str, passages: _Passages) -> tuple[str | None, None]:
    """What speaks against a question back: a claim in disguise, an address, a secret asked for."""
    if secret := secret_in(text):
        return _SECRET.format(word=secret), None
    if not passages.lines:
        return _NO_EVIDENCE, None
    for each in passages.evidence:
        if speaks_to_a_machine(each.content):
            return _MACHINE.format(title=each.title), None
    asked = _read(text, is_claim=True)
    # A question says nothing of a number; it is enough that the passages have it.
    numbers = tuple(replace(each, beside=frozenset()) for each in asked.facts)
    if doubt := _wrong_fact(replace(asked, facts=numbers), passages):
        return doubt, None
    meant = [word for word in _words(text) if stem(word.lower()) not in _ASKING]
    missing = [word for word in meant if stem(word.lower()) not in passages.stems]
    if len(missing) > (1 - HALF_COVERED) * len(meant):
        return f"The passages do not speak of {', '.join(f'“{word}”' for word in missing[:MISSING_SHOWN])}.", None
    return (None if text.rstrip("”\"') ").endswith("?") else _NO_QUESTION), None


def _wrong_fact(claim: _Line, passages: _Passages) -> str | None:
    wrong = [fact for fact in claim.facts if not _is_carried(fact, passages)]
    if not wrong:
        return None
    shown = ", ".join(f"“{each}”" for each in list(dict.fromkeys(fact.shown for fact in wrong))[:MISSING_SHOWN])
    if all(any(fact.values & other.values for other in passages.facts) for fact in wrong):
        return f"{shown} is in the cited passages, but not said of this."
    return f"{shown} {'is' if len(wrong) == 1 else 'are'} not in the cited passages."


def _is_carried(fact: Fact, passages: _Passages) -> bool:
    if fact.kind == FactKind.NAME:
        return fact.values <= passages.stems
    return any(fact.is_carried_by(other) for other in passages.facts)


def _turned(claim: _Line, nearest: _Line) -> str | None:
    """A "not" that came or went, or one of two opposites in the other's place."""
    if len(claim.negated) != len(nearest.negated):
        for here, there in ((claim, nearest), (nearest, claim)):
            if any(word in there.stems and word not in there.negated for word in here.negated):
                return _TURNED.format(word="not")
    said, known = frozenset(_all_words(claim.text)), frozenset(_all_words(nearest.text))
    for pair in _PAIRS:
        for word, opposite in (pair, pair[::-1]):
            if word in said - known and opposite in known - said:
                return _TURNED.format(word=word)
    return None


def _read(text: str, *, is_claim: bool = False) -> _Line:
    negated = []
    for negator in _NEGATOR.finditer(text):
        after = [word for word in stems(text[negator.end() :]) if word not in _AFTER_NEGATION]
        negated += after[:1]
    return _Line(text, frozenset(stems(text)), tuple(facts.read(text, is_claim=is_claim)), tuple(negated))


def _words(text: str) -> list[str]:
    return [
        word for word in WORD.findall(unclipped(text)) if word.lower() not in COMMON and word.lower() not in _JOINING
    ]


def _all_words(text: str) -> list[str]:
    return [stem(word) for word in WORD.findall(text.lower())] + WORD.findall(text.lower())


def _close(pairs: Sequence[tuple[int, str, str]]) -> list[int]:
    """The places of those sentences that mean nearly what the line beside them says."""
    if not pairs or (embedder := settings.embedder) is None:
        return []
    try:
        vectors = embed(embedder, [text for _, *texts in pairs for text in texts])
    except HostFailure as failure:
        log.info("claims are checked by words alone: %s", failure.reason)
        return []
    cosines = [_cosine(vectors[2 * number], vectors[2 * number + 1]) for number in range(len(pairs))]
    return [place for (place, _, _), cosine in zip(pairs, cosines, strict=True) if cosine >= CLOSE]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    product: float = sum(map(operator.mul, one, other))
    return product / (math.hypot(*one) * math.hypot(*other))

"""A passage in a line or two, with the words that were searched for marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask_cairnloop.drafts.stems import WORD, stem, stems

LENGTH = 180  # characters of a snippet, at most
LEAD = 40  # characters shown before the first marked word
READ = 4_000  # characters of a passage that are looked at
ELLIPSIS = "…"

_BEGINS = re.compile(r"[.!?|:;] ")
_GAP = re.compile(" ")


@dataclass(frozen=True)
class Part:
    """A run of a snippet's characters; ``marked`` where they are a word of the question."""

    text: str
    marked: bool = False


@dataclass(frozen=True)
class _Match:
    """A word of the question, in one of its forms, and where it stands."""

    start: int
    end: int
    stem: str


def snippet(passage: str, question: str, *, length: int = LENGTH) -> tuple[Part, ...]:
    """The stretch of ``passage`` that holds most words of ``question``, at most ``length`` characters long.

    A word also counts in its other forms ("rotate", "rotating"). Cut only between words, where there is room to.
    """
    text = " ".join(passage[:READ].split())
    asked = frozenset(stems(question))
    words = (_Match(*word.span(), stem(word[0].lower())) for word in WORD.finditer(text))
    found = [word for word in words if word.stem in asked]
    start, end = _window(text, found, length)
    parts, place = [Part(ELLIPSIS)] if start else [], start
    for match in found:
        if start <= match.start and match.end <= end:
            parts += [Part(text[place : match.start]), Part(text[match.start : match.end], marked=True)]
            place = match.end
    parts += [Part(text[place:end]), Part(ELLIPSIS if end < len(text) else "")]
    return tuple(part for part in parts if part.text)


def _window(text: str, found: Sequence[_Match], length: int) -> tuple[int, int]:
    """Where the snippet begins and ends, with room for the ellipses."""
    if len(text) <= length:
        return 0, len(text)
    room = length - 2 * len(ELLIPSIS)
    starts = (_begin(text, match.start) for match in found)
    start = max(starts, key=lambda at: _worth(found, at, at + room), default=0)
    if len(text) - start <= room:
        return start, len(text)
    cut = text.rfind(" ", start + room // 2, start + room + 1)
    return start, cut if cut > start else start + room


def _begin(text: str, first: int) -> int:
    """The beginning of a sentence or a table's cell a little before ``first``, else of a word."""
    if first <= LEAD:
        return 0
    near = text[first - LEAD : first]
    begun = list(_BEGINS.finditer(near)) or list(_GAP.finditer(near))[:1]
    return first - LEAD + begun[-1].end() if begun else first


def _worth(found: Sequence[_Match], start: int, end: int) -> tuple[int, int, int]:
    """How many different words stand there, and how many in all; the earlier place where these are equal."""
    inside = [match.stem for match in found if start <= match.start and match.end <= end]
    return len(set(inside)), len(inside), -start

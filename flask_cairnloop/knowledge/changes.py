"""What one text changed in another, as a person reads it: lines, with the words that differ marked inside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

CONTEXT = 3  # unchanged lines shown on either side of a change
SHORTEST_FOLD = 3  # unchanged lines worth folding
LINES = 4_000  # more are compared without looking for what moved
EFFORT = 2_000_000  # pairs of words looked at in one comparison; lines beyond that are marked as a whole
ALIKE = 0.5  # of two lines' words, from which they count as one line that was changed
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


class ChangeKind(StrEnum):
    """What became of a line."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    FOLDED = "folded"  #: Unchanged lines that are not shown at once.


@dataclass(frozen=True)
class Span:
    """Part of a line; ``changed`` where its words differ from the line it replaces or that replaces it."""

    text: str
    changed: bool = False


@dataclass(frozen=True)
class Line:
    """One line, with its number in the old and in the new text, counted from 1."""

    spans: tuple[Span, ...]
    old: int | None
    new: int | None

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True)
class Change:
    """Neighbouring lines that share a fate."""

    kind: ChangeKind
    lines: tuple[Line, ...]


@dataclass
class _Effort:
    """What is left to spend on one comparison."""

    left: int

    def take(self, amount: int) -> bool:
        """Spend it, if there is as much left."""
        if amount > self.left:
            return False
        self.left -= amount
        return True


def compare(old: str, new: str) -> list[Change]:
    """What leads from ``old`` to ``new``, in order: removed lines before those that replace them.

    All lines that are not removed are, joined by line breaks, ``new``; folded ones included. Equal texts have no
    changes.
    """
    if old == new:
        return []
    before, after = _lines(old), _lines(new)
    changes: list[Change] = []
    effort = _Effort(EFFORT)
    for tag, i, j, k, m in _opcodes(before, after):
        if tag == "equal":
            same = [Line((Span(before[i + n]),), i + n + 1, k + n + 1) for n in range(j - i)]
            changes += _fold(same, first=i == 0, last=j == len(before))
        else:
            removed, added = _marked(before[i:j], after[k:m], effort)
            changes += _change(ChangeKind.REMOVED, removed, start=i, is_old=True)
            changes += _change(ChangeKind.ADDED, added, start=k, is_old=False)
    return changes


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _opcodes(before: Sequence[str], after: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Where both begin and end alike is cut off first; a long middle is taken as replaced, for its cost is square."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    i, j, k, m = start, len(before) - end, start, len(after) - end
    middle: list[tuple[str, int, int, int, int]] = [("replace", i, j, k, m)] if j > i or m > k else []
    if j > i and m > k and j - i + m - k <= LINES:
        found = SequenceMatcher(None, before[i:j], after[k:m], autojunk=False).get_opcodes()
        middle = [(tag, a + i, b + i, c + k, d + k) for tag, a, b, c, d in found]
    head: list[tuple[str, int, int, int, int]] = [("equal", 0, start, 0, start)] if start else []
    tail: list[tuple[str, int, int, int, int]] = (
        [("equal", len(before) - end, len(before), len(after) - end, len(after))] if end else []
    )
    return head + middle + tail


def _change(kind: ChangeKind, lines: Sequence[tuple[Span, ...]], *, start: int, is_old: bool) -> Iterator[Change]:
    if lines:
        numbered = [
            Line(spans, number if is_old else None, None if is_old else number)
            for number, spans in enumerate(lines, start + 1)
        ]
        yield Change(kind, tuple(numbered))


def _fold(lines: list[Line], *, first: bool, last: bool) -> Iterator[Change]:
    head = 0 if first else CONTEXT
    tail = 0 if last else CONTEXT
    if len(lines) < head + tail + SHORTEST_FOLD:
        yield Change(ChangeKind.SAME, tuple(lines))
        return
    if head:
        yield Change(ChangeKind.SAME, tuple(lines[:head]))
    yield Change(ChangeKind.FOLDED, tuple(lines[head : len(lines) - tail]))
    if tail:
        yield Change(ChangeKind.SAME, tuple(lines[len(lines) - tail :]))


def _marked(
    removed: Sequence[str], added: Sequence[str], effort: _Effort
) -> tuple[list[tuple[Span, ...]], list[tuple[Span, ...]]]:
    """The lines with their differing words marked, where one line clearly became another."""
    old: list[tuple[Span, ...]] = [(Span(text),) for text in removed]
    new: list[tuple[Span, ...]] = [(Span(text),) for text in added]
    for number, (before, after) in enumerate(zip(removed, added, strict=False)):
        if not before or not after:
            continue
        first, second = _WORD.findall(before), _WORD.findall(after)
        if not effort.take(len(first) * len(second)):
            continue
        matcher = SequenceMatcher(None, first, second, autojunk=False)
        if matcher.ratio() >= ALIKE:
            blocks = matcher.get_opcodes()
            old[number] = _spans(first, [(tag, i, j) for tag, i, j, _, _ in blocks])
            new[number] = _spans(second, [(tag, k, m) for tag, _, _, k, m in blocks])
    return old, new


def _spans(words: Sequence[str], blocks: Sequence[tuple[str, int, int]]) -> tuple[Span, ...]:
    return tuple(Span("".join(words[i:j]), tag != "equal") for tag, i, j in blocks if j > i)

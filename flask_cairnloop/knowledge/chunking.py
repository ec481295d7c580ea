"""An article cut into pieces small enough to find and whole enough to read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask_cairnloop.core.markdown import Block, BlockKind, Section, to_sections
from flask_cairnloop.knowledge.sentences import split_sentences

SIZE = 130  # tokens of a piece, at most, before its title and heading
OVERLAP = 30  # tokens of whole sentences repeated from the piece before
LONGEST_WORD = 200  # characters; longer runs are no words and are cut
HEADING_LENGTH = 300
SEPARATOR = " › "

_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # scripts written without spaces: each sign is a token
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_PIECE_OF_WORD = 7  # letters; a model's tokenizer cuts longer words


@dataclass(frozen=True)
class Piece:
    """One chunk to be: ``text`` is what is embedded, title and heading path included."""

    title: str
    heading: str
    content: str

    @property
    def text(self) -> str:
        """Title, heading path and content, as the embedder reads them."""
        return "\n".join(part for part in (self.title, self.heading, self.content) if part)

    @property
    def digest(self) -> str:
        """Equal exactly where ``text`` is."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class _Unit:
    """What is never cut: a sentence, a list item, a line of code, a table's row. ``joint`` comes before it."""

    text: str
    joint: str
    repeatable: bool
    head: str = ""

    @property
    def size(self) -> int:
        return count_tokens(self.text)


def count_tokens(text: str) -> int:
    """About how many tokens a model sees in ``text``: never far too few, without needing the model."""
    return sum(1 + (len(word) - 1) // _PIECE_OF_WORD for word in _WORD.findall(text))


def cut(title: str, content: str) -> list[Piece]:
    """The pieces of an article, in order. One without any text yields one piece: its title."""
    pieces = [
        Piece(title, heading, text)
        for section in to_sections(content)
        for heading in (_heading(section, title),)
        for text in _pack(section)
    ]
    return pieces or [Piece(title, "", title)]


def _heading(section: Section, title: str) -> str:
    steps = [step for step in section.path if step.casefold() != title.casefold()]
    return SEPARATOR.join(steps)[:HEADING_LENGTH]


def _pack(section: Section) -> Iterator[str]:
    """Fill pieces with units up to ``SIZE``, each beginning with the last sentences of the one before."""
    held: list[_Unit] = []
    fresh = 0
    for unit in _units(section):
        if fresh and sum(each.size for each in held) + unit.size > SIZE:
            yield _join(held)
            held, fresh = _tail(held, SIZE - unit.size), 0
        held.append(unit)
        fresh += 1
    if fresh:
        yield _join(held)


def _tail(units: list[_Unit], room: int) -> list[_Unit]:
    tail: list[_Unit] = []
    left = min(OVERLAP, room)
    for unit in reversed(units):
        left -= unit.size
        if left < 0 or not unit.repeatable:
            break
        tail.insert(0, unit)
    return tail


def _join(units: list[_Unit]) -> str:
    text = units[0].head + units[0].text
    for unit in units[1:]:
        text += unit.joint + unit.text
    return text


def _units(section: Section) -> Iterator[_Unit]:
    for number, block in enumerate(section.blocks):
        for place, unit in enumerate(_units_of(block)):
            joint = "\n\n" if place == 0 and number else unit.joint
            yield _Unit(unit.text, joint, unit.repeatable, unit.head if place else "")


def _units_of(block: Block) -> Iterator[_Unit]:
    if block.kind == BlockKind.PARAGRAPH:
        for sentence in split_sentences(block.text):
            yield from (_Unit(part, " ", True) for part in _fit(sentence))
        return
    if count_tokens(block.text) <= SIZE:
        yield _Unit(block.text, "\n", False)
        return
    head = f"{block.lines[0]}\n" if block.kind == BlockKind.TABLE else ""
    for line in block.lines:
        yield from (_Unit(part, "\n", block.kind == BlockKind.LIST, head) for part in _fit(line))


def _fit(text: str) -> Iterator[str]:
    """The text whole where it fits into a piece, else cut between words."""
    if count_tokens(text) <= SIZE:
        yield text
        return
    start = size = 0
    for word in _WORD.finditer(text):
        for place in range(word.start(), word.end(), LONGEST_WORD):
            stop = min(place + LONGEST_WORD, word.end())
            tokens = count_tokens(text[place:stop])
            if size and size + tokens > SIZE:
                yield text[start:place].strip()
                start, size = place, 0
            size += tokens
    yield text[start:].strip()

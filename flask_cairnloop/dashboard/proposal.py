"""A draft as its card shows it: sentences with the passages they stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_cairnloop.drafts import Draft, DraftStatus
from flask_cairnloop.host.draft_generator import DraftKind
from flask_cairnloop.retrieval.results import Evidence, GroundingLevel, Trust

CITED = 30  # characters of a title on a citation chip


@dataclass(frozen=True)
class Source:
    """One passage, numbered as the card lists it."""

    number: int
    evidence: Evidence

    @property
    def short(self) -> str:
        """Its title, short enough for a chip."""
        title = self.evidence.title
        return title if len(title) <= CITED else title[: CITED - 1].rstrip() + "…"

    @property
    def trust(self) -> Trust:
        """How far it can be relied on."""
        return self.evidence.trust


@dataclass(frozen=True)
class Citation:
    """A source as a sentence names it: by its title the first time, by its number after that."""

    source: Source
    by_title: bool


@dataclass(frozen=True)
class Line:
    """One sentence and what it stands on."""

    text: str
    citations: tuple[Citation, ...]
    #: Whether it begins on a line of its own.
    breaks: bool = False


@dataclass(frozen=True)
class Proposal:
    """A draft, ready to be shown."""

    draft: Draft
    level: GroundingLevel
    sources: tuple[Source, ...]
    paragraphs: tuple[tuple[Line, ...], ...]

    @property
    def id(self) -> int:
        """The draft's number."""
        return self.draft.id

    @property
    def kind(self) -> DraftKind:
        """What it is for."""
        return self.draft.kind

    @property
    def status(self) -> DraftStatus:
        """What became of it."""
        return self.draft.status

    @property
    def decided_at(self) -> datetime | None:
        """When it was decided."""
        return self.draft.decided_at


def read(draft: Draft) -> Proposal:
    """The draft with its snapshots read."""
    sources = tuple(
        Source(number, Evidence.restore(snapshot)) for number, snapshot in enumerate(draft.evidence, start=1)
    )
    return Proposal(draft, GroundingLevel(draft.grounding["level"]), sources, _paragraphs(draft, sources))


def _paragraphs(draft: Draft, sources: tuple[Source, ...]) -> tuple[tuple[Line, ...], ...]:
    """The sentences, in paragraphs and lines as the body has them."""
    by_id = {source.evidence.id: source for source in sources}
    paragraphs: list[list[Line]] = []
    named: set[int] = set()
    place = 0
    for sentence in draft.sentences:
        text = str(sentence["text"])
        found = max(draft.body.find(text, place), place)
        joint = draft.body[place:found]
        if not paragraphs or "\n\n" in joint:
            paragraphs.append([])
        cited = [by_id[key] for key in sentence["evidence"] if key in by_id]
        citations = tuple(Citation(source, source.number not in named) for source in cited)
        named.update(source.number for source in cited)
        paragraphs[-1].append(Line(text, citations, breaks="\n" in joint and bool(paragraphs[-1])))
        place = found + len(text)
    return tuple(map(tuple, paragraphs))

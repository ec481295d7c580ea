"""A draft as its card shows it: sentences with the passages they stand on, and what of them is in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, pairwise

from flask_cairnloop import drafts
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.drafts import Draft, DraftStatus
from flask_cairnloop.host.draft_generator import DraftKind
from flask_cairnloop.retrieval.results import Evidence, GroundingLevel, Trust

CITED = 30  # characters of a title on a citation chip
EARLIER = 10  # drafts of the past named beside the present one


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
    """A source as a sentence names it: by its title where the article is named first, by its number after that."""

    source: Source
    by_title: bool


@dataclass(frozen=True)
class Line:
    """One sentence and what it stands on."""

    text: str
    sources: tuple[Source, ...]
    #: What of it the evidence does not carry, in words; empty where nothing is in doubt.
    doubt: str = ""
    #: What is named behind it: sentences in a row from one article name it once, behind the last of them.
    citations: tuple[Citation, ...] = ()
    #: Whether it begins on a line of its own.
    breaks: bool = False

    @property
    def articles(self) -> frozenset[str]:
        """What it rests on."""
        return frozenset(source.evidence.source for source in self.sources)


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
    def doubted(self) -> int:
        """How many sentences the evidence does not carry."""
        return sum(bool(line.doubt) for line in chain.from_iterable(self.paragraphs))

    @property
    def asked_again(self) -> bool:
        """Whether it was overtaken because an operator asked for another."""
        return drafts.was_asked_again(self.draft)

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


def beside(shown: Conversation, found: Draft | None) -> dict[str, object]:
    """What the end of a thread needs: its draft or why there is none, and what became of those before."""
    past = drafts.drafts_of(shown.id, visible_to=current_operator(), limit=EARLIER + 1)
    waits = found is not None and found.status == DraftStatus.PENDING
    coming = not waits and drafts.is_on_its_way(shown.id)
    return {
        "draft": read(found) if found is not None else None,
        "on_its_way": coming,
        "can_be_drafted": not waits and not coming and drafts.can_be_drafted(shown.id),
        "earlier": [each for each in past if found is None or each.id != found.id][:EARLIER],
    }


def _paragraphs(draft: Draft, sources: tuple[Source, ...]) -> tuple[tuple[Line, ...], ...]:
    """The sentences, in paragraphs and lines as the body has them."""
    paragraphs: list[list[Line]] = []
    cited = iter(_cited(_lines(draft, sources)))
    place = 0
    for sentence in draft.sentences:
        text = str(sentence["text"])
        found = max(draft.body.find(text, place), place)
        joint = draft.body[place:found]
        if not paragraphs or "\n\n" in joint:
            paragraphs.append([])
        paragraphs[-1].append(replace(next(cited), breaks="\n" in joint and bool(paragraphs[-1])))
        place = found + len(text)
    return tuple(map(tuple, paragraphs))


def _lines(draft: Draft, sources: tuple[Source, ...]) -> list[Line]:
    by_id = {source.evidence.id: source for source in sources}
    return [
        Line(
            str(sentence["text"]),
            tuple(by_id[key] for key in sentence["evidence"] if key in by_id),
            "" if sentence.get("supported", True) else sentence.get("doubt") or "Its evidence does not carry it.",
        )
        for sentence in draft.sentences
    ]


def _cited(lines: list[Line]) -> list[Line]:
    """The lines with their citations: once behind the last of those in a row that rest on the same articles."""
    named: set[str] = set()
    gathered: list[Source] = []
    done: list[Line] = []
    for line, following in pairwise([*lines, None]):
        assert line is not None
        gathered += [source for source in line.sources if source not in gathered]
        if following is not None and following.articles == line.articles and not line.doubt and not following.doubt:
            done.append(line)
            continue
        citations = []
        for source in sorted(gathered, key=lambda source: source.number):
            citations.append(Citation(source, source.evidence.source not in named))
            named.add(source.evidence.source)
        done.append(replace(line, citations=tuple(citations)))
        gathered = []
    return done

"""What a search found, as the palette and its page show it: knowledge first, similar cases second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from flask_cairnloop.core import markdown, telemetry
from flask_cairnloop.core.database import session
from flask_cairnloop.dashboard.pages import readable
from flask_cairnloop.dashboard.snippets import Part, snippet
from flask_cairnloop.host.people import Operator
from flask_cairnloop.retrieval import Evidence, Reason, ResolvedCase, Trust
from flask_cairnloop.retrieval.search import cases as similar
from flask_cairnloop.retrieval.search import passages, tidy, vectors

ARTICLES = 8  # results of each section, at most
CASES = 5
SHORTEST = 2  # characters of a question
LONGEST = 200
#: Closeness in meaning below which a passage that shares no word is no result: something is always nearest.
NEAR = 0.25


@dataclass(frozen=True)
class Hit:
    """One result. ``case`` is set for a resolved one."""

    number: int
    evidence: Evidence
    parts: tuple[Part, ...]
    case: ResolvedCase | None = None

    @property
    def is_citable(self) -> bool:
        """Whether a reply may name it as its source."""
        return self.evidence.trust == Trust.CANONICAL and self.evidence.article_id is not None

    @property
    def at(self) -> datetime:
        """When its words were published, or the case was resolved."""
        return self.evidence.updated_at

    @property
    def why(self) -> list[Reason]:
        """Why it was found. That meaning was not compared is said once, above the results."""
        return [reason for reason in self.evidence.reasons if reason != Reason.WORDS_ONLY]


@dataclass(frozen=True)
class Found:
    """The answer to one question. A section is None where it could not be searched."""

    question: str
    articles: Sequence[Hit] | None = ()
    cases: Sequence[Hit] | None = ()
    #: Whether the question was noted as one the knowledge base does not answer.
    noted: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether there is too little of a question to search for."""
        return len(self.question.strip()) < SHORTEST

    @property
    def is_unavailable(self) -> bool:
        """Whether nothing could be searched at all."""
        return self.articles is None and self.cases is None

    @property
    def hits(self) -> list[Hit]:
        """All results, in the order in which they stand."""
        return [*(self.articles or ()), *(self.cases or ())]

    @property
    def is_words_only(self) -> bool:
        """Whether meaning could not be compared."""
        return any(Reason.WORDS_ONLY in hit.evidence.reasons for hit in self.hits)

    @property
    def says(self) -> str:
        """The outcome in a few words, for those who hear it."""
        if self.is_idle:
            return ""
        if self.is_unavailable:
            return "Search is not available right now."
        return f"{_counted(self.articles, 'article')}, {_counted(self.cases, 'similar case')}."


def find(question: str, *, visible_to: Operator) -> Found:
    """Search both sections; one that fails leaves the other standing. Too short a question is not searched for."""
    if Found(question).is_idle:
        return Found(question)
    asked = tidy(question)
    with telemetry.span("retrieval.search"):
        (vector,) = vectors([asked])  # once for both sections: it is what costs most
        articles = readable(
            lambda: _near(passages(asked, vector, visible_to=visible_to, limit=ARTICLES, per_article=1))
        )
        cases = readable(lambda: _near(similar(asked, vector, visible_to=visible_to, limit=CASES)))
    records = readable(lambda: _records(cases or (), visible_to)) or {}
    return Found(question, _hits(question, articles, {}, 1), _hits(question, cases, records, 1 + len(articles or ())))


def _hits(
    question: str, found: Sequence[Evidence] | None, records: Mapping[int, ResolvedCase], first: int
) -> list[Hit] | None:
    if found is None:
        return None
    return [_hit(number, each, records, question) for number, each in enumerate(found, start=first)]


def _near(found: Sequence[Evidence]) -> list[Evidence]:
    return [each for each in found if Reason.WORDS in each.reasons or (each.similarity or 0.0) >= NEAR]


def _hit(number: int, evidence: Evidence, records: Mapping[int, ResolvedCase], question: str) -> Hit:
    words = evidence.content if evidence.conversation_id is not None else markdown.to_text(evidence.content)
    return Hit(number, evidence, snippet(words, question), records.get(evidence.conversation_id or 0))


def _records(found: Sequence[Evidence], viewer: Operator) -> dict[int, ResolvedCase]:
    ids = [each.conversation_id for each in found]
    query = select(ResolvedCase).where(ResolvedCase.conversation_id.in_(ids), ResolvedCase.tenant == viewer.tenant)
    return {case.conversation_id: case for case in session().scalars(query)} if ids else {}


def _counted(hits: Sequence[Hit] | None, what: str) -> str:
    if hits is None:
        return f"{what}s could not be searched"
    return f"{len(hits) or 'no'} {what}{'' if len(hits) == 1 else 's'}"

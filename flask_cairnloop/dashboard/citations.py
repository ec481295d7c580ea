"""The sources an operator names in a reply: chips in the composer, footnotes once it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_cairnloop import retrieval
from flask_cairnloop.core.errors import InvalidInput
from flask_cairnloop.host.people import Operator
from flask_cairnloop.retrieval import Evidence, Trust

LIMIT = 10  # sources of one message
READ = 30  # of a form; what is beyond is not looked at
ID_LENGTH = 100


@dataclass(frozen=True)
class Source:
    """One source as a chip shows it. ``title`` is empty where it cannot be cited, or not any more."""

    id: str
    title: str = ""
    heading: str = ""

    @property
    def is_citable(self) -> bool:
        """Whether a reply may name it."""
        return bool(self.title)


def read(given: Iterable[str]) -> tuple[str, ...]:
    """The ids a form names, each once."""
    return tuple(dict.fromkeys(each.strip()[:ID_LENGTH] for each in given if each.strip()))[:READ]


def chips(ids: Sequence[str], *, visible_to: Operator) -> list[Source]:
    """The sources for the composer, those that cannot be cited among them."""
    found = [(each, _citable(each, visible_to)) for each in ids]
    return [Source(key, source.title, source.heading) if source else Source(key) for key, source in found]


def resolve(ids: Sequence[str], *, visible_to: Operator) -> list[dict[str, Any]]:
    """The sources as they are stored with a sent message: ``{id, title, heading, article_id, revision_id}``.

    Raises ``InvalidInput`` for more than ten, and where one is no published article the viewer can see: a past case
    helps an operator and is nothing to show a customer.
    """
    if len(ids) > LIMIT:
        raise InvalidInput({"citation": f"reply names {len(ids)} sources; {LIMIT} are allowed"})
    found = [_citable(each, visible_to) for each in ids]
    if None in found:
        raise InvalidInput({"citation": "reply names a source that is no published article. Remove it to send"})
    keys = ("id", "title", "heading", "article_id", "revision_id")
    return [{key: getattr(source, key) for key in keys} for source in found if source is not None]


def _citable(evidence_id: str, viewer: Operator) -> Evidence | None:
    found = retrieval.find_evidence(evidence_id, visible_to=viewer)
    return found if found is not None and found.trust == Trust.CANONICAL and found.article_id is not None else None

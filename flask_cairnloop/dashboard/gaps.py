"""GET /knowledge-base/gaps: the questions the knowledge base did not answer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import retrieval
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.htmx import region
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.retrieval import GapEvent, Trust
from flask_cairnloop.retrieval.redaction import MARKER

SIZE = 50  # rows of a page
TITLE_LENGTH = 80  # characters of a title made from a question


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/knowledge-base/gaps")(gaps)
    blueprint.get("/knowledge-base/gaps/list")(gaps_list)
    blueprint.get("/knowledge-base/gaps/<int:gap_id>")(gap)


def gaps() -> Response:
    """The questions, newest first."""
    return page("gaps/index.html", section="knowledge", **_listing())


def gaps_list() -> Response:
    """The list alone."""
    return region("gaps", "gaps/_list.html", **_listing())


def gap(gap_id: int) -> Response:
    """One question, why it went unanswered, and the nearest passages there are."""
    found = find_gap(gap_id)
    return page("gaps/show.html", section="knowledge", gap=found, passages=passages_of(found))


def find_gap(gap_id: int) -> GapEvent:
    """One gap, as far as the operator may see it."""
    return retrieval.get_gap(gap_id, visible_to=current_operator())


def title_for(found: GapEvent) -> str:
    """A title to begin with: the question without its mark and without what was left out of it, cut between words."""
    words = MARKER.sub(" ", found.question).strip().rstrip("?!. ").split()
    title = ""
    for word in words:
        if title and len(title) + len(word) >= TITLE_LENGTH:
            break
        title = f"{title} {word}".strip()
    return (title[:1].upper() + title[1:])[:TITLE_LENGTH]


def passages_of(found: GapEvent) -> list[dict[str, Any]]:
    """The nearest passages there were, each with the address it is read at."""
    return [passage | {"trust": Trust(passage["trust"]), "url": _source(passage["id"])} for passage in found.evidence]


def _listing() -> dict[str, Any]:
    before = whole(request.args, "before")
    found = retrieval.list_gaps(visible_to=current_operator(), before=before, limit=SIZE + 1)
    return {"gaps": found[:SIZE], "following": found[SIZE - 1].id if len(found) > SIZE else None, "before": before}


def _source(evidence_id: str) -> str | None:
    """Where a passage is read: its article, or the conversation of its case."""
    kind, _, rest = evidence_id.partition(":")
    number = rest.partition(":")[0]
    if not number.isdecimal():
        return None
    if kind == "article":
        return url_for(".article", article_id=int(number))
    return url_for(".conversation", conversation_id=int(number)) if kind == "case" else None

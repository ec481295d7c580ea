"""GET /search: the palette's results, and the same on a page of their own where there is no script."""

from __future__ import annotations

import logging
from dataclasses import replace

from flask import Blueprint, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from flask_cairnloop import retrieval
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import session
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.conversations import load
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.hits import LONGEST, Found, find
from flask_cairnloop.dashboard.htmx import region, wants_region
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.host.people import Operator
from flask_cairnloop.retrieval import GapSource, gaps

log = logging.getLogger("flask_cairnloop.dashboard")


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/search")(search)


def search() -> Response:
    """Knowledge and similar cases for ``?q=``; ``conversation=12`` is the thread it is searched for.

    With ``submitted=1`` a question that the knowledge base does not answer is remembered as a gap; words still being
    typed never are.
    """
    operator, number = current_operator(), whole(request.args, "conversation")
    conversation = load(number) if number is not None else None
    found = find(request.args.get("q", "")[:LONGEST], visible_to=operator)
    if request.args.get("submitted") == "1" and not found.is_idle:
        found = replace(found, noted=_note(found, conversation, by=operator))
    status = 503 if found.is_unavailable else 200
    if wants_region():
        return region("search-results", "search/_results.html", status=status, found=found)
    return page("search/index.html", section="search", status=status, found=found, conversation=conversation)


def _note(found: Found, conversation: Conversation | None, *, by: Operator) -> bool:
    """Remember a question that published articles answer weakly or not at all. Whether that was so."""
    try:
        grounding = retrieval.ground(found.question, visible_to=by)
        gap = gaps.record_gap(
            found.question,
            source=GapSource.SEARCH,
            level=grounding.level,
            cause=grounding.cause,
            evidence=[*grounding.evidence, *grounding.similar],
            by=by,
            conversation_id=conversation.id if conversation is not None else None,
        )
    except SQLAlchemyError as failure:
        log.warning("a gap could not be noted: %s", type(failure).__name__)
        session().rollback()
        return False
    return gap is not None

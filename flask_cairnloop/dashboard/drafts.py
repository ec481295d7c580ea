"""The waiting draft, and what an operator decides about it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import drafts
from flask_cairnloop.core.errors import InvalidTransition
from flask_cairnloop.dashboard import proposal
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.conversations import load, show
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.htmx import region, settled, wants_region
from flask_cairnloop.dashboard.messages import SAID
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.drafts import Draft, get_draft, longest_waiting, pending_for

SIZE = 50  # rows of a page


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/drafts")(drafts_waiting)
    blueprint.get("/<int:conversation_id>/draft")(draft)
    blueprint.post("/drafts/<int:draft_id>/approval")(approve_draft)
    blueprint.post("/drafts/<int:draft_id>/discard")(discard_draft)


def drafts_waiting() -> Response:
    """Every draft that waits, longest first."""
    after = whole(request.args, "after") or 0
    found = longest_waiting(visible_to=current_operator(), limit=SIZE + 1, after=after)
    following = found[SIZE - 1].draft.id if len(found) > SIZE else None
    return page("drafts/index.html", section="home", waiting=found[:SIZE], following=following)


def draft(conversation_id: int) -> Response:
    """The draft that waits in a conversation; one the policy keeps back only with ``?show=1``."""
    shown = load(conversation_id)
    return _region(shown.id, pending_for(shown.id), asked_for=request.args.get("show") == "1")


def approve_draft(draft_id: int) -> Response:
    """Send it as it stands, in the operator's name."""
    return _decide(draft_id, lambda found: drafts.approve(found.id, by=current_operator()))


def discard_draft(draft_id: int) -> Response:
    """Set it aside."""
    return _decide(draft_id, lambda found: drafts.discard(found.id, by=current_operator()))


def _decide(draft_id: int, decision: Callable[[Draft], object]) -> Response:
    found = get_draft(draft_id, visible_to=current_operator())
    conversation_id = found.conversation_id
    try:
        decision(found)
    except InvalidTransition as refusal:
        current = get_draft(draft_id, visible_to=current_operator())
        if wants_region():
            return _region(conversation_id, current, status=409, changed=SAID)
        return show(load(conversation_id), notice=str(refusal), status=409)
    return settled(
        lambda: _region(conversation_id, None, changed=SAID),
        back_to=url_for(".conversation", conversation_id=conversation_id),
    )


def _region(
    conversation_id: int,
    found: Draft | None,
    *,
    asked_for: bool = False,
    changed: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    return region(
        "draft",
        "drafts/_draft.html",
        changed=tuple(name for name in changed if name != "draft"),
        status=status,
        conversation=load(conversation_id),
        draft=proposal.read(found) if found is not None else None,
        asked_for=asked_for,
    )

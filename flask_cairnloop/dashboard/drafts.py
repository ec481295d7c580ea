"""The waiting draft, what an operator decides about it, and the drafts there were before."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import drafts
from flask_cairnloop.core.errors import InvalidInput, InvalidTransition
from flask_cairnloop.dashboard import proposal
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.conversations import load, show
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.htmx import region, settled, wants_region
from flask_cairnloop.dashboard.messages import SAID
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.drafts import Draft, DraftStatus, get_draft, longest_waiting, pending_for

SIZE = 50  # rows of a page
LISTED = ("inbox-list", "nav")  # where a draft that waits is marked


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/drafts")(drafts_waiting)
    blueprint.get("/<int:conversation_id>/draft")(draft)
    blueprint.post("/<int:conversation_id>/draft")(request_draft)
    blueprint.get("/<int:conversation_id>/drafts")(drafts_of_conversation)
    blueprint.get("/drafts/<int:draft_id>")(past_draft)
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


def request_draft(conversation_id: int) -> Response:
    """Ask for a draft, in place of the one that waits."""
    shown = load(conversation_id)
    try:
        drafts.regenerate(shown.id, by=current_operator())
    except InvalidTransition as refusal:
        if wants_region():
            return _region(shown.id, pending_for(shown.id), status=409, notice=str(refusal))
        return show(load(shown.id), notice=str(refusal), status=409)
    return settled(lambda: _region(shown.id, None, changed=LISTED), back_to=_thread(shown.id))


def drafts_of_conversation(conversation_id: int) -> Response:
    """Every draft a conversation had, newest first."""
    shown, before = load(conversation_id), whole(request.args, "before")
    found = drafts.drafts_of(shown.id, visible_to=current_operator(), before=before, limit=SIZE + 1)
    following = found[SIZE - 1].id if len(found) > SIZE else None
    return page(
        "drafts/of_conversation.html", section="inbox", conversation=shown, earlier=found[:SIZE], following=following
    )


def past_draft(draft_id: int) -> Response:
    """One draft as it was, whatever became of it."""
    found = get_draft(draft_id, visible_to=current_operator())
    shown = load(found.conversation_id)
    return page("drafts/show.html", section="inbox", conversation=shown, draft=proposal.read(found))


def approve_draft(draft_id: int) -> Response:
    """Send it as it stands, in the operator's name."""
    return _decide(draft_id, lambda found: drafts.approve(found.id, by=current_operator()))


def discard_draft(draft_id: int) -> Response:
    """Set it aside, with a reason where one is given."""
    reason = request.form.get("reason")
    return _decide(draft_id, lambda found: drafts.discard(found.id, by=current_operator(), reason=reason))


def _decide(draft_id: int, decision: Callable[[Draft], object]) -> Response:
    found = get_draft(draft_id, visible_to=current_operator())
    conversation_id = found.conversation_id
    try:
        decision(found)
    except InvalidInput as refusal:
        return _refuse(draft_id, f"The reason {refusal.errors.get('reason', refusal)}.", status=422)
    except InvalidTransition as refusal:
        return _refuse(draft_id, str(refusal), status=409)
    return settled(lambda: _region(conversation_id, None, changed=SAID), back_to=_thread(conversation_id))


def _refuse(draft_id: int, why: str, *, status: int) -> Response:
    """The card as it is now; where it still waits, with the reason why nothing was done."""
    current = get_draft(draft_id, visible_to=current_operator())
    if not wants_region():
        return show(load(current.conversation_id), notice=why, status=status)
    notice = why if current.status == DraftStatus.PENDING else ""
    return _region(current.conversation_id, current, status=status, changed=SAID, asked_for=True, notice=notice)


def _thread(conversation_id: int) -> str:
    return url_for(".conversation", conversation_id=conversation_id)


def _region(
    conversation_id: int,
    found: Draft | None,
    *,
    asked_for: bool = False,
    changed: tuple[str, ...] = (),
    status: int = 200,
    notice: str = "",
) -> Response:
    shown = load(conversation_id)
    return region(
        "draft",
        "drafts/_draft.html",
        changed=tuple(name for name in changed if name != "draft"),
        status=status,
        conversation=shown,
        asked_for=asked_for,
        draft_notice=notice,
        **proposal.beside(shown, found),
    )

"""GET /approvals: every action that needs a person, riskiest first, then oldest."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import governance
from flask_cairnloop.dashboard import requested
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.htmx import region
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.dashboard.requested import Requested

SIZE = 20  # cards of a page


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/approvals")(approvals)
    blueprint.get("/approvals/list")(approvals_list)


def approvals() -> Response:
    """The screen."""
    return page("approvals/show.html", section="approvals", **_read(None))


def approvals_list() -> Response:
    """The cards alone."""
    return listing()


def listing(*, instead: Requested | None = None, changed: tuple[str, ...] = (), status: int = 200) -> Response:
    """The region of the cards; ``instead`` stands in for the one it shows."""
    return region("approvals", "approvals/_list.html", changed=changed, status=status, **_read(instead))


def _read(instead: Requested | None) -> dict[str, Any]:
    operator = current_operator()
    after = whole(request.args, "after")
    last = governance.get_proposal(after, visible_to=operator) if after else None
    found = governance.waiting(visible_to=operator, after=last, limit=SIZE + 1)
    cards = [requested.read(each, operator) for each in found[:SIZE]]
    if instead is not None:
        cards = [instead if card.id == instead.id else card for card in cards]
    following = url_for(".approvals", after=found[SIZE - 1].id) if len(found) > SIZE else None
    return {"actions": cards, "following": following, "after": after}

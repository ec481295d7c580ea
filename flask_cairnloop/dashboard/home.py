"""GET /: what needs me?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint
from werkzeug.wrappers import Response

from flask_cairnloop import conversations, drafts, governance
from flask_cairnloop.conversations import Conversation, InboxFilter, InboxSort, InboxView, Priority
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.htmx import region
from flask_cairnloop.dashboard.pages import Counts, page, readable, view_counts
from flask_cairnloop.drafts import Waiting
from flask_cairnloop.governance import ToolProposal

SHOWN = 5  # rows of each lane


@dataclass(frozen=True)
class Overview:
    """What home shows. None means that it could not be read."""

    counts: Counts | None
    #: Conversations that have waited longest for an answer.
    oldest: Sequence[Conversation] | None
    urgent: Sequence[Conversation] | None
    #: Conversations whose customer asked for a person.
    handed_over: Sequence[Conversation] | None
    drafts: Sequence[Waiting] | None
    drafts_count: int | None
    #: Actions a person has to decide about, or to settle.
    actions: Sequence[ToolProposal] | None
    actions_count: int | None

    def count(self, view: str) -> int | None:
        """How many conversations a view holds."""
        return self.counts[InboxView(view)] if self.counts is not None else None


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/")(home)
    blueprint.get("/home")(home_region)


def home() -> Response:
    """The screen."""
    overview = read()
    return page("home/show.html", section="home", overview=overview, counts=overview.counts)


def home_region() -> Response:
    """Its lanes alone."""
    return region("home", "home/_home.html", overview=read())


def read() -> Overview:
    """Read every lane; one that fails leaves the others standing."""
    operator = current_operator()
    return Overview(
        counts=view_counts(),
        oldest=readable(lambda: _first(InboxFilter(sort=InboxSort.OLDEST))),
        urgent=readable(lambda: _first(InboxFilter(sort=InboxSort.OLDEST, priority=Priority.URGENT))),
        handed_over=readable(lambda: _first(InboxFilter(sort=InboxSort.OLDEST, handed_over=True))),
        drafts=readable(lambda: drafts.longest_waiting(visible_to=operator, limit=SHOWN)),
        drafts_count=readable(lambda: drafts.count_waiting(visible_to=operator)),
        actions=readable(lambda: governance.waiting(visible_to=operator, limit=SHOWN)),
        actions_count=readable(lambda: governance.count_waiting(visible_to=operator)),
    )


def _first(chosen: InboxFilter) -> Sequence[Conversation]:
    return conversations.inbox(chosen, visible_to=current_operator(), limit=SHOWN).items

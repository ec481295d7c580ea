"""GET /inbox: which conversations need somebody, decided on without opening them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import conversations, governance
from flask_cairnloop.conversations import Conversation, InboxSort, InboxView, Page, Priority
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.forms import Asked, whole
from flask_cairnloop.dashboard.htmx import region, wants_region
from flask_cairnloop.dashboard.pages import Counts, page, view_counts
from flask_cairnloop.drafts import Draft, pending_among

Args = Mapping[str, Any]
SIZE = 50  # rows of a first page
LONGEST = 200  # rows one list grows to; the next ones stand on a page of their own


@dataclass(frozen=True)
class Listing:
    """The inbox as one list shows it."""

    asked: Asked
    found: Page[Conversation]
    counts: Counts | None
    #: Drafts that wait, by conversation.
    drafts: Mapping[int, Draft]
    #: Conversations in which an action waits for a person.
    approvals: Collection[int]
    #: The conversation that stands open beside the list.
    selected: int | None

    @property
    def rows(self) -> Sequence[Conversation]:
        """The conversations, in order."""
        return self.found.items

    @property
    def views(self) -> list[InboxView]:
        """The tabs."""
        return list(InboxView)

    @property
    def priorities(self) -> list[Priority]:
        """What the list can be narrowed to."""
        return list(Priority)

    @property
    def sorts(self) -> list[InboxSort]:
        """The orders it can have."""
        return list(InboxSort)

    def count(self, view: InboxView) -> int | None:
        """How many conversations a tab holds; None where that could not be read."""
        return self.counts[view] if self.counts is not None else None

    @property
    def grows(self) -> bool:
        """Whether more rows fit in this list."""
        return self.found.next_cursor is not None and self.asked.shown < LONGEST

    @property
    def more(self) -> int:
        """How many rows the list shows when it has grown."""
        return min(self.asked.shown + SIZE, LONGEST)

    @property
    def narrowed(self) -> bool:
        """Whether anything but the view is chosen."""
        return bool(set(self.asked.args) - {"view", "sort"})

    def view_url(self, view: InboxView) -> str:
        """The same narrowing, in another tab."""
        return self._inbox({key: value for key, value in self.asked.args.items() if key != "view"}, view=view.value)

    @property
    def top_url(self) -> str:
        """The list from its first row."""
        return self._inbox(self.asked.args)

    @property
    def more_url(self) -> str:
        """The screen with the list grown."""
        return self._inbox(self.asked.args, shown=self.more, cursor=self.asked.cursor)

    @property
    def more_region_url(self) -> str:
        """The list grown."""
        more: Args = {"shown": self.more, "cursor": self.asked.cursor, "selected": self.selected}
        return url_for(".inbox_list", **self.asked.args, **more)

    @property
    def next_url(self) -> str:
        """The rows after the last one shown, on a page of their own."""
        return self._inbox(self.asked.args, cursor=self.found.next_cursor)

    def conversation_url(self, row: Conversation) -> str:
        """A row's conversation, with this list beside it."""
        return url_for(".conversation", conversation_id=row.id, cursor=self.asked.cursor, **self.asked.args)

    def _inbox(self, args: Args, **more: Any) -> str:
        return url_for(".inbox", **args, **more)


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/inbox")(inbox)
    blueprint.get("/inbox/list")(inbox_list)


def inbox() -> Response:
    """The screen; asked by the page itself (tabs, filters), its list alone."""
    listing = read()
    if wants_region():
        return region("inbox-list", "inbox/_list.html", listing=listing)
    return page("inbox/show.html", section="inbox", listing=listing, counts=listing.counts)


def inbox_list() -> Response:
    """The list alone."""
    return region("inbox-list", "inbox/_list.html", listing=read(selected=whole(request.args, "selected")))


def read(*, selected: int | None = None) -> Listing:
    """The list this request's address names."""
    operator = current_operator()
    asked = Asked.read(request.args, size=SIZE, longest=LONGEST)
    found = conversations.inbox(asked.chosen, visible_to=operator, cursor=asked.cursor, limit=asked.shown)
    ids = [row.id for row in found.items]
    return Listing(asked, found, view_counts(), pending_among(ids), governance.waiting_among(ids), selected)

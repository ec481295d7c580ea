"""Rendering a whole screen: the shell around it, and what the shell needs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from flask import Blueprint, make_response, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from flask_cairnloop import conversations, governance
from flask_cairnloop.conversations import InboxView
from flask_cairnloop.core.database import session
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.htmx import region
from flask_cairnloop.dashboard.rendering import render

log = logging.getLogger("flask_cairnloop.dashboard")
T = TypeVar("T")
Counts = Mapping[InboxView, int]


@dataclass(frozen=True)
class Place:
    """One entry of the navigation. A ``counted`` one shows its number, which is None where it could not be read."""

    key: str
    word: str
    icon: str
    url: str
    counted: bool = False
    count: int | None = None
    #: What the number counts, in words.
    counts: str = "waiting for a reply"


def attach(blueprint: Blueprint) -> None:
    """Add the navigation's own region."""
    blueprint.get("/nav")(nav)


def nav() -> Response:
    """The navigation with its counts."""
    return region("nav", "_places.html", places=places(view_counts()), section=request.args.get("section", ""))


def page(
    template: str,
    *,
    section: str,
    status: int = 200,
    live: int | None = None,
    counts: Counts | None = None,
    **context: object,
) -> Response:
    """A screen inside the shell.

    ``section`` is marked in the navigation, ``live`` is the conversation the screen watches, ``counts`` spares a query
    where the screen has them already.
    """
    html = render(
        template,
        section=section,
        places=places(view_counts() if counts is None else counts),
        operator=current_operator(),
        live_url=url_for(".live", conversation=live),
        watched=live,
        counts=counts,
        **context,
    )
    return make_response(html, status)


def places(counts: Counts | None) -> list[Place]:
    """The navigation; ``counts`` is None where they could not be read."""
    waiting = counts[InboxView.NEEDS_REPLY] if counts is not None else None
    return [
        Place("home", "Home", "home", url_for(".home")),
        Place("inbox", "Inbox", "inbox", url_for(".inbox"), counted=True, count=waiting),
        Place(
            "approvals",
            "Approvals",
            "shield",
            url_for(".approvals"),
            counted=True,
            count=_approvals_waiting(),
            counts="waiting for approval",
        ),
        Place("knowledge", "Knowledge", "book", url_for(".articles")),
        Place("audit", "Audit", "list", url_for(".audit")),
        Place("settings", "Settings", "settings", url_for(".settings")),
    ]


def _approvals_waiting() -> int | None:
    return readable(lambda: governance.count_waiting(visible_to=current_operator()))


def view_counts() -> Counts | None:
    """How many conversations each view of the inbox holds."""
    return readable(lambda: conversations.counts(visible_to=current_operator()))


def readable(read: Callable[[], T]) -> T | None:
    """What ``read`` finds, or None where the database could not say: one number may fail without the page."""
    try:
        return read()
    except SQLAlchemyError as failure:
        log.warning("a number could not be read: %s", failure)
        session().rollback()
        return None

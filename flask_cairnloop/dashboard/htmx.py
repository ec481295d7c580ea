"""Answering with one region and naming the others that changed.

A region is one partial, one GET route, one DOM id and one event, all of one name. A page swaps in only answers
that carry the ``HX-Region`` header, so a login page or a proxy's error can never replace a piece of the desk.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import make_response, redirect, request
from werkzeug.wrappers import Response

from flask_cairnloop.dashboard.rendering import render

REGION = "HX-Region"


def wants_region() -> bool:
    """Whether the page asked for a piece of itself rather than for a screen."""
    return request.headers.get("HX-Request") == "true"


def region(name: str, partial: str, *, changed: tuple[str, ...] = (), status: int = 200, **context: object) -> Response:
    """The region ``name`` as ``partial`` shows it; pages refetch every region named in ``changed``."""
    response = make_response(render(partial, **context), status)
    return _named(response, name, changed)


def nothing(name: str, *, changed: tuple[str, ...] = ()) -> Response:
    """Accepted; there is nothing to show for it."""
    return _named(make_response("", 204), name, changed)


def settled(answer: Callable[[], Response], *, back_to: str) -> Response:
    """A change is made: its region for a page that can swap it in, else the screen again."""
    return answer() if wants_region() else redirect(back_to, 303)


def _named(response: Response, name: str, changed: tuple[str, ...]) -> Response:
    response.headers[REGION] = name
    if changed:
        response.headers["HX-Trigger"] = ", ".join(changed)
    return response

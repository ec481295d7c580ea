"""Refusals and failures, as pages that say what happened and what to do next."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, make_response, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from flask_cairnloop.core.errors import (
    HostFailure,
    InvalidInput,
    InvalidTransition,
    NotAllowed,
    NotFound,
    NotMigrated,
    Unavailable,
)
from flask_cairnloop.dashboard.access import CrossSite, NobodySignedIn
from flask_cairnloop.dashboard.htmx import region, wants_region
from flask_cairnloop.dashboard.rendering import render

log = logging.getLogger("flask_cairnloop.dashboard")

#: Which page answers which failure. The most specific class decides.
PAGES: dict[type[Exception], tuple[int, str]] = {
    CrossSite: (403, "cross_site.html"),
    NotAllowed: (403, "refused.html"),
    NotFound: (404, "404.html"),
    InvalidTransition: (409, "409.html"),
    InvalidInput: (422, "refused.html"),
    HostFailure: (503, "503.html"),
    NotMigrated: (503, "503.html"),
    Unavailable: (503, "503.html"),
}


def attach(blueprint: Blueprint) -> None:
    """Answer failures inside our own screens; the host's others stay the host's."""
    blueprint.register_error_handler(NobodySignedIn, _withheld)
    for kind, (status, template) in PAGES.items():
        blueprint.register_error_handler(kind, _answer(status, template))
    blueprint.register_error_handler(DBAPIError, _database_failed)
    blueprint.register_error_handler(404, _answer(404, "404.html"))
    blueprint.register_error_handler(500, _answer(500, "500.html"))
    blueprint.register_error_handler(HTTPException, _refused)


def show_problem(template: str, status: int, error: Exception) -> Response:
    """The page of a problem. It needs neither database nor operator."""
    phrase = HTTPStatus(status).phrase
    return make_response(render(f"errors/{template}", status=status, phrase=phrase, error=error), status)


def _answer(status: int, template: str) -> Callable[[Exception], Response]:
    return lambda error: show_problem(template, status, error)


def _withheld(error: NobodySignedIn) -> Response:
    """The page that asks to sign in; inside the palette, why nothing was searched."""
    if wants_region() and (request.endpoint or "").endswith(".search"):
        return region("search-results", "search/_withheld.html", status=403, error=error)
    return show_problem("403.html", 403, error)


def _database_failed(error: DBAPIError) -> Response:
    if not error.connection_invalidated and not _is_connection_failure(error):
        raise error
    log.warning("the database is unreachable: %s", error)
    return show_problem("503.html", 503, Unavailable("The database cannot be reached right now."))


def _is_connection_failure(error: DBAPIError) -> bool:
    from psycopg import OperationalError

    return isinstance(error.orig, OperationalError)


def _refused(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()
    return show_problem("refused.html", error.code, error)

"""GET /settings: who am I here, and is the desk wired right?"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop.dashboard import health, search_index
from flask_cairnloop.dashboard.display import THEME_COOKIE
from flask_cairnloop.dashboard.forms import member
from flask_cairnloop.dashboard.htmx import nothing, region, wants_region
from flask_cairnloop.dashboard.labels import Theme
from flask_cairnloop.dashboard.pages import page

YEAR = 31_536_000  # seconds


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/settings")(settings)
    blueprint.get("/settings/health")(settings_region)
    blueprint.get("/settings/search")(settings_search)
    blueprint.post("/settings/theme")(choose_theme)


def settings() -> Response:
    """The screen."""
    index, failed = search_index.look()
    found, wiring = health.findings(), health.wiring()
    return page("settings/show.html", section="settings", findings=found, wiring=wiring, index=index, failed=failed)


def settings_region() -> Response:
    """The health of every part, looked at again."""
    return region("settings", "settings/_health.html", findings=health.findings())


def settings_search() -> Response:
    """How the search index stands, looked at again."""
    index, failed = search_index.look()
    return region("settings-search", "settings/_search.html", index=index, failed=failed)


def choose_theme() -> Response:
    """Remember light, dark or the system's choice in a cookie of our own pages."""
    chosen = member(Theme, request.form, "theme") or Theme.SYSTEM
    response = nothing("theme") if wants_region() else redirect(_back(), 303)
    path = url_for(".home")
    if chosen == Theme.SYSTEM:
        response.delete_cookie(THEME_COOKIE, path=path)
    else:
        response.set_cookie(THEME_COOKIE, chosen.value, max_age=YEAR, path=path, samesite="Lax", httponly=True)
    return response


def _back() -> str:
    """The screen the operator came from, if it is one of this site."""
    came_from = request.referrer or ""
    return came_from if came_from.startswith(request.host_url) else url_for(".settings")

"""Who may come in: an operator the host vouches for, from a page of this very site."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from flask import current_app, g, request

from flask_cairnloop.core import schema
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure, NotAllowed
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.operators import Nobody
from flask_cairnloop.host.people import Operator

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = frozenset({"asset"})  # endpoints a page needs before it knows who asks


class NobodySignedIn(NotAllowed):
    """No operator is signed in."""

    @property
    def unset(self) -> bool:
        """Whether the host has not said yet who operators are."""
        return isinstance(settings.operator_resolver, Nobody)


class CrossSite(NotAllowed):
    """This request came from another site, so nothing was changed."""


def current_operator() -> Operator:
    """The operator of this request."""
    return cast("Operator", g.cairnloop_operator)


def admit() -> None:
    """Let the request in, or raise."""
    if request.endpoint and request.endpoint.rpartition(".")[2] in OPEN:
        return
    if request.method not in SAFE:
        refuse_cross_site()
    g.cairnloop_operator = _signed_in()
    schema.require_migrated()


def refuse_cross_site() -> None:
    """Raise ``CrossSite`` unless the browser says that the request comes from a page of this origin."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    else:
        origin = request.headers.get("Origin")
        allowed = origin is not None and _place(origin) == _place(request.host_url)
    if not allowed:
        raise CrossSite


def exempt_from_host_tokens(*_: object) -> None:
    """Tell Flask-WTF, where the host has it, that these requests are checked here.

    Runs before the host's own ``before_request`` functions, so it does not matter which extension was set up first.
    """
    csrf = current_app.extensions.get("csrf")
    exempt = getattr(csrf, "exempt", None)
    if exempt is not None and request.blueprint is not None:
        exempt(current_app.blueprints[request.blueprint])


def _signed_in() -> Operator:
    found = ask("operator_resolver", settings.operator_resolver.resolve, request)
    if found is None:
        raise NobodySignedIn
    if not isinstance(found, Operator):
        raise HostFailure(f"CAIRNLOOP_OPERATOR_RESOLVER answered with a {type(found).__name__}, not an Operator")
    return found


def _place(address: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ("", None, None)
    return (parts.scheme, parts.hostname, port)

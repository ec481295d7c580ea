"""The widget's files, for any page of the host: no operator is asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import abort, current_app, make_response, request, send_from_directory
from werkzeug.wrappers import Response

from flask_cairnloop.assets import folder
from flask_cairnloop.core.current import state

ENTRY = "widget.js"
YEAR = 31_536_000  # seconds
MINUTES = 300


def entry() -> Response:
    """What a page includes: a stable address that names the present version."""
    version = assets_version()
    response = make_response(f'import "./assets/{version}/{ENTRY}";\n')
    response.mimetype = "text/javascript"
    response.set_etag(version)
    response.cache_control.public = True
    response.cache_control.max_age = MINUTES
    return response.make_conditional(request)


def asset(version: str, name: str) -> Response:
    """One file. Under the present version it may be kept for a year, under another not at all."""
    if Path(name).suffix not in {".js", ".css"}:
        abort(404)
    present = version == assets_version()
    response = send_from_directory(_root(), name, max_age=YEAR if present else 0)
    if present:
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.no_cache = None
    return response


def assets_version() -> str:
    """A digest of the files, made once per process; in debug mode each time, since they are being edited."""
    return _digest() if current_app.debug else state().once("widget_assets_version", _digest)


def _root() -> Path:
    return folder("static") / "cairnloop" / "widget"


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_root().glob("*.*")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]

"""Our stylesheets, scripts and icons, under a path that changes with their contents."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, current_app, send_from_directory
from werkzeug.wrappers import Response

from flask_cairnloop.assets import folder
from flask_cairnloop.core.current import state

YEAR = 31_536_000  # seconds


def attach(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.get("/assets/<version>/<path:name>")(asset)


def asset(version: str, name: str) -> Response:
    """One file. It may be kept for a year under its own version, and not at all under another."""
    current = version == assets_version()
    response = send_from_directory(_root(), name, max_age=YEAR if current else 0, conditional=True)
    if current:
        response.cache_control.immutable = True
        response.cache_control.public = True
        response.cache_control.no_cache = None
    return response


def assets_version() -> str:
    """A digest of every file, made once per process; in debug mode each time, since files are being edited."""
    return _digest() if current_app.debug else state().once("assets_version", _digest)


def _root() -> Path:
    return folder("static") / "cairnloop"


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in _root().rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(_root())).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

"""The host that widget tests serve: its own hooks use the database, as a login does."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from flask_cairnloop import Customer
from flask_cairnloop.signals import message_received
from tests.support.hosts import make_app, token_for

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Trailmark</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Trailmark</h1><p><a href="#here">A link of the host's own</a></p></main>
<cairnloop-widget {attributes} title="Trailmark support"></cairnloop-widget>
<script type="module" src="{prefix}/support/widget/widget.js"></script></body></html>"""


def create() -> Flask:
    """Built by the web server from its environment."""
    settings: dict[str, Any] = json.loads(os.environ.get("HOST_SETTINGS", "{}"))
    app = make_app(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], **settings)
    database = app.extensions["sqlalchemy"]

    @app.before_request
    def read_the_login() -> None:
        if request.path != "/health":
            with suppress(OperationalError):  # nobody is signed in while the database is away
                database.session.execute(text("SELECT 1"))

    @app.get("/health")
    def health() -> str:
        return "ok"

    @app.get("/connections")
    def connections() -> dict[str, int]:
        database.session.remove()
        return {"held": database.engine.pool.checkedout()}

    @app.get("/")
    def page() -> Response:
        customer = Customer(ref=request.args.get("as", "mina"), name="Mina Park")
        token = "forged" if "forged" in request.args else token_for(customer)
        attributes = 'token-url="/token"' if "fetch" in request.args else f'token="{token}"'
        html = PAGE.format(attributes=attributes, prefix=request.script_root)
        return Response(html, headers={"Content-Security-Policy": POLICY})

    @app.get("/token")
    def token() -> dict[str, str]:
        return {"token": token_for(Customer(ref="mina", name="Mina Park"))}

    if marker := os.environ.get("DIE_ONCE_AFTER_COMMIT"):
        message_received.connect(lambda sender, **_: _die_once(Path(marker)), app, weak=False)
    return app


def _die_once(marker: Path) -> None:
    if not marker.exists():
        marker.touch()
        os._exit(9)

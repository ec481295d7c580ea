"""The widget's routes, made anew for each mount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request
from flask_sock import Sock

from flask_cairnloop.widget.assets import asset, entry

if TYPE_CHECKING:
    from simple_websocket import Server


def create_blueprint(name: str) -> Blueprint:
    """The websocket at ``/widget/socket`` and the script at ``/widget/widget.js``, below the desk's prefix."""
    blueprint = Blueprint(name, __name__)
    blueprint.get("/widget/widget.js")(entry)
    blueprint.get("/widget/assets/<version>/<path:name>")(asset)
    blueprint.before_request(_without_compression)
    Sock().route("/widget/socket", bp=blueprint, endpoint="socket")(_attend)
    return blueprint


def _attend(ws: Server) -> None:
    from flask_cairnloop.widget.socket import attend  # with pydantic, on the first socket: no weight on the start

    attend(ws)


def _without_compression() -> None:
    """A compressor would cost each idle socket some 300 KB, and small frames gain nothing."""
    request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)

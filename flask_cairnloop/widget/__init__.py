"""The customer's chat: its websocket and the files of its custom element."""

from __future__ import annotations

from flask_cairnloop.widget.blueprint import create_blueprint

__all__ = ["create_blueprint"]

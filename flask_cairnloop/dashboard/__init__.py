"""The operator's screens."""

from __future__ import annotations

from flask_cairnloop.dashboard.blueprint import create_blueprint

__all__ = ["create_blueprint"]

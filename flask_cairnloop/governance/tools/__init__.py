"""Tools that come with the desk."""

from __future__ import annotations

from flask_cairnloop.governance.tools.internal_note import InternalNote

__all__ = ["InternalNote"]

"""Where ``templates/``, ``static/`` and ``migrations/`` lie: in the package when installed, else beside it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The absolute path of one of our three folders."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name

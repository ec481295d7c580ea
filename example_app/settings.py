"""Where Trailmark's settings come from: the environment, and a secret made on first start."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask_cairnloop.config import keys as cairnloop_settings

DATABASE_URL = "postgresql+psycopg://localhost/trailmark"


def from_environment() -> dict[str, Any]:
    """Flask's settings, ours and Flask-Cairnloop's."""
    values: dict[str, Any] = {
        "SQLALCHEMY_DATABASE_URI": _with_driver(os.environ.get("DATABASE_URL", DATABASE_URL)),
        "SECRET_KEY": os.environ.get("SECRET_KEY"),
        "SESSION_COOKIE_NAME": "trailmark",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CAIRNLOOP_BRAND": "Trailmark",
        "CAIRNLOOP_HOME_URL": "/",
        "CAIRNLOOP_OPERATOR_RESOLVER": "example_app.support.operators:TrailmarkOperators",
        "CAIRNLOOP_CONTEXT_PROVIDER": "example_app.support.context:TrailmarkContext",
        "CAIRNLOOP_AUTOMATION_POLICY": "example_app.support.policy:TrailmarkPolicy",
        "CAIRNLOOP_DRAFT_GENERATOR": "example_app.support.generator:GenerousGenerator",
        "CAIRNLOOP_TOOLS": [
            f"example_app.support.tools:{name}" for name in ("LookUpCharge", "AddSeats", "RefundCharge")
        ],
        "CAIRNLOOP_WIDGET_VERIFIER": "example_app.support.widget:TrailmarkTokens",
    }
    return values | {key: os.environ[key] for key in cairnloop_settings() if key in os.environ}


def kept_secret(folder: Path) -> str:
    """The secret of this installation, made on first use and readable by its owner only."""
    path, draft = folder / "secret_key", folder / f".secret_key.{os.getpid()}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):  # another process was first: its secret is the one
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


def _with_driver(url: str) -> str:
    """Name the driver where an address leaves it open, as managed databases hand it out."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in {"postgres", "postgresql"} else url

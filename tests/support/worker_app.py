"""A host for worker processes: its database and Redis come from the environment."""

from __future__ import annotations

import os

from flask import Flask

from tests.support.hosts import make_app


def create_app() -> Flask:
    """The same host as in the tests, in a process of its own."""
    return make_app(
        os.environ["TEST_DATABASE_URL"],
        os.environ["TEST_REDIS_URL"],
        CAIRNLOOP_EMBEDDER=os.environ.get("TEST_EMBEDDER") or None,
        CAIRNLOOP_DRAFT_DELAY=float(os.environ.get("TEST_DRAFT_DELAY", "0")),
        CAIRNLOOP_TOOLS=[name for name in os.environ.get("TEST_TOOLS", "").split(",") if name],
        CAIRNLOOP_WIDGET_RATE=int(os.environ.get("TEST_WIDGET_RATE", "60")),
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 10, "max_overflow": 20},
    )

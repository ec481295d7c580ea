"""Runs Trailmark's own migrations inside its app. Only Trailmark's tables are seen here."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app

settings = current_app.extensions["migrate"]
database = settings.db


def keep_only_changes(_: Any, __: Any, directives: list[Any]) -> None:
    """Write no empty revision."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives.clear()


with database.engine.connect() as connection:
    options = {"process_revision_directives": keep_only_changes, **settings.configure_args}
    context.configure(connection=connection, target_metadata=database.metadata, **options)
    with context.begin_transaction():
        context.run_migrations()

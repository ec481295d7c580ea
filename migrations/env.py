"""Runs the desk's own migrations, in its own schema, with its own version table."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import text

from flask_cairnloop.core.database import SCHEMA, Base
from flask_cairnloop.core.schema import VERSION_TABLE
from flask_cairnloop.extension import Cairnloop  # the tables of every package

assert Cairnloop


def ours(item: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """Whether a table is in our schema; everything else is the host's."""
    return kind != "table" or getattr(item, "schema", None) == SCHEMA


def our_schema(name: str | None, kind: str, parents: object) -> bool:
    """Look into our schema only."""
    return kind != "schema" or name == SCHEMA


def run() -> None:
    """Migrate over the host's engine."""
    engine = current_app.extensions["migrate"].db.engine
    options = {"target_metadata": Base.metadata, "version_table": VERSION_TABLE, "version_table_schema": SCHEMA}
    options |= {"include_schemas": True, "include_object": ours, "include_name": our_schema}
    if context.is_offline_mode():
        context.configure(url=str(engine.url), literal_binds=True, **options)
        with context.begin_transaction():
            context.run_migrations()
        return
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        connection.commit()
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()


run()

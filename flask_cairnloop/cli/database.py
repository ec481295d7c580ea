"""``flask cairnloop db upgrade|downgrade|current|check``: our own migrations, on Flask-Migrate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import text

from flask_cairnloop.assets import folder
from flask_cairnloop.core import schema
from flask_cairnloop.core.database import SCHEMA, engine

database = AppGroup("db", help="Bring the desk's own tables up to date. The host's migrations are never touched.")


@contextmanager
def _flask_migrate() -> Iterator[str]:
    """Flask-Migrate with our directory; where the host has none, one that is gone again afterwards."""
    from flask_migrate import Migrate

    own = "migrate" not in current_app.extensions
    if own:
        Migrate(current_app, current_app.extensions["sqlalchemy"], command="cairnloop-db")
    try:
        yield str(folder("migrations"))
    finally:
        if own:
            del current_app.extensions["migrate"]


def _refuse_shadowing() -> None:
    """A role named like our schema would find the host's own tables there: Postgres looks into "$user" first."""
    with engine().connect() as connection:
        user, path = connection.execute(text("SELECT current_user, current_setting('search_path')")).one()
    if user == SCHEMA and "$user" in path:
        raise click.ClickException(
            f"The database role is named {user!r} like our schema: Postgres would put the host's own tables into it. "
            f"Use another role, or run: ALTER ROLE {user} SET search_path = public"
        )


@database.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Create or bring up to date the desk's tables."""
    from flask_migrate import upgrade as run

    _refuse_shadowing()
    with _flask_migrate() as directory:
        run(directory=directory, revision=revision)
    click.echo(f"Cairnloop's tables are at {schema.current_version()}.")


@database.command()
@click.argument("revision", default="-1")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, yes: bool) -> None:
    """Go back one revision, or to REVISION ("base" removes every table and what is in them)."""
    from flask_migrate import downgrade as run

    if not yes:
        click.confirm(f"This removes tables or columns with their data (to {revision}). Go on?", abort=True)
    with _flask_migrate() as directory:
        run(directory=directory, revision=revision)
    click.echo(f"Cairnloop's tables are at {schema.current_version() or 'none'}.")


@database.command()
def current() -> None:
    """Say which revision the database is at, and which this code needs."""
    click.echo(f"database: {schema.current_version() or 'none'}\ncode:     {schema.HEAD}")


@database.command()
def check() -> None:
    """Exit 1 unless the database is at the revision this code needs."""
    found = schema.current_version()
    if found != schema.HEAD:
        raise click.ClickException(
            f"The database is at {found or 'none'}, this code needs {schema.HEAD}. Run: flask cairnloop db upgrade"
        )
    click.echo(f"Up to date at {found}.")

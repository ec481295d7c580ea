"""``flask --app example_app trailmark seed``."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from flask.cli import AppGroup

from example_app.seeding.accounts import seed_accounts
from example_app.seeding.actions import seed_actions
from example_app.seeding.articles import seed_articles
from example_app.seeding.conversations import seed_conversations
from flask_cairnloop import CairnloopError
from flask_cairnloop.core import schema, work

trailmark: click.Group = AppGroup("trailmark", help="The demo company: its customers and their questions.")


@trailmark.command()
def seed() -> None:
    """Fill an empty demo; running it again changes nothing."""
    now = datetime.now(UTC)
    try:
        schema.require_migrated()
        seed_accounts()
        if articles := seed_articles(now):
            work.run_due()  # drafts of the past month rest on articles that could be found then
        told = seed_conversations(now)
        click.echo(f"{articles} article(s), {told} conversation(s) and {seed_actions(now)} action(s) added.")
    except CairnloopError as error:
        raise click.ClickException(str(error)) from error

"""``flask cairnloop embedder``: the model behind the default embedder."""

from __future__ import annotations

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from flask_cairnloop import knowledge
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.core.schema import require_migrated
from flask_cairnloop.minilm import weights

embedder: click.Group = AppGroup("embedder", help="The local embedding model.")


@embedder.command("install")
@click.option("--force", is_flag=True, help="Fetch again even where the files are right.")
@with_appcontext
def install(force: bool) -> None:
    """Fetch the model (84 MB, once) and give it to articles that were indexed without it."""
    try:
        weights.install(settings.model_dir, say=click.echo, force=force)
    except CairnloopError as failure:
        raise click.ClickException(str(failure)) from None
    if promised := _index_again():
        click.echo(f"{promised} article(s) will be indexed again by the worker.")


@embedder.command("status")
@with_appcontext
def status() -> None:
    """Say which embedder is in use, and whether the local model's files are there and right."""
    chosen = settings.embedder
    click.echo(f"embedder: {chosen.name} ({chosen.dimension} dimensions)" if chosen else "embedder: none")
    files = weights.status(settings.model_dir)
    for file in files:
        click.echo(f"{file.state:8} {file.path}")
    if any(file.state != "ok" for file in files):
        click.echo(f"Run: {weights.INSTALL_COMMAND}")
        raise click.exceptions.Exit(1)


def _index_again() -> int:
    """Promise vectors for what has none; before the first migration there is nothing to promise."""
    try:
        require_migrated()
        with transaction():
            lacking = knowledge.without_vectors()
            for revision_id in lacking:
                knowledge.index_revision.enqueue(unique_key=f"index:{revision_id}", revision_id=revision_id)
        return len(lacking)
    except (CairnloopError, SQLAlchemyError):
        return 0

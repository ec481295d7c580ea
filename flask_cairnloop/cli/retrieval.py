"""``flask cairnloop retrieval``: the search index, and how good search is."""

from __future__ import annotations

import signal

import click
from flask.cli import AppGroup, with_appcontext

from flask_cairnloop.cli.evaluation import evaluation
from flask_cairnloop.cli.progress import Bar
from flask_cairnloop.config import Settings
from flask_cairnloop.core import work
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import CairnloopError, HostFailure
from flask_cairnloop.core.schema import require_migrated
from flask_cairnloop.host.embedder import Embedder
from flask_cairnloop.knowledge import vectors
from flask_cairnloop.knowledge.rebuilding import ARTICLES, Corpus, promise_missing, rebuild
from flask_cairnloop.retrieval import CASES, promise_cases

retrieval: click.Group = AppGroup("retrieval", help="Search: its vectors, its index, its quality.")
retrieval.add_command(evaluation)

CORPORA = {"articles": ARTICLES, "cases": CASES}
INDEXING = ("index_revision", "index_case")  # the jobs that make things findable
AGAIN = "Run the same command again: it goes on where it stopped."


@retrieval.command("rebuild")
@click.option("--embedder", "path", metavar="DOTTED_PATH", help="Of another embedder than the configured one.")
@click.option("--corpus", type=click.Choice(["articles", "cases", "all"]), default="all", show_default=True)
@click.option("--drop-others", "drop", is_flag=True, help="Then forget every other model's vectors and indexes.")
@with_appcontext
def rebuild_vectors(path: str | None, corpus: str, drop: bool) -> None:
    """Give vectors to what has none and build the index, while the desk goes on searching.

    Stop it at any time; the next run goes on where this one stopped. docs/embedders.md shows how to change models.
    """
    signal.signal(signal.SIGTERM, _stop)
    try:
        require_migrated()
        embedder = _chosen(path)
        if corpus != "cases" and (promised := promise_missing()):
            click.echo(f"{promised} article(s) were not searchable yet; the worker indexes them.", err=True)
        if corpus != "articles" and (promised := promise_cases()):
            click.echo(f"{promised} resolved conversation(s) had no case yet; the worker writes them.", err=True)
        for name, each in CORPORA.items():
            if corpus in (name, "all"):
                _rebuild(name, each, embedder)
        if drop:
            _drop(embedder)
    except HostFailure as failure:
        raise click.ClickException(f"{failure}\n{AGAIN}") from None
    except CairnloopError as failure:
        raise click.ClickException(str(failure)) from None


@retrieval.command("replay")
@with_appcontext
def replay() -> None:
    """Let indexing jobs that were given up be tried again."""
    try:
        require_migrated()
    except CairnloopError as failure:
        raise click.ClickException(str(failure)) from None
    click.echo(f"{work.replay(INDEXING)} job(s) wait again for the worker.")


def _chosen(path: str | None) -> Embedder:
    embedder = Settings.from_mapping({"CAIRNLOOP_EMBEDDER": path}).embedder if path else settings.embedder
    if embedder is None:
        raise CairnloopError("CAIRNLOOP_EMBEDDER is None, so search goes by words alone and needs no vectors")
    return embedder


def _rebuild(name: str, corpus: Corpus, embedder: Embedder) -> None:
    with Bar(name) as bar:
        made = rebuild(corpus, embedder, bar)
    index = "indexed" if made.has_index else "too long for an index, compared one by one"
    click.echo(f"{name}: {made.embedded} vector(s) of {embedder.name} made; {index}.")


def _drop(embedder: Embedder) -> None:
    keep = {embedder.name, *([settings.embedder.name] if settings.embedder else [])}
    for table in vectors.TABLES:
        click.echo(f"{table.corpus}: {vectors.drop_others(table, keep)} vector(s) of other models dropped.")


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)

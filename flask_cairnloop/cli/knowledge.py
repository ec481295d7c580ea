"""``flask cairnloop kb import|export``: the knowledge base as a folder of Markdown files."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from flask_cairnloop.core.schema import require_migrated
from flask_cairnloop.knowledge import Export, Exported, Fate, Import, Outcome, Written

knowledge: click.Group = AppGroup("kb", help="The knowledge base as a folder of Markdown files.")
FOLDER = click.Path(path_type=Path, file_okay=False)
TROUBLE = frozenset({Fate.CONFLICT, Fate.FAILED, Written.FOREIGN, Written.FAILED})


@knowledge.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--publish/--draft", "publishing", default=True, show_default=True, help="Publish what is new or changed."
)
@click.option("--tenant", default="", help="Whose knowledge base.")
@click.option("--prune", "pruning", is_flag=True, help="Archive imported articles whose files are gone.")
@click.option("--force", "forced", is_flag=True, help="Let the files win over what was changed in the desk.")
@click.option("--dry-run", "rehearsing", is_flag=True, help="Change nothing; say what would happen.")
@with_appcontext
def import_(folder: Path, rehearsing: bool, **options: bool | str) -> None:
    """Bring in the Markdown files under DIR: one article per file, known by its path. Run it as often as you like.

    Exit code 1 when a file could not be taken or an article was changed in the desk since; all others are brought in.
    """
    require_migrated()
    run = Import(folder, rehearsing=rehearsing, **options)  # type: ignore[arg-type]
    try:
        files = run.files()
    except OSError as failure:
        raise click.ClickException(f"{failure.filename} cannot be read: {failure.strerror}") from None
    if not files:
        raise click.ClickException(f"There are no Markdown files in {folder}")
    outcomes: list[Outcome] = []
    with click.progressbar(files, label="Importing", file=sys.stderr) as shown:
        outcomes += (run.bring(found) for found in shown)
    outcomes += run.missing(files)
    if rehearsing:
        click.echo("Nothing was changed; this would happen:")
    _tell(outcomes, quiet={Fate.UNCHANGED})


@knowledge.command("export")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--tenant", default="", help="Whose knowledge base.")
@click.option("--force", "forced", is_flag=True, help="Overwrite files that hold something else.")
@with_appcontext
def export(folder: Path, tenant: str, forced: bool) -> None:
    """Write the published articles to DIR as Markdown files, which an import reads back.

    Exit code 1 when a file could not be written, or would have overwritten something else; all others are written.
    """
    require_migrated()
    run = Export(folder, tenant, forced)
    folder.mkdir(parents=True, exist_ok=True)
    with click.progressbar(run.run(), length=run.count(), label="Exporting", file=sys.stderr) as shown:
        outcomes = list(shown)
    _tell(outcomes, quiet={Written.UNCHANGED, Written.WRITTEN})


def _tell(outcomes: Sequence[Outcome | Exported], *, quiet: set[Fate] | set[Written]) -> None:
    """One line for what somebody may want to look at, then the counts, then what went wrong."""
    for each in outcomes:
        if each.fate not in quiet and each.fate not in TROUBLE:
            click.echo(_line(each))
    counts = Counter(each.fate.value for each in outcomes)
    click.echo(", ".join(f"{number} {fate}" for fate, number in counts.items()) or "nothing to do")
    trouble = [each for each in outcomes if each.fate in TROUBLE]
    for each in trouble:
        click.echo(_line(each), err=True)
    if trouble:
        raise click.exceptions.Exit(1)


def _line(each: Outcome | Exported) -> str:
    path = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in each.path)
    return f"{each.fate.value:9} {path}" + (f": {each.reason}" if each.reason else "")

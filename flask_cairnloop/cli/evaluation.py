"""``flask cairnloop retrieval eval``: how good search is on questions whose answers are known."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from flask_cairnloop.cli.progress import Bar
from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.core.schema import require_migrated
from flask_cairnloop.retrieval.evaluation import Report, evaluate
from flask_cairnloop.retrieval.samples import load


@click.command("eval")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--off-topic", type=click.Path(path_type=Path), help="Questions nothing answers: a file, or a folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@with_appcontext
def evaluation(folder: Path, off_topic: Path | None, as_json: bool) -> None:
    """Measure search on FOLDER: corpus.jsonl (or cases.jsonl) and queries.jsonl.

    Everything happens in one transaction that is rolled back: the desk's own articles and cases are neither searched
    nor changed. docs/retrieval.md describes the files.
    """
    signal.signal(signal.SIGTERM, _stop)
    try:
        require_migrated()
        collection = load(folder, off_topic)
        for remark in collection.remarks:
            click.echo(f"Note: {remark}", err=True)
        report = evaluate(collection, _progress)
    except CairnloopError as failure:
        raise click.ClickException(str(failure)) from None
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        click.echo("\n".join(_table(report)))


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _progress(what: str, items: Sequence[Any]) -> Iterator[Any]:
    with Bar(what) as bar:
        for number, item in enumerate(items, 1):
            yield item
            bar(number, len(items))


def _table(report: Report) -> Iterator[str]:
    named = [
        *((f"recall@{depth}", share) for depth, share in report.recall.items()),
        ("nDCG@10", report.ndcg_at_10),
        ("MRR", report.mrr),
        ("precision@5 of similar cases", report.precision_at_5),
        ("off-topic caught at 5 % false escalation", report.abstain_at_5pct),
        ("  with escalation below a score of", report.threshold_at_5pct),
        ("off-topic told apart (AUROC)", report.auroc),
    ]
    yield f"{report.documents} documents, {report.questions} questions, {report.off_topic} off-topic"
    yield f"embedder: {report.embedder or 'none, words alone'}"
    for name, share in named:
        if share is not None:
            yield f"{name:42} {share:.3f}"
    for name, percent in (("median", 0.5), ("p95", 0.95), ("p99", 0.99)):
        yield f"{f'one search, {name}':42} {report.percentile(percent) * 1e3:.0f} ms"

"""What retrieval finds and what grounding lets through, on public questions.

Everything goes through the product's own verbs, index and search. ``CAIRNLOOP_DATA`` names the folder of the data, for
measuring only and no part of the project. ``python -m tests.benchmarks retrieval`` prints the table.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flask import Flask

from flask_cairnloop import Operator, knowledge, retrieval
from flask_cairnloop.core import work
from flask_cairnloop.core.database import transaction
from flask_cairnloop.retrieval import Grounding, GroundingLevel
from flask_cairnloop.retrieval.evaluation import evaluate
from flask_cairnloop.retrieval.samples import load
from tests.benchmarks.stage import backing, database
from tests.support.hosts import close, make_app

Row = tuple[str, str, str]
Question = dict[str, Any]
ADA = Operator(id="ada", name="Ada Osei")
_LITTLE = "a an and are as be by can do for from if in is it may not of on or that the this to when will with you your"
LITTLE = frozenset(_LITTLE.split())
REMOVALS = 3


def run() -> Iterator[Row]:
    """Rows of the table: what, measured, target."""
    folder = os.environ.get("CAIRNLOOP_DATA")
    if not folder or not Path(folder, "emanual").is_dir():
        yield ("Retrieval", "skipped: CAIRNLOOP_DATA names no folder with emanual/", "")
        return
    with backing() as running:
        for name, targets in (("emanual", (">= .74", ">= .82")), ("tau2_banking", ("about .344", "about .227"))):
            with database(running, name) as url, desk(url, running.redis_url) as app:
                articles, seconds = fill(app, read(folder, name, "corpus"))
                questions = read(folder, name, "queries")
                yield (f"{name}: indexing", f"{len(articles)} articles in {seconds:.0f} s", "")
                yield from found(name, questions, articles, targets)
                if name == "emanual":
                    yield from judged(questions, read(folder, "off_topic", "queries"))
                    yield removed(questions, articles)
        if Path(folder, "banking77").is_dir():
            with database(running, "banking77") as url, desk(url, running.redis_url):
                yield alike(Path(folder, "banking77"))


@contextmanager
def desk(url: str, redis_url: str) -> Iterator[Flask]:
    """A host with the local embedder."""
    app = make_app(url, redis_url)
    with app.app_context():
        yield app
    close(app)


def read(folder: str, name: str, kind: str) -> list[Question]:
    """The lines of one file."""
    lines = Path(folder, name, f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def fill(app: Flask, corpus: Sequence[Question]) -> tuple[dict[int, str], float]:
    """Write, publish and index every document; their ids by article, and how long the indexing took."""
    articles: dict[int, str] = {}
    with transaction():
        for document in corpus:
            article = knowledge.create_article(document["title"][:200] or "Untitled", by=ADA)
            knowledge.save_draft(article.id, document["text"] or document["title"], by=ADA)
            knowledge.publish(article.id, by=ADA)
            articles[article.id] = document["_id"]
    start = time.perf_counter()
    work.run_due(rounds=len(corpus))
    return articles, time.perf_counter() - start


def found(name: str, questions: Sequence[Question], articles: Mapping[int, str], targets: tuple[str, str]) -> list[Row]:
    """How good the order is, and how long a search takes."""
    gains, recalls, times = [], [], []
    for question in questions:
        start = time.perf_counter()
        answers = retrieval.search(question["text"], visible_to=ADA, limit=10)
        times.append(time.perf_counter() - start)
        order = [articles[each.article_id] for each in answers]
        gains.append(ndcg(order, set(question["relevant"])))
        recalls.append(len(set(order[:5]) & set(question["relevant"])) / len(question["relevant"]))
    times.sort()
    measured = f"{times[len(times) // 2] * 1e3:.0f} ms, {times[int(len(times) * 0.95)] * 1e3:.0f} ms"
    return [
        (f"{name}: nDCG@10", f"{statistics.mean(gains):.3f}", targets[0]),
        (f"{name}: recall@5", f"{statistics.mean(recalls):.3f}", targets[1]),
        (f"{name}: a search, median and p95", measured, ""),
    ]


def ndcg(order: Sequence[str], relevant: set[str]) -> float:
    """Gain of the first ten, discounted by place, against the best order there could be."""
    gain = sum(1 / math.log2(place + 2) for place, each in enumerate(order[:10]) if each in relevant)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(10, len(relevant))))


def judged(questions: Sequence[Question], off_topic: Sequence[Question]) -> list[Row]:
    """What grounding lets through, and what the drafts carry over of the reference answers."""
    inside = [retrieval.ground(each["text"], visible_to=ADA) for each in questions]
    outside = [retrieval.ground(each["text"], visible_to=ADA) for each in off_topic]
    bar = sorted(each.score for each in inside)[int(len(inside) * 0.05)]
    caught = statistics.mean(each.score < bar for each in outside)
    return [
        ("Answerable questions: strong, clarification, escalation", shares(inside), ""),
        ("Off-topic questions: strong, clarification, escalation", shares(outside), ""),
        ("Off-topic caught at 5 % false escalation", f"{caught:.1%} (below {bar:.2f})", ">= 95 %"),
        ("Off-topic told apart (AUROC of the score)", f"{auroc(inside, outside):.3f}", ".978 MiniLM alone"),
    ]


def removed(questions: Sequence[Question], articles: Mapping[int, str]) -> Row:
    """Whether the score tells questions whose article is missing: 30 % of the answering articles, put away thrice."""
    by_name = {name: article_id for article_id, name in articles.items()}
    answering = sorted({each for question in questions for each in question["relevant"] if each in by_name})
    found = []
    for draw in range(REMOVALS):
        gone = set(random.Random(draw).sample(answering, int(len(answering) * 0.3)))
        with suppress(_PutBack), transaction():
            for name in sorted(gone):
                knowledge.archive_article(by_name[name], by=ADA)
            judged_now = [retrieval.ground(each["text"], visible_to=ADA) for each in questions]
            scored = [(set(each["relevant"]) <= gone, one) for each, one in zip(questions, judged_now, strict=True)]
            raise _PutBack
        answerable = [grounding for missing, grounding in scored if not missing]
        found.append(auroc(answerable, [grounding for missing, grounding in scored if missing]))
    measured = f"{statistics.mean(found):.3f} ({min(found):.3f} to {max(found):.3f} in {REMOVALS} draws)"
    return ("30 % of the answering articles removed (AUROC of the score)", measured, "against .85")


class _PutBack(Exception):
    """Rolls the removal back."""


def alike(folder: Path) -> Row:
    """Similar cases, measured as ``flask cairnloop retrieval eval`` does."""
    report = evaluate(load(folder))
    return ("banking77: precision@5 of similar cases", f"{report.precision_at_5:.3f}", ">= .88")


def shares(groundings: Sequence[Grounding]) -> str:
    """The three levels' shares."""
    return ", ".join(f"{statistics.mean(each.level == level for each in groundings):.1%}" for level in GroundingLevel)


def auroc(inside: Sequence[Grounding], outside: Sequence[Grounding]) -> float:
    """How often an answerable question scores above one that is not."""
    return statistics.mean((a.score > b.score) + (a.score == b.score) / 2 for a in inside for b in outside)


def content_words(text: str) -> set[str]:
    """Its words without the little ones."""
    return {word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in LITTLE}


if __name__ == "__main__":
    for row in run():
        print(" | ".join(row), flush=True)

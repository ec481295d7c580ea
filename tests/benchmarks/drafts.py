"""How soon a draft is there, how much of a reference answer it holds, and what the claim gate lets through.

The first needs nothing but this project; the others run on public questions in the folder ``CAIRNLOOP_DATA`` names, for
measuring only and no part of the project. ``python -m tests.benchmarks drafts`` prints the table.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from example_app.content.questions import QUESTIONS
from example_app.seeding.articles import FOLDER
from flask_cairnloop import Customer, DraftKind, Sentence, conversations, drafts, knowledge, retrieval
from flask_cairnloop.conversations import Priority
from flask_cairnloop.core import work
from flask_cairnloop.core.database import transaction
from flask_cairnloop.drafts import ConversationView, claims
from flask_cairnloop.drafts.engines.extractive import ExtractiveGenerator
from flask_cairnloop.drafts.wording import lay_out
from flask_cairnloop.knowledge.sentences import split_sentences
from flask_cairnloop.retrieval import Grounding, GroundingLevel
from tests.benchmarks.retrieval import ADA, Question, content_words, desk, fill, read
from tests.benchmarks.stage import backing, database
from tests.support.hosts import make_app

Row = tuple[str, str, str]
MESSAGES = 40
PATIENCE = 30.0  # seconds for one draft
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def run() -> Iterator[Row]:
    """Rows of the table: what, measured, target."""
    with backing() as running:
        with database(running, "soon") as url:
            yield soon(url, running.redis_url)
        folder = os.environ.get("CAIRNLOOP_DATA")
        if not folder or not Path(folder, "emanual").is_dir():
            yield ("Drafts on public questions", "skipped: CAIRNLOOP_DATA names no folder with emanual/", "")
            return
        with database(running, "emanual") as url, desk(url, running.redis_url) as app:
            articles, _ = fill(app, read(folder, "emanual", "corpus"))
            yield from judged(read(folder, "emanual", "queries"), read(folder, "emanual", "corpus"), articles)


def create_app() -> Flask:
    """The worker's host: the one of the benchmark, with the bundled embedder."""
    return make_app(os.environ["BENCH_DATABASE_URL"], os.environ["BENCH_REDIS_URL"])


def soon(url: str, redis_url: str) -> Row:
    """Seconds from a customer's committed message to a draft an operator can see, with one worker process."""
    with desk(url, redis_url), worker(url, redis_url):
        with transaction():
            for path in sorted(FOLDER.glob("*.md")):
                article = knowledge.create_article(path.stem.replace("-", " ").capitalize(), by=ADA)
                knowledge.save_draft(article.id, path.read_text(encoding="utf-8"), by=ADA)
                knowledge.publish(article.id, by=ADA)
        while work.run_due(rounds=50):
            pass
        asked = [question for questions in QUESTIONS.values() for question in questions]
        took = [waited(asked[number % len(asked)], number) for number in range(MESSAGES + 2)][2:]
    took.sort()
    measured = f"{statistics.median(took):.2f} s, {took[int(len(took) * 0.95)]:.2f} s"
    return (f"From committed message to visible draft, {MESSAGES} messages, median and p95", measured, "p95 <= 1 s")


def waited(question: str, number: int) -> float:
    """Ask as a new customer and wait for the draft."""
    thread = conversations.receive_from(Customer(ref=f"customer-{number}"), question).conversation_id
    start = time.perf_counter()
    while time.perf_counter() - start < PATIENCE:
        with transaction():
            if drafts.pending_for(thread) is not None:
                return time.perf_counter() - start
        time.sleep(0.01)
    return PATIENCE


@contextmanager
def worker(url: str, redis_url: str) -> Iterator[None]:
    """One worker process."""
    command = [sys.executable, "-m", "flask", "--app", "tests.benchmarks.drafts", "cairnloop", "worker"]
    places = {"BENCH_DATABASE_URL": url, "BENCH_REDIS_URL": redis_url}
    process = subprocess.Popen(command, env=os.environ | places, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@dataclass
class Tally:
    """What came out, one truth per draft or sentence."""

    held: list[bool] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    honest: list[bool] = field(default_factory=list)
    swapped: list[bool] = field(default_factory=list)
    altered: list[bool] = field(default_factory=list)


def judged(questions: Sequence[Question], corpus: Sequence[Question], articles: dict[int, str]) -> list[Row]:
    """Quote an answer to every strong question, yes/no questions left out; then tamper with its sentences."""
    dice, tally = random.Random(7), Tally()
    known = {document["_id"]: split_sentences(document["text"]) for document in corpus if document["text"].strip()}
    for question in questions:
        grounding = retrieval.ground(question["text"], visible_to=ADA)
        if grounding.level != GroundingLevel.STRONG or question["meta"]["kind"] == "Yes_No":
            continue
        quote(question, grounding, tally)
        used = {articles[each.article_id] for each in grounding.evidence if each.article_id is not None}
        strange = [sentence for document, texts in known.items() if document not in used for sentence in texts]
        tamper(question, grounding, strange, dice, tally)
    return [
        (
            "Quoted replies with half of the reference's words",
            f"{statistics.mean(tally.held):.1%} of {len(tally.held)}, longest {max(tally.lengths)} words",
            ">= 55 %, <= 90 words",
        ),
        ("Claim gate: honest quoted sentences flagged", share(tally.honest), "<= 5 %"),
        ("Claim gate: sentences of unrelated articles flagged", share(tally.swapped), ">= 95 %"),
        ("Claim gate: sentences with one number altered flagged", share(tally.altered), ">= 95 %"),
    ]


def quote(question: Question, grounding: Grounding, tally: Tally) -> None:
    """What a quoted reply holds of the reference, and whether the gate agrees with it."""
    proposal = ExtractiveGenerator().generate_draft(view(question["text"]), grounding)
    body, wanted = lay_out(proposal.sentences), content_words(question["meta"]["answer"])
    tally.held.append(bool(wanted) and len(wanted & content_words(body)) >= len(wanted) / 2)
    tally.lengths.append(len(body.split()))
    tally.honest += flagged(proposal.sentences, grounding)


def tamper(question: Question, grounding: Grounding, strange: Sequence[str], dice: random.Random, tally: Tally) -> None:
    """Swap each quoted sentence for a strange one; and alter each number once."""
    proposal = ExtractiveGenerator().generate_draft(view(question["text"]), grounding)
    cited = [sentence for sentence in proposal.sentences if sentence.evidence_ids]
    swapped = [Sentence(dice.choice(strange), sentence.evidence_ids) for sentence in cited]
    altered = [
        Sentence(f"{each.text[: number.start()]}{other(number[0], dice)}{each.text[number.end() :]}", each.evidence_ids)
        for each in cited
        for number in NUMBER.finditer(each.text)
    ]
    tally.swapped += flagged(swapped, grounding)
    tally.altered += flagged(altered, grounding)


def flagged(sentences: Sequence[Sentence], grounding: Grounding) -> list[bool]:
    """The gate's doubt about each sentence that cites anything."""
    verdicts = claims.check(DraftKind.REPLY, sentences, grounding.evidence, names=("Mina",))
    pairs = zip(sentences, verdicts, strict=True)
    return [not verdict.is_supported for sentence, verdict in pairs if sentence.evidence_ids]


def other(number: str, dice: random.Random) -> str:
    """Another number."""
    return str(int(re.sub(r"\D", "", number)) + dice.choice((1, 2, 3, 5, 7, 10)))


def share(truths: Sequence[bool]) -> str:
    """How many of how many."""
    return f"{statistics.mean(truths):.1%} of {len(truths):,}"


def view(question: str) -> ConversationView:
    """A conversation in which only this was asked."""
    return ConversationView(
        id=1,
        tenant="",
        subject="Question",
        customer_ref="customer",
        customer_name="Mina",
        priority=Priority.NORMAL,
        tags=(),
        question=question,
        messages=(),
        answers_sequence=1,
        asks_sequence=1,
        just_clarified=False,
    )


if __name__ == "__main__":
    for row in run():
        print(" | ".join(row), flush=True)

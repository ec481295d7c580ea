from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, update

from flask_cairnloop import Customer, HostFailure, Operator, conversations, knowledge, retrieval
from flask_cairnloop.cli import cairnloop
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.jobs import Job, JobState
from flask_cairnloop.knowledge.models import Chunk, ChunkVector
from flask_cairnloop.knowledge.vectors import CHUNKS, has_index
from flask_cairnloop.retrieval.models import ResolvedCase
from flask_cairnloop.retrieval.summaries import meaning
from tests.support.embedders import WordEmbedder

RunJobs = Callable[[], int]
EMBEDDER = WordEmbedder()
OTHER = WordEmbedder("other", 24)
KILLS = 200 if os.environ.get("CAIRNLOOP_TORTURE") == "full" else 3


@pytest.fixture
def host_settings() -> dict[str, object]:
    EMBEDDER.failure = OTHER.failure = None
    return {"CAIRNLOOP_EMBEDDER": EMBEDDER}


def run(app: Flask, *arguments: str) -> Result:
    session().rollback()
    result = app.test_cli_runner().invoke(cairnloop, ["retrieval", *arguments])
    session().rollback()
    return result


def write(operator: Operator, run_jobs: RunJobs, count: int = 1, words: str = "Every hut has water.") -> None:
    for number in range(count):
        article = knowledge.create_article(f"Huts {number}", by=operator)
        knowledge.save_draft(article.id, words, by=operator)
        knowledge.publish(article.id, by=operator)
    run_jobs()
    session().rollback()


def vectors_of(model: str) -> int:
    query = select(func.count()).select_from(ChunkVector).where(ChunkVector.model == model)
    found = session().scalar(query) or 0
    session().rollback()
    return found


def test_another_model_is_filled_and_indexed_while_the_first_serves(
    app: Flask, operator: Operator, run_jobs: RunJobs
) -> None:
    write(operator, run_jobs, 2)
    result = run(app, "rebuild", "--embedder", "tests.cli.test_retrieval:OTHER")
    assert (result.exit_code, "articles: 2 vector(s) of other made; indexed." in result.output) == (0, True)
    assert "articles: 2 of 2" in result.stderr
    assert (vectors_of("words"), vectors_of("other")) == (2, 2)
    assert has_index(CHUNKS, OTHER)


def test_cases_get_their_vectors_too(app: Flask, customer: Customer) -> None:
    conversation_id = conversations.receive_from(customer, "My stove does not burn.").conversation_id
    with transaction() as db:
        words = {"subject": "Stove", "problem": "It does not burn.", "resolution": "Open the valve.", "outcome": "ok"}
        case = {"conversation_id": conversation_id, "actions": [], "resolved_at": now(), "digest": "d"}
        db.add(ResolvedCase(**words, **case))
    OTHER.texts.clear()
    result = run(app, "rebuild", "--corpus", "cases", "--embedder", "tests.cli.test_retrieval:OTHER")
    assert "cases: 1 vector(s) of other made; indexed." in result.output
    assert OTHER.texts == [meaning("Stove", "It does not burn.")]
    assert "cases: 0 vector(s)" in run(app, "rebuild", "--embedder", "tests.cli.test_retrieval:OTHER").output


def test_the_others_go_when_told(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    write(operator, run_jobs, 2)
    run(app, "rebuild", "--embedder", "tests.cli.test_retrieval:OTHER")
    result = run(app, "rebuild", "--drop-others")
    assert result.exit_code == 0, result.output
    assert "articles: 2 vector(s) of other models dropped." in result.output
    assert (vectors_of("words"), vectors_of("other")) == (2, 0)
    assert not has_index(CHUNKS, OTHER)


def test_articles_no_worker_ever_saw_are_promised(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    write(operator, lambda: 0)
    assert "1 article(s) were not searchable yet" in run(app, "rebuild").output
    run_jobs()
    assert retrieval.search("hut", visible_to=operator)


def test_a_failing_embedder_is_one_clear_line(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    write(operator, run_jobs)
    OTHER.failure = HostFailure("the quota is used up")
    result = run(app, "rebuild", "--embedder", "tests.cli.test_retrieval:OTHER")
    assert result.exit_code == 1
    assert "Error: the quota is used up" in result.output
    assert "goes on where it stopped" in result.output


@pytest.mark.parametrize("path", ["no.such.module:thing", "tests.cli.test_retrieval:KILLS", "nonsense"])
def test_what_is_no_embedder_is_said(app: Flask, path: str) -> None:
    result = run(app, "rebuild", "--embedder", path)
    assert result.exit_code == 1
    assert "CAIRNLOOP_EMBEDDER" in result.output
    assert "Traceback" not in result.output


class TestWithoutAnEmbedder:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_EMBEDDER": None}

    def test_there_is_nothing_to_rebuild(self, app: Flask) -> None:
        result = run(app, "rebuild")
        assert (result.exit_code, "needs no vectors" in result.output) == (1, True)


def test_given_up_indexing_is_tried_again_however_often_asked(
    app: Flask, operator: Operator, run_jobs: RunJobs
) -> None:
    write(operator, lambda: 0, 2)
    with transaction() as db:
        db.execute(update(Job).values(state=JobState.FAILED, attempts=5, last_error="OperationalError"))
    assert run(app, "replay").output == "2 job(s) wait again for the worker.\n"
    assert run(app, "replay").output == "0 job(s) wait again for the worker.\n"
    run_jobs()
    assert len(retrieval.search("hut", visible_to=operator)) == 2


def test_a_killed_rebuild_goes_on_where_it_stopped(
    app: Flask, operator: Operator, run_jobs: RunJobs, processes: Callable[..., subprocess.Popen[bytes]]
) -> None:
    paragraphs = "\n\n".join(f"# Part {number}\n\nHut {number} has water and a stove." for number in range(60))
    write(operator, run_jobs, 3, paragraphs)
    total = vectors_of("words")
    environment = {
        "TEST_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "TEST_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = ("-m", "flask", "--app", "tests.support.worker_app", "cairnloop", "retrieval", "rebuild")
    known = set[int]()
    chance = random.Random(7)
    for _ in range(KILLS):
        child = processes(*command, "--embedder", "tests.support.embedders:SLOW", **environment)
        wanted = min(total, len(known) + 1 + chance.randrange(total // (KILLS + 1)))
        deadline = time.monotonic() + 60
        while vectors_of("slow") < wanted and child.poll() is None:
            assert time.monotonic() < deadline, "it took too long"
            assert retrieval.search("hut stove", visible_to=operator)
            session().rollback()
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        now_known = set(session().scalars(select(ChunkVector.chunk_id).where(ChunkVector.model == "slow")))
        session().rollback()
        assert known <= now_known
        known = now_known
    assert len(known) < total, "it was never killed in the middle"
    child = processes(*command, "--embedder", "tests.support.embedders:SLOW", **environment)
    assert child.wait(120) == 0
    slow = select(ChunkVector.chunk_id).where(ChunkVector.model == "slow")
    assert sorted(session().scalars(slow)) == sorted(session().scalars(select(Chunk.id)))
    session().rollback()
    assert has_index(CHUNKS, WordEmbedder("slow", 16))

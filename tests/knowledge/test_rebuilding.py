from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from flask_cairnloop import HostFailure, Operator, knowledge, retrieval
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.jobs import Job
from flask_cairnloop.knowledge import Article, Chunk
from flask_cairnloop.knowledge.models import ChunkVector
from flask_cairnloop.knowledge.rebuilding import ARTICLES, promise_missing, rebuild
from tests.support.embedders import WordEmbedder

RunJobs = Callable[[], int]
WORDS = "# Wind\n\nThe ridge is closed in strong wind.\n\n# Snow\n\nBring an axe."


def write(operator: Operator, run_jobs: RunJobs, count: int = 1) -> list[Article]:
    written = []
    for number in range(count):
        article = knowledge.create_article(f"Ridge paths {number}", by=operator)
        knowledge.save_draft(article.id, WORDS, by=operator)
        written.append(knowledge.publish(article.id, by=operator))
    run_jobs()
    session().rollback()
    return written


def per_model() -> dict[str, int]:
    rows = session().execute(select(ChunkVector.model, func.count()).group_by(ChunkVector.model))
    counts = {row[0]: row[1] for row in rows}
    session().rollback()
    return counts


def test_a_second_model_is_filled_beside_the_first(
    app: Flask, operator: Operator, run_jobs: RunJobs, embedder: WordEmbedder
) -> None:
    write(operator, run_jobs, 3)
    new = WordEmbedder("new", 32)
    heard: list[tuple[int, int]] = []
    assert rebuild(ARTICLES, new, lambda done, total: heard.append((done, total))).embedded == 6
    assert (heard[0], heard[-1]) == ((0, 6), (6, 6))
    assert per_model() == {"words": 6, "new": 6}
    assert sorted(new.texts) == sorted(embedder.texts)


def test_a_rebuild_that_is_done_does_nothing_more(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    write(operator, run_jobs)
    new = WordEmbedder("new")
    rebuild(ARTICLES, new)
    new.texts.clear()
    assert rebuild(ARTICLES, new).embedded == 0
    assert new.texts == []


def test_a_rebuild_goes_on_where_the_embedder_failed(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    write(operator, run_jobs, 6)

    class Weak(WordEmbedder):
        batch_size = 1

        def embed(self, texts: Sequence[str]) -> list[list[float]]:
            if len(self.texts) == 8:
                raise HostFailure("the quota is used up")
            return super().embed(texts)

    weak = Weak("new")
    with pytest.raises(HostFailure, match="quota"):
        rebuild(ARTICLES, weak)
    assert per_model()["new"] == 8
    strong = WordEmbedder("new")
    assert rebuild(ARTICLES, strong).embedded == 4
    assert len(strong.texts) == 4
    assert per_model()["new"] == 12


def test_a_half_built_model_survives_publishing_again(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    (article,) = write(operator, run_jobs)
    new = WordEmbedder("new")
    rebuild(ARTICLES, new)
    new.texts.clear()
    knowledge.save_draft(article.id, WORDS.replace("axe", "rope"), by=operator)
    knowledge.publish(article.id, by=operator)
    run_jobs()
    session().rollback()
    assert per_model() == {"words": 2, "new": 1}
    assert rebuild(ARTICLES, new).embedded == 1
    assert new.texts == ["Ridge paths 0\nSnow\nBring an rope."]


def test_pieces_deleted_meanwhile_are_skipped(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    first, second = write(operator, run_jobs, 2)
    gone, there = first.id, second.id

    class Slow(WordEmbedder):
        def embed(self, texts: Sequence[str]) -> list[list[float]]:
            if not self.texts:
                knowledge.archive_article(gone, by=operator)
            return super().embed(texts)

    rebuild(ARTICLES, Slow("new"))
    owners = select(Chunk.article_id).join(ChunkVector, ChunkVector.chunk_id == Chunk.id)
    assert set(session().scalars(owners.where(ChunkVector.model == "new"))) == {there}


def test_a_piece_being_deleted_is_not_waited_for(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    write(operator, run_jobs)
    deleted, done = threading.Event(), threading.Event()

    def hold() -> None:
        with app.app_context(), transaction() as db:
            db.execute(delete(Chunk))
            deleted.set()
            done.wait(30)

    class Late(WordEmbedder):
        def embed(self, texts: Sequence[str]) -> list[list[float]]:
            holder.start()
            deleted.wait(30)
            threading.Timer(3, done.set).start()  # the index is built once every writer has ended
            return super().embed(texts)

    holder = threading.Thread(target=hold)
    assert rebuild(ARTICLES, Late("new")).embedded == 0
    holder.join()
    assert "new" not in per_model()


def test_two_rebuilds_at_once_do_no_harm(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    write(operator, run_jobs, 10)
    failures: list[BaseException] = []

    def one() -> None:
        with app.app_context():
            try:
                rebuild(ARTICLES, WordEmbedder("new"))
            except Exception as failure:
                failures.append(failure)

    both = [threading.Thread(target=one) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    assert failures == []
    assert per_model()["new"] == 20


def test_one_name_never_covers_two_lengths(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    write(operator, run_jobs)
    with pytest.raises(HostFailure, match="48 numbers, and this embedder makes 24") as caught:
        rebuild(ARTICLES, WordEmbedder("words", 24))
    assert caught.value.permanent


def test_articles_found_by_words_alone_get_their_vectors_and_say_so_no_more(
    app: Flask, operator: Operator, run_jobs: RunJobs, embedder: WordEmbedder
) -> None:
    embedder.failure = HostFailure("no credit left", permanent=True)
    (article,) = write(operator, run_jobs)
    session().refresh(article)
    assert article.index_error == "no credit left"
    session().rollback()
    embedder.failure = None
    assert rebuild(ARTICLES, embedder).embedded == 2
    session().refresh(article)
    assert article.index_error is None
    assert per_model() == {"words": 2}


def test_articles_whose_job_was_lost_are_promised_again_once(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    article = knowledge.create_article("Ridge paths", by=operator)
    knowledge.save_draft(article.id, WORDS, by=operator)
    knowledge.publish(article.id, by=operator)
    with transaction() as db:
        db.execute(delete(Job))
    assert (promise_missing(), promise_missing()) == (1, 1)
    assert session().scalar(select(func.count()).select_from(Job)) == 1
    run_jobs()
    assert promise_missing() == 0
    assert retrieval.search("ridge", visible_to=operator)


def test_a_stray_error_is_kept_while_pieces_still_lack_vectors(
    app: Flask, operator: Operator, run_jobs: RunJobs, embedder: WordEmbedder
) -> None:
    (article,) = write(operator, run_jobs)
    with transaction() as db:
        db.execute(update(Article).values(index_error="from before"))
    rebuild(ARTICLES, WordEmbedder("new"))
    session().refresh(article)
    assert article.index_error == "from before"

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from flask_cairnloop import HostFailure, Operator, knowledge, retrieval
from flask_cairnloop.core import work
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.jobs import Job, JobState
from flask_cairnloop.knowledge import Article, Chunk, chunking, embedding, indexing
from flask_cairnloop.knowledge.chunking import Piece
from flask_cairnloop.knowledge.models import ChunkVector
from tests.support.embedders import WordEmbedder

RunJobs = Callable[[], int]
FIRST = "# Wind\n\nThe ridge is closed in strong wind.\n\n# Snow\n\nBring an axe."
SECOND = "# Wind\n\nThe ridge is open in every wind.\n\n# Snow\n\nBring an axe."


def write(title: str, content: str, by: Operator) -> Article:
    article = knowledge.create_article(title, by=by)
    knowledge.save_draft(article.id, content, by=by)
    return knowledge.publish(article.id, by=by)


def chunks() -> list[Chunk]:
    query = select(Chunk).order_by(Chunk.article_id, Chunk.chunk_index)
    return list(session().scalars(query.execution_options(populate_existing=True)))


def models() -> list[str]:
    return list(session().scalars(select(ChunkVector.model)))


def test_a_published_article_is_found_once_it_is_indexed(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    article = write("Ridge paths", FIRST, operator)
    assert retrieval.search("ridge", visible_to=operator) == []
    assert not article.is_indexed
    run_jobs()
    session().refresh(article)
    assert article.is_indexed
    assert [found.heading for found in retrieval.search("ridge wind", visible_to=operator)] == ["Wind"]


def test_search_shows_the_old_words_until_the_new_are_indexed(
    app: Flask, operator: Operator, run_jobs: RunJobs
) -> None:
    article = write("Ridge paths", FIRST, operator)
    run_jobs()
    knowledge.save_draft(article.id, SECOND, by=operator)
    knowledge.publish(article.id, by=operator)
    (old,) = retrieval.search("ridge wind", visible_to=operator)
    assert "closed in strong wind" in old.content
    run_jobs()
    (new,) = retrieval.search("ridge wind", visible_to=operator)
    assert "open in every wind" in new.content
    assert new.revision_id != old.revision_id


def test_only_what_changed_is_embedded_again(
    app: Flask, operator: Operator, run_jobs: RunJobs, embedder: WordEmbedder
) -> None:
    article = write("Ridge paths", FIRST, operator)
    run_jobs()
    embedder.texts.clear()
    knowledge.save_draft(article.id, SECOND, by=operator)
    knowledge.publish(article.id, by=operator)
    run_jobs()
    assert embedder.texts == ["Ridge paths\nWind\nThe ridge is open in every wind."]
    assert models() == ["words"] * len(chunks())


def test_a_new_title_is_searched_after_the_article_is_indexed_again(
    app: Flask, operator: Operator, run_jobs: RunJobs
) -> None:
    article = write("Ridge paths", FIRST, operator)
    run_jobs()
    knowledge.rename_article(article.id, "Mountain crests", by=operator)
    assert retrieval.search("crests", visible_to=operator)[0].title == "Mountain crests"
    run_jobs()
    assert {chunk.title for chunk in chunks()} == {"Mountain crests"}


def test_an_archived_article_is_gone_at_once(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    article = write("Ridge paths", FIRST, operator)
    run_jobs()
    knowledge.archive_article(article.id, by=operator)
    assert retrieval.search("ridge", visible_to=operator) == []
    assert chunks() == []


def test_the_job_of_an_overtaken_revision_changes_nothing(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    article = write("Ridge paths", FIRST, operator)
    first_revision = article.live_revision_id
    assert first_revision is not None
    knowledge.save_draft(article.id, SECOND, by=operator)
    knowledge.publish(article.id, by=operator)
    run_jobs()
    before = [chunk.id for chunk in chunks()]
    knowledge.index_revision(revision_id=first_revision)
    assert [chunk.id for chunk in chunks()] == before


def test_words_published_while_embedding_are_not_overwritten(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    article = write("Ridge paths", FIRST, operator)
    assert article.live_revision_id is not None
    prepared = indexing.prepare(article.live_revision_id)
    assert prepared is not None
    knowledge.save_draft(article.id, SECOND, by=operator)
    knowledge.publish(article.id, by=operator)
    run_jobs()
    indexing.swap(prepared)
    assert any("open in every wind" in chunk.content for chunk in chunks())


def test_a_failing_embedder_leaves_words_and_is_asked_again_later(
    app: Flask, operator: Operator, run_jobs: RunJobs, embedder: WordEmbedder
) -> None:
    embedder.failure = HostFailure("overloaded")
    article = write("Ridge paths", FIRST, operator)
    run_jobs()
    session().refresh(article)
    assert (article.is_indexed, article.index_error) == (True, "overloaded")
    assert models() == []
    assert retrieval.search("ridge", visible_to=operator)
    embedder.failure = None
    with at(now() + timedelta(minutes=2)):
        run_jobs()
    session().refresh(article)
    assert article.index_error is None
    assert len(models()) == len(chunks())


def test_a_lasting_failure_is_not_asked_again(
    app: Flask, operator: Operator, run_jobs: RunJobs, embedder: WordEmbedder
) -> None:
    embedder.failure = HostFailure("no such model", permanent=True)
    write("Ridge paths", FIRST, operator)
    run_jobs()
    assert session().scalars(select(Job).where(Job.state == JobState.WAITING)).all() == []
    embedder.failure = None
    (article,) = knowledge.list_articles(visible_to=operator)
    assert knowledge.without_vectors() == [article.live_revision_id]


@pytest.mark.parametrize(
    "answer", [[], [[1.0]], [[0.0] * 48] * 2, [[float("nan")] * 48] * 2], ids=["none", "short", "zero", "nan"]
)
def test_an_embedders_nonsense_is_never_stored(
    app: Flask,
    operator: Operator,
    run_jobs: RunJobs,
    embedder: WordEmbedder,
    monkeypatch: pytest.MonkeyPatch,
    answer: list[list[float]],
) -> None:
    monkeypatch.setattr(embedder, "embed", lambda texts: answer)
    article = write("Ridge paths", FIRST, operator)
    run_jobs()
    session().refresh(article)
    assert article.index_error
    assert models() == []


def test_the_index_says_how_it_stands(
    app: Flask, operator: Operator, run_jobs: RunJobs, embedder: WordEmbedder
) -> None:
    write("Ridge paths", FIRST, operator)
    health = knowledge.index_health(visible_to=operator)
    assert (health.published, health.waiting, health.words_only) == (1, 1, 0)
    embedder.failure = HostFailure("down", permanent=True)
    run_jobs()
    health = knowledge.index_health(visible_to=operator)
    assert (health.published, health.waiting, health.words_only) == (1, 0, 1)


def test_no_search_ever_sees_two_editions_or_none(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    article = write("Ridge paths", "Edition 0 about the ridge.", operator)
    run_jobs()
    seen: list[list[str]] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            with app.app_context():
                found = retrieval.search("ridge", visible_to=operator, per_article=5)
                seen.append([each.content for each in found])

    reader = threading.Thread(target=look)
    reader.start()
    for edition in range(1, 13):
        knowledge.save_draft(article.id, f"Edition {edition} about the ridge.", by=operator)
        knowledge.publish(article.id, by=operator)
        run_jobs()
    stop.set()
    reader.join()
    assert len(seen) > 12
    assert {len(contents) for contents in seen} == {1}


def test_words_that_cannot_be_cut_are_said_on_the_article_and_the_old_ones_stay(
    app: Flask, operator: Operator, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = write("Ridge paths", FIRST, operator)
    run_jobs()
    knowledge.save_draft(article.id, SECOND, by=operator)
    knowledge.publish(article.id, by=operator)

    def burst(title: str, content: str) -> list[Piece]:
        raise RecursionError("deep in a list")

    with monkeypatch.context() as broken:
        broken.setattr(chunking, "cut", burst)
        run_jobs()
    session().refresh(article)
    assert article.index_error == "Its text could not be read for search (RecursionError)"
    assert not article.is_indexed
    assert "closed in strong wind" in retrieval.search("ridge wind", visible_to=operator)[0].content
    (job,) = session().scalars(select(Job).where(Job.state == JobState.FAILED))
    assert job.last_error is not None
    session().rollback()
    assert work.replay(["index_revision"]) == 1
    run_jobs()
    session().refresh(article)
    assert (article.is_indexed, article.index_error) == (True, None)


def test_any_other_failure_is_said_on_the_article_too(
    app: Flask, operator: Operator, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = write("Ridge paths", FIRST, operator)

    def burst(prepared: indexing.Prepared) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(indexing, "swap", burst)
        run_jobs()
    session().refresh(article)
    assert article.index_error == "It could not be indexed (ZeroDivisionError)"
    with at(now() + timedelta(minutes=2)):
        run_jobs()
    session().refresh(article)
    assert (article.is_indexed, article.index_error) == (True, None)


def test_a_title_changed_while_embedding_is_not_set_back(app: Flask, operator: Operator, run_jobs: RunJobs) -> None:
    article = write("Ridge paths", FIRST, operator)
    run_jobs()
    assert article.live_revision_id is not None
    prepared = indexing.prepare(article.live_revision_id)
    assert prepared is not None
    knowledge.rename_article(article.id, "Mountain crests", by=operator)
    run_jobs()
    with transaction():
        indexing.swap(prepared)
    assert {chunk.title for chunk in chunks()} == {"Mountain crests"}


@pytest.mark.parametrize("answer", [None, [None, None], [["a"], ["b"]], [[1e-40] * 48] * 2, [[1e300] * 48] * 2])
def test_an_answer_of_any_shape_is_a_failure_in_words(
    app: Flask, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch, answer: list[list[float]]
) -> None:
    monkeypatch.setattr(embedder, "embed", lambda texts: answer)
    with pytest.raises(HostFailure, match="words answered"):
        embedding.embed(embedder, ["one", "two"])


def test_questions_are_embedded_as_questions_where_the_embedder_can(app: Flask, embedder: WordEmbedder) -> None:
    class Asymmetric(WordEmbedder):
        def embed_questions(self, texts: Sequence[str]) -> list[list[float]]:
            return self.embed([f"query: {text}" for text in texts])

    asymmetric = Asymmetric()
    embedding.embed_questions(asymmetric, ["why?"])
    embedding.embed(asymmetric, ["because"])
    embedding.embed_questions(embedder, ["how?"])
    assert asymmetric.texts == ["query: why?", "because"]
    assert embedder.texts == ["how?"]


def test_how_the_embedder_is_can_be_asked_without_asking_it_each_time(app: Flask, embedder: WordEmbedder) -> None:
    embedder.failure = HostFailure("no credit left")
    for _ in range(3):
        failure = embedding.failure_of_embedder()
        assert failure is not None
        assert failure.reason == "no credit left"
    embedder.failure = None
    embedding.embed_one("a search that works")
    assert embedding.failure_of_embedder() is None
    assert embedder.texts == ["a search that works"]

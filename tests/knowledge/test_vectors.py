from __future__ import annotations

import threading

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from flask_cairnloop import Operator, knowledge
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.knowledge import vectors
from flask_cairnloop.knowledge.rebuilding import ARTICLES, rebuild
from flask_cairnloop.knowledge.vectors import CASES, CHUNKS
from tests.support.embedders import WordEmbedder

VALID = text("SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = :name")


def write(app: Flask, operator: Operator, title: str, content: str) -> None:
    article = knowledge.create_article(title, by=operator)
    knowledge.save_draft(article.id, content, by=operator)
    knowledge.publish(article.id, by=operator)
    assert article.live_revision_id is not None
    knowledge.index_revision(revision_id=article.live_revision_id)
    session().rollback()


def plan(embedder: WordEmbedder) -> str:
    kind = vectors.operand(embedder.dimension)
    query = f"""
        EXPLAIN SELECT chunk_id FROM cairnloop.cairnloop_chunk_vectors
        WHERE model = {vectors.quoted(embedder.name)}
        ORDER BY embedding\\:\\:{kind} <=> CAST(:vector AS {kind}) LIMIT 5
    """
    with transaction() as db:
        db.execute(text("SET LOCAL enable_seqscan = off"))
        db.execute(text("SET LOCAL enable_sort = off"))
        return "\n".join(db.scalars(text(query), {"vector": str([0.5] * embedder.dimension)}))


@pytest.mark.parametrize(
    ("dimension", "kind"),
    [(384, "vector(384)"), (2000, "vector(2000)"), (2001, "halfvec(2001)"), (4000, "halfvec(4000)"),
     (4001, "vector(4001)")],
)  # fmt: skip
def test_the_type_that_is_compared_fits_the_index(dimension: int, kind: str) -> None:
    assert vectors.operand(dimension) == kind


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_models_name_is_never_read_as_sql(name: str) -> None:
    assert str(text(f"SELECT {vectors.quoted(name)}").compile()) == "SELECT '" + name.replace("'", "''") + "'"


@pytest.mark.parametrize("dimension", [48, 2500])
def test_a_models_index_serves_its_searches(app: Flask, operator: Operator, dimension: int) -> None:
    model = WordEmbedder("a 'quoted' :name", dimension)
    write(app, operator, "Ridge paths", "The ridge is closed in strong wind.")
    assert not vectors.has_index(CHUNKS, model)
    assert rebuild(ARTICLES, model).has_index
    assert vectors.has_index(CHUNKS, model)
    assert vectors.index_name(CHUNKS, model.name) in plan(model)


def test_vectors_too_long_for_an_index_get_none(app: Flask, operator: Operator) -> None:
    model = WordEmbedder("long", 4100)
    write(app, operator, "Ridge paths", "The ridge is closed in strong wind.")
    made = rebuild(ARTICLES, model)
    assert (made.embedded, made.has_index) == (1, False)


def test_what_a_killed_build_left_is_made_again(app: Flask, operator: Operator, embedder: WordEmbedder) -> None:
    write(app, operator, "Ridge paths", "The ridge is closed in strong wind.")
    name = vectors.index_name(CHUNKS, embedder.name)
    vectors.build_index(CHUNKS, embedder)
    with transaction() as db:
        db.execute(text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST(:name AS regclass)"),
                   {"name": f"cairnloop.{name}"})  # fmt: skip
    assert not vectors.has_index(CHUNKS, embedder)
    assert vectors.build_index(CHUNKS, embedder)
    with transaction() as db:
        assert db.scalars(VALID, {"name": name}).all() == [True]


def test_two_builders_make_one_index(app: Flask, operator: Operator, embedder: WordEmbedder) -> None:
    write(app, operator, "Ridge paths", "The ridge is closed in strong wind.")
    failures: list[Exception] = []

    def build() -> None:
        with app.app_context():
            try:
                vectors.build_index(CHUNKS, embedder)
            except Exception as failure:
                failures.append(failure)

    builders = [threading.Thread(target=build) for _ in range(3)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(60)
    assert failures == []
    assert vectors.has_index(CHUNKS, embedder)


def test_a_build_inside_a_transaction_is_refused_rather_than_waiting_for_itself(
    app: Flask, embedder: WordEmbedder
) -> None:
    with transaction() as db:
        db.execute(text("SELECT 1"))
        with pytest.raises(RuntimeError, match="outside any transaction"):
            vectors.build_index(CHUNKS, embedder)


def test_other_models_are_forgotten_with_their_indexes(app: Flask, operator: Operator, embedder: WordEmbedder) -> None:
    write(app, operator, "Ridge paths", "The ridge is closed in strong wind.")
    old, new = WordEmbedder("old"), WordEmbedder("new")
    for each in (old, new):
        rebuild(ARTICLES, each)
        vectors.build_index(CASES, each)
    assert vectors.drop_others(CHUNKS, {embedder.name, "new"}) == 1
    assert vectors.drop_others(CASES, {embedder.name, "new"}) == 0
    assert [vectors.has_index(table, each) for table in (CHUNKS, CASES) for each in (old, new)] == [False, True] * 2
    assert vectors.stored_dimension(CHUNKS, "old") is None
    assert vectors.stored_dimension(CHUNKS, "new") == vectors.stored_dimension(CHUNKS, embedder.name) == 48

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from flask_cairnloop import HostFailure, Operator, knowledge, retrieval
from flask_cairnloop.core.database import session
from flask_cairnloop.retrieval import Evidence, Reason, Trust
from tests.retrieval.conftest import Write
from tests.support.embedders import WordEmbedder

NAUGHTY = [
    *(
        "",
        " ",
        "\0",
        "'",
        '"',
        "\\",
        "\\'; --",
        "''; DROP TABLE x; --",
        "<->",
        ":*",
        "foo:*",
        "(((",
        "{0}",
        "$1",
        "NULL",
    ),
    *("%s %(a)s :question", "\u202e", "\ufeff", "\ud800", "🗝️", "漢字", "the of and", "a" * 5000),
]


def titles(found: list[Evidence]) -> list[str]:
    return [each.title for each in found]


def test_one_shared_word_is_enough(app: Flask, write: Write, operator: Operator) -> None:
    write("Ridge paths", "They are closed in strong wind.")
    write("Huts", "Every hut has water.")
    found = retrieval.search("Why was I told yesterday that the hut had none?", visible_to=operator)
    assert titles(found)[0] == "Huts"


def test_a_result_says_where_it_is_from_and_why(app: Flask, write: Write, operator: Operator) -> None:
    article = write("Huts", "# Water\n\nEvery hut has water.")
    (found,) = retrieval.search("water", visible_to=operator)
    assert found.id == f"article:{article.id}:{article.live_revision_id}:0"
    assert (found.title, found.heading, found.content) == ("Huts", "Water", "Every hut has water.")
    assert (found.trust, found.article_id) == (Trust.CANONICAL, article.id)
    assert found.reasons == (Reason.WORDS, Reason.MEANING)
    assert (found.lexical_rank, found.semantic_rank) == (1, 1)
    assert found.similarity is not None
    assert found.updated_at is not None


def test_words_in_titles_and_headings_count(app: Flask, write: Write, operator: Operator) -> None:
    write("Weather", "# Thunderstorms\n\nLeave the ridge.")
    write("Huts", "Every hut has water.")
    assert titles(retrieval.search("thunderstorm", visible_to=operator))[0] == "Weather"
    assert titles(retrieval.search("weather", visible_to=operator))[0] == "Weather"


def test_an_article_appears_once_unless_more_is_asked_for(app: Flask, write: Write, operator: Operator) -> None:
    write("Huts", "# Water\n\nEvery hut has water.\n\n# Food\n\nNo hut has food.")
    assert len(retrieval.search("hut", visible_to=operator)) == 1
    assert len(retrieval.search("hut", visible_to=operator, per_article=2)) == 2


def test_the_same_question_is_answered_in_the_same_order(app: Flask, write: Write, operator: Operator) -> None:
    for number in range(6):
        write(f"Hut {number}", "Every hut has water.")
    orders = {tuple(titles(retrieval.search("hut water", visible_to=operator))) for _ in range(5)}
    assert len(orders) == 1
    assert len(next(iter(orders))) == 6


def test_drafts_and_other_tenants_are_never_found(app: Flask, write: Write, operator: Operator) -> None:
    stranger = Operator(id="eve", name="Eve", tenant="elsewhere")
    write("Theirs", "A hut of theirs.", by=stranger)
    ours = write("Ours", "A hut of ours.")
    unpublished = knowledge.create_article("Unpublished", by=operator)
    knowledge.save_draft(unpublished.id, "A hut nobody may see.", by=operator)
    knowledge.save_draft(ours.id, "A hut of ours with secrets.", by=operator)
    assert titles(retrieval.search("hut secrets", visible_to=operator)) == ["Ours"]
    assert "secrets" not in retrieval.search("hut secrets", visible_to=operator)[0].content
    assert titles(retrieval.search("hut", visible_to=stranger)) == ["Theirs"]


def test_without_an_embedder_words_alone_find_it_and_say_so(
    app: Flask, write: Write, operator: Operator, embedder: WordEmbedder
) -> None:
    write("Huts", "Every hut has water.")
    embedder.failure = HostFailure("away")
    (found,) = retrieval.search("water", visible_to=operator)
    assert found.reasons == (Reason.WORDS, Reason.WORDS_ONLY)
    assert (found.semantic_rank, found.similarity) == (None, None)


def test_an_embedder_that_raises_anything_costs_meaning_only(
    app: Flask, write: Write, operator: Operator, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Huts", "Every hut has water.")

    def fail(texts: object) -> list[list[float]]:
        raise OSError("connection reset")

    monkeypatch.setattr(embedder, "embed", fail)
    assert titles(retrieval.search("water", visible_to=operator)) == ["Huts"]


def test_another_embedder_needs_no_migration(
    app: Flask, write: Write, operator: Operator, embedder: WordEmbedder
) -> None:
    write("Huts", "Every hut has water.")
    embedder.name, embedder.dimension = "it's:another", 96
    assert titles(retrieval.search("water", visible_to=operator)) == ["Huts"]
    write("Ridge paths", "The ridge has no water.")
    found = {each.title: each.semantic_rank for each in retrieval.search("ridge water", visible_to=operator)}
    assert found == {"Ridge paths": 1, "Huts": None}


def test_meaning_is_looked_up_in_the_models_own_index(
    app: Flask, write: Write, operator: Operator, embedder: WordEmbedder
) -> None:
    embedder.name, embedder.dimension = "all-MiniLM-L6-v2", 384
    write("Huts", "Every hut has water.")
    db = session()
    db.execute(text("SET LOCAL enable_seqscan = off"))
    vector = embedder.embed(["water"])[0]
    plan = db.execute(
        text(
            "EXPLAIN SELECT chunk_id FROM cairnloop.cairnloop_chunk_vectors WHERE model = 'all-MiniLM-L6-v2' "
            "ORDER BY embedding::vector(384) <=> CAST(:vector AS vector(384)) LIMIT 5"
        ),
        {"vector": str(vector)},
    ).scalars()
    assert "ix_cairnloop_chunk_vectors_" in "\n".join(plan)
    assert titles(retrieval.search("water", visible_to=operator)) == ["Huts"]


def test_no_question_breaks_the_search(app: Flask, write: Write, operator: Operator) -> None:
    write("Huts", "Every hut has water.")
    for question in NAUGHTY:
        assert len(retrieval.search(question, visible_to=operator)) <= 1, question
        assert retrieval.ground(question, visible_to=operator).score < 0.55, question


def test_operators_in_a_question_mean_nothing(app: Flask, write: Write, operator: Operator) -> None:
    write("Huts", "Every hut has water.")
    assert titles(retrieval.search("!hut & (nowhere <-> ever)", visible_to=operator)) == ["Huts"]


def test_known_naughty_strings_are_questions_titles_and_words_like_any(
    app: Flask, write: Write, operator: Operator
) -> None:
    folder = os.environ.get("CAIRNLOOP_DATA")
    if not folder or not Path(folder, "security", "naughty_strings.json").exists():
        pytest.skip("CAIRNLOOP_DATA names no folder with security/naughty_strings.json")
    strings = json.loads(Path(folder, "security", "naughty_strings.json").read_text(encoding="utf-8"))
    assert len(strings) > 100
    write("Naughty", "\n\n".join(strings))
    for each in strings:
        retrieval.search(each, visible_to=operator)


def test_a_snapshot_of_evidence_can_be_read_back(app: Flask, write: Write, operator: Operator) -> None:
    write("Huts", "Every hut has water.")
    (found,) = retrieval.search("water", visible_to=operator)
    assert Evidence.restore(json.loads(json.dumps(found.snapshot()))) == found

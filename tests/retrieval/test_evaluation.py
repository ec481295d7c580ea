from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from flask_cairnloop import Operator, retrieval
from flask_cairnloop.cli import cairnloop
from flask_cairnloop.core.database import session
from flask_cairnloop.retrieval import evaluation
from flask_cairnloop.retrieval.samples import BadCollection, load
from tests.retrieval.conftest import Write

CORPUS = [
    {"_id": "huts", "title": "Huts", "text": "Every hut has drinking water."},
    {"_id": "dogs", "title": "Dogs", "text": "Dogs sleep in the winter room."},
    {"_id": "maps", "title": "Maps", "text": "Maps work without a signal for thirty days."},
]
QUERIES = [
    {"_id": "1", "text": "Is there drinking water?", "relevant": ["huts"], "meta": {}},
    {"_id": "2", "text": "Where do dogs sleep?", "relevant": ["dogs"]},
]
OFF_TOPIC = [{"text": "largest state of the union"}]


def lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines(tmp_path / "corpus.jsonl", CORPUS)
    lines(tmp_path / "queries.jsonl", QUERIES)
    return tmp_path


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(cairnloop, ["retrieval", "eval", *map(str, arguments)])


def rows() -> list[int]:
    tables = ("articles", "revisions", "chunks", "chunk_vectors", "terms", "term_changes", "conversations", "jobs")
    db = session()
    found = [db.scalar(text(f"SELECT count(*) FROM cairnloop.cairnloop_{name}")) or 0 for name in tables]
    db.rollback()
    return found


def test_a_folder_is_measured_and_nothing_is_left_behind(
    app: Flask, folder: Path, write: Write, operator: Operator
) -> None:
    write("Ours", "Every hut has drinking water.")
    before = rows()
    lines(folder / "off_topic.jsonl", OFF_TOPIC)
    result = run(app, folder, "--json")
    assert result.exit_code == 0, result.output
    measured = json.loads(result.stdout)
    assert (measured["ndcg_at_10"], measured["recall_at_5"], measured["mrr"]) == (1.0, 1.0, 1.0)
    assert measured["abstain_at_5pct"] == 1.0
    assert measured["latency_ms"]["p95"] > 0
    assert "Indexing: 3 of 3" in result.stderr
    assert rows() == before
    assert [each.title for each in retrieval.search("dogs sleep maps water", visible_to=operator)] == ["Ours"]


def test_the_table_names_what_was_measured_and_only_that(app: Flask, folder: Path) -> None:
    result = run(app, folder)
    assert "nDCG@10" in result.stdout
    assert "off-topic caught" not in result.stdout
    assert json.loads(run(app, folder, "--json").stdout)["abstain_at_5pct"] is None


def test_off_topic_questions_may_come_from_elsewhere(app: Flask, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "off"
    other.mkdir()
    lines(other / "queries.jsonl", OFF_TOPIC)
    for path in (other, other / "queries.jsonl"):
        assert json.loads(run(app, folder, "--off-topic", path, "--json").stdout)["off_topic"] == 1


def test_an_interruption_leaves_nothing_behind(app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        assert session().scalar(text("SELECT count(*) FROM cairnloop.cairnloop_chunks"))
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "search", interrupt)
    assert run(app, folder).exit_code == 1
    assert sum(rows()) == 0


def test_past_cases_are_measured_by_their_intent(app: Flask, tmp_path: Path) -> None:
    cases = [
        {"_id": f"{intent}{number}", "text": words, "intent": intent}
        for intent, words in (("refund", "I want my money back"), ("card", "my card was stolen"))
        for number in range(5)
    ]
    lines(tmp_path / "cases.jsonl", cases)
    lines(tmp_path / "queries.jsonl", [{"text": "money back please", "intent": "refund"}])
    measured = json.loads(run(app, tmp_path, "--json").stdout)
    assert (measured["precision_at_5"], measured["ndcg_at_10"]) == (1.0, None)
    assert sum(rows()) == 0


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("corpus.jsonl", "{", "corpus.jsonl, line 1: no JSON"),
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n[]', "corpus.jsonl, line 2: needs to be a JSON object"),
        (
            "corpus.jsonl",
            '{"_id": "a", "text": "x"}\n\n{"_id": "a", "text": "y"}',
            "line 3: the _id 'a' was there before",
        ),
        ("corpus.jsonl", '{"_id": "a"}', 'line 1: "text" needs to be a text'),
        ("corpus.jsonl", "", "corpus.jsonl is empty"),
        ("queries.jsonl", '{"text": "x"}', 'queries.jsonl, line 1: "relevant" needs to be a list'),
        ("queries.jsonl", '{"text": "x", "relevant": []}', "at least one _id"),
        ("queries.jsonl", "\n", "queries.jsonl has no questions"),
    ],
)
def test_a_bad_folder_is_refused_with_file_and_line(
    app: Flask, folder: Path, file: str, content: str, complaint: str
) -> None:
    (folder / file).write_text(content, encoding="utf-8")
    result = run(app, folder)
    assert result.exit_code == 1
    assert complaint in result.output


def test_missing_files_are_named(app: Flask, folder: Path, tmp_path: Path) -> None:
    (folder / "queries.jsonl").unlink()
    assert f"{folder / 'queries.jsonl'} is missing" in run(app, folder).output
    assert "is no folder" in run(app, tmp_path / "nowhere").output
    (folder / "corpus.jsonl").write_bytes(b"\xff\xfe")
    assert "cannot be read" in run(app, folder).output


def test_relevant_ids_of_no_document_are_told_and_count_as_never_found(app: Flask, folder: Path) -> None:
    lines(folder / "queries.jsonl", [{"text": "drinking water", "relevant": ["huts", "gone"]}])
    result = run(app, folder, "--json")
    assert json.loads(result.stdout)["recall_at_5"] == 0.5
    assert "1 relevant ids name no document" in result.stderr


def test_questions_marked_unanswerable_are_off_topic(folder: Path) -> None:
    lines(folder / "queries.jsonl", [*QUERIES, {"text": "joke?", "answerable": False}])
    assert list(load(folder).off_topic) == ["joke?"]
    with pytest.raises(BadCollection):
        load(folder, folder / "nothing.jsonl")


def test_the_measures_are_the_textbooks() -> None:
    order, relevant = ["a", "b", "c"], frozenset({"b", "z"})
    assert evaluation.recall(order, relevant, 1) == 0
    assert evaluation.recall(order, relevant, 5) == 0.5
    assert evaluation.reciprocal_rank(order, relevant) == 0.5
    assert evaluation.ndcg(order, relevant) == pytest.approx(0.6309 / 1.6309, abs=1e-3)
    assert evaluation.threshold([n / 100 for n in range(100)]) == 0.05
    assert evaluation.auroc([0.5, 0.9], [0.5, 0.1]) == 0.875

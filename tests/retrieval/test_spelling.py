from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from flask_cairnloop import Operator, knowledge, retrieval
from flask_cairnloop.core.database import engine, session, transaction
from flask_cairnloop.retrieval.spelling import distance, read
from tests.retrieval.conftest import Write

words = st.text("abcd", max_size=7)

COUNTS = """
SELECT term, sum(passages) FROM (
    SELECT term, passages FROM cairnloop.cairnloop_terms
    UNION ALL SELECT term, passages FROM cairnloop.cairnloop_term_changes
) AS counted GROUP BY term HAVING sum(passages) <> 0
"""
TRUTH = """
SELECT lexeme, count(*) FROM cairnloop.cairnloop_chunks
CROSS JOIN LATERAL (SELECT lexeme FROM unnest(search) UNION ALL SELECT '') AS word GROUP BY lexeme
"""


def titles(question: str, viewer: Operator) -> list[str]:
    return [each.title for each in retrieval.search(question, visible_to=viewer)]


def assert_counted() -> None:
    db = session()
    counted = {term: int(passages) for term, passages in db.execute(text(COUNTS))}
    assert counted == {term: int(passages) for term, passages in db.execute(text(TRUTH))}
    db.rollback()


@pytest.mark.parametrize(
    "question",
    ["insurence", "insuranc", "INSURANCE", "rescue insurnace", "insu", "ínsurance", "insurance?!", "a/insurance"],
)
def test_a_word_is_found_however_it_is_typed(app: Flask, write: Write, operator: Operator, question: str) -> None:
    write("Members", "Their insurance begins on the next day.")
    write("Huts", "Every hut has water.")
    assert titles(question, operator)[0] == "Members"


def test_accents_matter_neither_in_the_question_nor_in_the_text(app: Flask, write: Write, operator: Operator) -> None:
    write("Fees", "The Café opens at eight. Zürich has a resumé desk.")
    write("Huts", "Every hut has water.")
    for question in ("cafe", "café", "zurich", "Zürich", "résumé", "cafe\u0301"):
        found = retrieval.search(question, visible_to=operator)[0]
        assert (found.title, found.lexical_rank) == ("Fees", 1), question


def test_a_known_word_is_read_as_itself(app: Flask, write: Write, operator: Operator) -> None:
    write("Boats", "A boat floats.")
    write("Boots", "A boot walks.")
    (word,) = read("boat", tenant="", corpus="article").words
    assert (word.is_itself, word.readings) == (True, {"boat": 1})
    assert titles("boot", operator)[0] == "Boots"


def test_an_unknown_word_near_nothing_stays_unknown(app: Flask, write: Write, operator: Operator) -> None:
    write("Boats", "A boat floats.")
    for question in ("xylophone", "bo", "b0at5", "4711"):
        words = read(question, tenant="", corpus="article").words
        assert [word.readings for word in words] == [{word.stem: 0} for word in words]


def test_one_tenants_words_say_nothing_about_anothers(app: Flask, write: Write, operator: Operator) -> None:
    write("Theirs", "Confidential merger.", by=Operator(id="eve", name="Eve", tenant="elsewhere"))
    (word,) = read("confidentiel", tenant="", corpus="article").words
    assert not any(word.readings.values())
    assert read("merger", tenant="elsewhere", corpus="article").passages == 1


def test_counts_follow_every_change_of_the_passages(
    app: Flask, write: Write, operator: Operator, run_jobs: Callable[[], int]
) -> None:
    article = write("Huts", "# Water\n\nEvery hut has water.\n\n# Food\n\nNo hut has food.")
    write("Boats", "A boat floats on water.")
    assert_counted()
    knowledge.save_draft(article.id, "Every hut has tea.", by=operator)
    knowledge.publish(article.id, by=operator)
    run_jobs()
    assert_counted()
    knowledge.archive_article(article.id, by=operator)
    assert_counted()
    with transaction() as db:
        db.execute(text("UPDATE cairnloop.cairnloop_chunks SET content = 'A canoe glides.'"))
    assert_counted()
    with transaction() as db:
        db.execute(text("DELETE FROM cairnloop.cairnloop_chunks"))
    assert_counted()


def test_nobody_waits_for_the_fold(app: Flask, write: Write, operator: Operator) -> None:
    lock = "SELECT pg_advisory_lock(hashtext('cairnloop_fold_terms'))"
    with engine().connect() as other:
        other.execute(text(lock))
        write("Huts", "Every hut has water.")
        assert_counted()
        assert read("water", tenant="", corpus="article").words[0].readings == {"water": 1}
        assert session().scalar(text("SELECT count(*) FROM cairnloop.cairnloop_term_changes")) != 0
        session().rollback()
        other.execute(text(lock.replace("lock", "unlock")))
    write("Boats", "A boat floats on water.")
    assert_counted()
    assert session().scalar(text("SELECT count(*) FROM cairnloop.cairnloop_term_changes")) == 0


@given(words, words)
def test_distance_is_one_per_slip(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [("receive", "recieve", 1), ("account", "acount", 1), ("cat", "cut", 1), ("ca", "abc", 3), ("", "abc", 3)],
)
def test_known_distances(one: str, other: str, slips: int) -> None:
    assert distance(one, other) == slips

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_cairnloop.conversations.courtesies import is_courtesy
from flask_cairnloop.drafts.question import LENGTH, what_is_asked


@pytest.mark.parametrize(
    "text",
    ["Thanks!", "thank you so much, that worked", "Hello", "ok great", "Perfect, it works now."],
)
def test_hello_and_thanks_ask_nothing(text: str) -> None:
    assert is_courtesy(text)
    assert what_is_asked([text]) is None


@pytest.mark.parametrize(
    "text",
    [
        "It worked?",
        "thanks, but the key is gone",
        "help",
        "yes",
        "no",
        "It does not work",
        "I have a problem",
        "???",
        "12345",
    ],
)
def test_anything_else_asks_something(text: str) -> None:
    assert what_is_asked([text]) == text


def test_a_burst_is_one_question_without_its_hello() -> None:
    assert what_is_asked(["Hi!", "My key is gone.", "Can I get it back?"]) == "My key is gone.\nCan I get it back?"


def test_a_word_or_two_is_read_with_what_was_asked_before() -> None:
    assert what_is_asked(["and on iOS?"], earlier=["Do maps work offline?"]) == "Do maps work offline?\nand on iOS?"
    assert what_is_asked(["Where are the invoices?"], earlier=["Hello maps"]) == "Where are the invoices?"


def test_a_very_long_question_keeps_its_end() -> None:
    question = what_is_asked(["x" * 5000 + " the end"])
    assert question is not None
    assert len(question) == LENGTH
    assert question.endswith("the end")


EARLIER = ["Do maps work offline?", "and on iOS?"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("and on Android?", "Do maps work offline?\nand on Android?"),
        ("What about tablets?", "Do maps work offline?\nWhat about tablets?"),
        ("Does that also work for routes?", "Do maps work offline?\nDoes that also work for routes?"),
        ("Is it possible to export invoices?", "Is it possible to export invoices?"),
        ("How do I change the address on our invoices?", "How do I change the address on our invoices?"),
    ],
)
def test_what_leans_back_is_read_with_the_last_question_that_stood_by_itself(text: str, expected: str) -> None:
    assert what_is_asked([text], earlier=EARLIER) == expected


@pytest.mark.parametrize(
    ("answered", "text", "picked"),
    [
        ("So that we help: is this about “Winter rooms” or “Dogs”?", "the second one", "Dogs"),
        ("So that we help: is this about “Winter rooms” or “Dogs”?", "The first one please", "Winter rooms"),
        ("Do this:\n\n1. Open Settings\n2. Press Reset\n3. Wait", "What about the last step?", "Wait"),
        ("Do this:\n\n- Open Settings\n- Press Reset", "and the 2nd?", "Press Reset"),
    ],
)
def test_the_second_one_is_the_second_thing_the_desk_named(answered: str, text: str, picked: str) -> None:
    question = what_is_asked([text], earlier=["hut drinking water reservations?"], answered=answered)
    assert question == f"hut drinking water reservations?\n{picked}\n{text}"


def test_a_third_one_of_two_picks_nothing() -> None:
    assert what_is_asked(["the third one"], answered="Is it “A map” or “A key”?") == "the third one"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Export of offline maps", "Export of offline maps\nIt does not work any more"),
        ("Customer chat", "It does not work any more"),
        ("Help", "It does not work any more"),
        ("It does not work", "It does not work any more"),
        (None, "It does not work any more"),
    ],
)
def test_the_subject_is_read_where_it_says_something(subject: str | None, expected: str) -> None:
    assert what_is_asked(["It does not work any more"], subject=subject) == expected


def test_a_subject_that_the_question_repeats_adds_nothing() -> None:
    question = "How do I rotate a deploy token before it expires?"
    assert what_is_asked([question], subject="Rotating a deploy token") == question


def test_the_subject_of_the_first_question_is_not_that_of_a_later_one() -> None:
    question = "How do I change the address on our invoices?"
    assert what_is_asked([question], earlier=["Do maps work offline?"], subject="Export of maps") == question


@given(st.lists(st.text(max_size=200), max_size=4), st.lists(st.text(max_size=200), max_size=4), st.text(max_size=300))
def test_whatever_is_said_a_question_holds_the_newest_words_and_stays_bounded(
    unanswered: list[str], earlier: list[str], answered: str
) -> None:
    question = what_is_asked(unanswered, earlier=earlier, answered=answered, subject=answered)
    if question is not None:
        assert len(question) <= LENGTH
        assert question.endswith([text.strip() for text in unanswered if not is_courtesy(text)][-1])

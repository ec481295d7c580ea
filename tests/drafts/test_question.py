from __future__ import annotations

import pytest

from flask_cairnloop.drafts.question import LENGTH, is_courtesy, what_is_asked


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

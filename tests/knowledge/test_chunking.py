from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from flask_cairnloop.knowledge.chunking import OVERLAP, SIZE, count_tokens, cut
from flask_cairnloop.knowledge.sentences import split_sentences

SENTENCE = "The ridge path is closed when the wind is strong. "


def test_every_piece_carries_its_title_and_heading_path() -> None:
    pieces = cut("Trails", "Before.\n\n# Ridges\n\nOne.\n\n## Winter\n\nTwo.")
    assert [(piece.title, piece.heading, piece.content) for piece in pieces] == [
        ("Trails", "", "Before."),
        ("Trails", "Ridges", "One."),
        ("Trails", "Ridges › Winter", "Two."),
    ]
    assert pieces[2].text == "Trails\nRidges › Winter\nTwo."


def test_a_heading_that_repeats_the_title_is_left_out() -> None:
    (piece,) = cut("Trails", "# trails\n\nOne.")
    assert piece.heading == ""


def test_a_long_section_is_cut_at_sentences_with_overlap() -> None:
    pieces = cut("Trails", SENTENCE * 60)
    assert len(pieces) > 3
    for before, after in pairwise(pieces):
        assert count_tokens(before.content) <= SIZE
        assert before.content.endswith("strong.")
        assert after.content.startswith("The ridge")
    whole = sum(piece.content.count("closed") for piece in pieces)
    assert 60 < whole <= 60 + len(pieces) * (OVERLAP // count_tokens(SENTENCE))


def test_code_and_tables_stay_whole_while_they_fit() -> None:
    code = "\n".join(f"step_{number} = walk({number})" for number in range(8))
    pieces = cut("T", f"{SENTENCE * 9}\n\n```\n{code}\n```")
    assert [piece for piece in pieces if code in piece.content]


def test_a_long_table_repeats_its_head_on_every_piece() -> None:
    rows = "\n".join(f"| {number} | a plan with some seats |" for number in range(80))
    pieces = cut("Plans", f"| Number | Plan |\n|---|---|\n{rows}")
    assert len(pieces) > 2
    assert all(piece.content.startswith("Number | Plan\n") for piece in pieces)


def test_nothing_is_cut_within_a_word() -> None:
    words = [f"word{number}" for number in range(900)]
    pieces = cut("T", " ".join(words))
    assert len(pieces) > 5
    assert {word for piece in pieces for word in piece.content.split()} == set(words)


def test_text_without_spaces_is_cut_all_the_same() -> None:
    assert all(count_tokens(piece.content) <= SIZE for piece in cut("T", "漢字" * 400))
    assert len(cut("T", "x" * 5000)) > 1


def test_an_article_without_words_is_found_by_its_title() -> None:
    (piece,) = cut("Trails", "# Ridges")
    assert piece.content == "Trails"


def test_the_same_words_under_another_title_are_another_piece() -> None:
    assert cut("A", "Words.")[0].digest != cut("B", "Words.")[0].digest
    assert cut("A", "Words.")[0].digest == cut("A", "Words.\n")[0].digest


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_text_is_cut_into_pieces_with_words(text: str) -> None:
    pieces = cut("Title", text)
    assert pieces
    assert all(piece.content.strip() for piece in pieces)


def test_sentences_end_where_a_reader_says() -> None:
    text = "Open Settings (e.g. Display). Version 3.5 is fine. Is it? “Yes.” See no. 5. Dr. Smith agrees!\n1. Go. Now"
    assert split_sentences(text) == [
        "Open Settings (e.g. Display).",
        "Version 3.5 is fine.",
        "Is it?",
        "“Yes.”",
        "See no. 5.",
        "Dr. Smith agrees!",
        "1. Go.",
        "Now",
    ]
    assert split_sentences("東京。大阪！") == ["東京。", "大阪！"]

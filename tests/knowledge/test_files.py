from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_cairnloop import InvalidInput
from flask_cairnloop.core.text import clean
from flask_cairnloop.knowledge.files import Page, compose, parse
from flask_cairnloop.knowledge.folders import check_path

MARKS = ["# T", "T", "====", "---", "title: x", "```", "\n", "\n\n", "a", "*b*", "#", " ", "'", '"', "\r", "\ufeff"]
TEXT = st.one_of(st.lists(st.sampled_from(MARKS), max_size=8).map("".join), st.text(max_size=30))


@pytest.mark.parametrize(
    ("text", "title", "content"),
    [
        ("Words.", "Opening hours", "Words."),
        ("# Hours\n\nWords.", "Hours", "Words."),
        ("# The *best* hours #\nWords.", "The best hours", "Words."),
        ("Hours\n=====\n\nWords.", "Hours", "Words."),
        ("Words.\n\n# Hours\n\nMore.", "Hours", "Words.\n\n# Hours\n\nMore."),
        ("```\n# no heading\n```\n\n# Hours", "Hours", "```\n# no heading\n```\n\n# Hours"),
        ("---\ntitle: Hours\ntags: [a]\n---\n\nWords.", "Hours", "Words."),
        ('\ufeff---\r\ntitle: "Hours"\r\n---\r\n# Hours\r\n\r\nWords.', "Hours", "Words."),
        ("---\ntitle: Hours\n---\n# Other\n\nWords.", "Hours", "# Other\n\nWords."),
        ("---\nno field\n---\nWords.", "Opening hours", "---\nno field\n---\nWords."),
        ("---\ntags: x\n---\nWords.", "Opening hours", "Words."),
    ],
)
def test_a_files_title_and_words_are_where_one_expects_them(text: str, title: str, content: str) -> None:
    assert parse("shop/opening-hours.md", text) == Page("shop/opening-hours.md", title, content)


@given(TEXT, TEXT)
@settings(max_examples=200, deadline=None)
def test_what_is_composed_reads_back_exactly(title: str, content: str) -> None:
    try:
        title = " ".join(clean(title, field="title", limit=200).split())
        content = clean(content, field="content", limit=1000)
    except InvalidInput:
        return
    assert parse("a-b.md", compose(title, content, path="a-b.md")) == Page("a-b.md", title, content)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd.md", "../a.md", "a/../../b.md", "a//b.md", "", ".", "a\\b.md", "a\0.md", "\udcff.md", "x" * 501],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        check_path(path)

from __future__ import annotations

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_cairnloop.core.markdown import BlockKind, message_to_html, to_html, to_sections, to_text

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[go](javascript:alert(1))",
    "[go](JaVa\tScRiPt:alert(1))",
    "[go](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](javascript:alert(1))",
    "<javascript:alert(1)>",
    '[x](https://a.example "onmouseover=alert(1)")',
    "[a]: javascript:alert(1)\n\n[a]",
    '```"onmouseover=alert(1)\n</code></pre><script>alert(1)</script>\n```',
    "<svg/onload=alert(1)>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    'https://a.example/"onmouseover=alert(1)',
    "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
]
ALLOWED = {
    "a": {"href", "title", "rel"},
    "code": {"class"},
    "ol": {"start"},
}


class Inspector(HTMLParser):
    """Collects every tag and attribute that is really there."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def assert_inert(html: str) -> None:
    for tag, attributes in Inspector(html).seen:
        assert tag not in {"script", "style", "iframe", "img", "svg", "object", "embed", "form", "input", "h1"}
        assert set(attributes) <= ALLOWED.get(tag, set()), (tag, attributes)
        assert re.match(r"(https?|mailto):", attributes.get("href") or "https:"), attributes


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_more_than_text(payload: str) -> None:
    assert_inert(to_html(payload))
    assert_inert(message_to_html(payload))


def test_no_known_payload_becomes_more_than_text() -> None:
    folder = os.environ.get("CAIRNLOOP_DATA")
    if not folder or not Path(folder, "security", "xss.json").exists():
        pytest.skip("CAIRNLOOP_DATA names no folder with security/xss.json")
    payloads = [str(each) for each in json.loads(Path(folder, "security", "xss.json").read_text(encoding="utf-8"))]
    assert len(payloads) > 100
    for payload in payloads:
        assert_inert(to_html(payload))
        assert_inert(message_to_html(payload))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_rendered_and_cut(text: str) -> None:
    assert_inert(to_html(text))
    assert_inert(message_to_html(text))
    to_sections(text)


def test_html_in_a_message_is_shown_as_text() -> None:
    assert message_to_html("<b>hi</b> & bye") == "<p>&lt;b&gt;hi&lt;/b&gt; &amp; bye</p>\n"


def test_a_message_keeps_its_lines_and_makes_no_headings() -> None:
    html = message_to_html("# not a heading\nsecond line\n\n    indented\n\n| a | b |\n|---|---|\n")
    assert "<h" not in html
    assert "<pre>" not in html
    assert "<table>" not in html
    assert "# not a heading<br>\nsecond line" in html


def test_a_message_keeps_lists_emphasis_and_code() -> None:
    html = message_to_html("1. one\n2. **two**\n\n```\nx = 1\n```")
    assert "<ol>" in html
    assert "<strong>two</strong>" in html
    assert "<pre><code>x = 1\n</code></pre>" in html


def test_links_tell_nobody_and_lend_nothing() -> None:
    html = to_html("[the map](https://a.example/x?a=1&b=2)")
    assert '<a href="https://a.example/x?a=1&amp;b=2" rel="nofollow noopener noreferrer">the map</a>' in html


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("See https://a.example/x.", "https://a.example/x", "."),
        ("(https://a.example/x)", "https://a.example/x", ")"),
        ("https://a.example/w_(x)!", "https://a.example/w_(x)", "!"),
        ("HTTPS://a.example/?q=1&r=2 and", "HTTPS://a.example/?q=1&amp;r=2", " and"),
    ],
)
def test_a_bare_address_becomes_a_link_without_the_sentences_own_marks(text: str, address: str, rest: str) -> None:
    html = message_to_html(text)
    assert f">{address}</a>{rest}" in html


def test_an_address_inside_a_link_or_code_is_left_alone() -> None:
    assert message_to_html("[https://a.example](https://b.example)").count("<a ") == 1
    assert "<a" not in message_to_html("`https://a.example`")


def test_an_image_becomes_a_link_and_loads_nothing() -> None:
    assert to_html("![a view](https://a.example/v.png)") == (
        '<p><a href="https://a.example/v.png" rel="nofollow noopener noreferrer">a view</a></p>\n'
    )


def test_an_articles_headings_begin_below_the_pages_own() -> None:
    assert to_html("# One\n\n###### Six") == "<h2>One</h2>\n<h6>Six</h6>\n"


def test_sections_carry_the_path_of_their_headings() -> None:
    sections = to_sections("Before\n\n# A\n\none\n\n## B\n\ntwo\n\n### C\n\nthree\n\n## D\n\n# E\n\nfour")
    assert [(section.path, section.text) for section in sections] == [
        ((), "Before"),
        (("A",), "one"),
        (("A", "B"), "two"),
        (("A", "B", "C"), "three"),
        (("E",), "four"),
    ]


def test_lists_tables_code_and_links_stay_readable() -> None:
    (section,) = to_sections(
        "- one\n- two\n  more\n  1. inner\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n```sh\nmake\n\n  demo\n```\n\n"
        "See [the *map*](https://a.example) or <mailto:me@a.example>.\n\n> quoted"
    )
    assert [(block.kind, block.text) for block in section.blocks] == [
        (BlockKind.LIST, "- one\n- two more\n  1. inner"),
        (BlockKind.TABLE, "a | b\n1 | 2"),
        (BlockKind.CODE, "make\n\n  demo"),
        (BlockKind.PARAGRAPH, "See the map (https://a.example) or me@a.example."),
        (BlockKind.PARAGRAPH, "quoted"),
    ]


def test_a_numbered_list_keeps_its_numbers() -> None:
    (section,) = to_sections("3. three\n4. four")
    assert section.text == "3. three\n4. four"


def test_plain_text_has_the_words_and_none_of_the_marks() -> None:
    assert to_text("# Title\n\nSome **bold** words.\n\n- item") == "Title\n\nSome bold words.\n\n- item"


def test_very_deep_nesting_ends() -> None:
    assert_inert(to_html(">" * 5000 + " deep"))
    to_sections("- " * 2000 + "deep")

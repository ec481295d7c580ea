from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from flask_cairnloop import InvalidInput, Operator, knowledge, retrieval
from flask_cairnloop.knowledge import Fate, Import, compare
from flask_cairnloop.knowledge.files import compose, parse
from flask_cairnloop.knowledge.folders import check_path

OUR_OWN = [
    "",
    " \t\n",
    "\0",
    "nul\0inside",
    "\ud800 lone",
    "\udfff",
    "\u202eright to left",
    "עברית اَلْعَرَبِيَّةُ",
    "\ufeffmark",
    "'; DROP TABLE cairnloop.cairnloop_articles; --",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} {% raw %} %s %(x)s {0}",
    "../../etc/passwd",
    "---\ntitle: \n---\n",
    "# \n=====\n",
    "`" * 400,
    "[" * 400,
    "> " * 400,
    "- " * 300,
    "|" * 400 + "\n" + "|-" * 400,
    "👩‍👩‍👧‍👦" * 40,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "\x1b[31mred",
    "\u2028\u2029\x85\x0b\x0c",
]


def strings() -> list[str]:
    """Our own, and those of ``CAIRNLOOP_DATA``: about twenty of them, or all with ``CAIRNLOOP_TORTURE=full``."""
    folder = os.environ.get("CAIRNLOOP_DATA")
    place = Path(folder, "security", "naughty_strings.json") if folder else None
    outside = json.loads(place.read_text(encoding="utf-8")) if place and place.exists() else []
    return OUR_OWN + (outside if os.environ.get("CAIRNLOOP_TORTURE") == "full" else outside[:: len(outside) // 20 or 1])


def test_every_naughty_string_is_a_title_words_and_a_path_or_refused(
    app: Flask, operator: Operator, run_jobs: Callable[[], int]
) -> None:
    titled = worded = 0
    for string in strings():
        article = knowledge.create_article("Plain", by=operator)
        try:
            knowledge.rename_article(article.id, string, by=operator)
            titled += 1
        except InvalidInput:
            pass
        try:
            saved = knowledge.save_draft(article.id, string, by=operator)
            worded += 1
        except InvalidInput:
            continue
        again = knowledge.get_revision(article.id, saved.version, visible_to=operator)
        assert compare(again.content, "other") != []
        assert parse("page.md", compose(article.title, again.content, path="page.md")).content == again.content
        if string in OUR_OWN or worded % 20 == 0:
            knowledge.publish(article.id, by=operator)
    run_jobs()
    assert titled >= 14
    assert worded >= 20
    assert knowledge.index_health(visible_to=operator).waiting == 0
    assert retrieval.search("DROP TABLE", visible_to=operator)


def test_every_naughty_string_is_a_file_and_its_name_or_refused(app: Flask, tmp_path: Path) -> None:
    run = Import(tmp_path)
    for number, string in enumerate(strings()):
        try:
            check_path(f"{string}.md")
        except InvalidInput:
            name = f"page{number}.md"
        else:
            name = f"{number} {string.replace('/', '∕')[:60]}.md"
        (tmp_path / name).write_bytes(string.encode("utf-8", "surrogatepass"))
    fates = [run.bring(found) for found in run.files()]
    assert {each.fate for each in fates} <= {Fate.ADDED, Fate.FAILED}
    assert any(each.fate == Fate.ADDED for each in fates)
    assert all(each.reason for each in fates if each.fate == Fate.FAILED)


def test_names_that_are_no_text_are_refused_one_by_one(app: Flask, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text("Words.")
    (tmp_path / "line\nbreak.md").write_text("Words.")
    run = Import(tmp_path)
    assert [run.bring(found).fate for found in run.files()] == [Fate.FAILED, Fate.FAILED]


@pytest.mark.parametrize("sign", ["x", "漢", "\u202e", "a b\n"])
def test_the_longest_words_are_kept_and_one_more_is_refused(app: Flask, operator: Operator, sign: str) -> None:
    longest = (sign * 200_000)[:199_999] + "."
    article = knowledge.create_article("Long", by=operator)
    assert len(knowledge.save_draft(article.id, longest, by=operator).content) == 200_000
    with pytest.raises(InvalidInput):
        knowledge.save_draft(article.id, longest + ".", by=operator)

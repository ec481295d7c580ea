"""Sentences with their evidence, laid out as the text a customer reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_cairnloop.host.draft_generator import Sentence

ITEM = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s")


def lay_out(sentences: Sequence[Sentence]) -> str:
    """The sentences as one text: courtesies stand apart, steps each on a line of their own."""
    text = ""
    before: Sentence | None = None
    for sentence in sentences:
        if before is not None:
            text += _joint(before, sentence)
        text += sentence.text
        before = sentence
    return text


def citations(sentences: Iterable[Mapping[str, Any]], evidence: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The evidence these stored sentences stand on, each once, as it is stored with a sent message."""
    cited = {each for sentence in sentences for each in sentence["evidence"]}
    keys = ("id", "title", "heading", "article_id", "revision_id")
    return [{key: each[key] for key in keys} for each in evidence if each["id"] in cited]


def _joint(before: Sentence, sentence: Sentence) -> str:
    if bool(before.evidence_ids) != bool(sentence.evidence_ids):
        return "\n\n"
    is_item, was_item = ITEM.match(sentence.text), ITEM.match(before.text)
    if is_item:
        return "\n" if was_item else "\n\n"
    return "\n\n" if was_item else " "

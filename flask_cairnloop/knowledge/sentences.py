"""Where one sentence ends and the next begins."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    {"e.g.", "i.e.", "etc.", "vs.", "mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "fig.", "approx."}
    | {"dept.", "inc.", "ltd.", "co.", "jr.", "sr.", "a.m.", "p.m.", "u.s.", "u.k.", "resp.", "cf.", "al."}
)
_LATIN_END = r"""[.!?…]+["'”’)\]]*(?=\s+["'“‘(\[]?[A-Z0-9À-ÞА-Я])"""
_EASTERN_END = r"[。！？]+[」』）]*"
_END = re.compile(f"{_LATIN_END}|{_EASTERN_END}")


def split_sentences(text: str) -> list[str]:
    """The sentences of ``text`` in order. A line break always ends one."""
    return [sentence for line in text.split("\n") for sentence in _split_line(line.strip()) if sentence]


def _split_line(line: str) -> list[str]:
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(line):
        sentence = line[start : end.end()].strip()
        if not _is_unfinished(sentence, line[end.end() :].lstrip()):
            sentences.append(sentence)
            start = end.end()
    sentences.append(line[start:].strip())
    return sentences


def _is_unfinished(text: str, rest: str) -> bool:
    """Whether the dot belongs to an abbreviation, or to the number of a list's item."""
    last = text.rsplit(maxsplit=1)[-1].lstrip("(\"'[“‘").lower()
    numbers_what_follows = last == "no." and rest[:1].isdigit()
    return last in _ABBREVIATIONS or numbers_what_follows or re.fullmatch(r"(\d{1,3}|[A-Za-z])\.", text) is not None

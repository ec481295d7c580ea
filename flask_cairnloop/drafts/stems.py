"""Words cut to what they share with their other forms, without the little ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")

_CAN_NOT = re.compile(r"\b(can)(?:['’]t|not)\b", re.IGNORECASE)
_CLIPPED_NOT = re.compile(r"(?<=\w)n['’]t\b", re.IGNORECASE)
_CLIPPED = re.compile(r"(?<=\w)['’](?:s|ve|re|ll|d|m)\b", re.IGNORECASE)
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s")
_LITTLE = """
    a about after all also an and any are as at be been but by can cannot could did do does for from get had has
    have how i if in into is it its me my no not of on or our out so that the their them then there these they
    this to up us was we were what when where which who why will with would you your
"""
COMMON = frozenset(_LITTLE.split())


def stems(text: str) -> Iterator[str]:
    """The stems of the words that mean something, in order."""
    for word in WORD.findall(unclipped(text.lower())):
        if word not in COMMON:
            yield stem(word)


def unclipped(text: str) -> str:
    """The text with "can't" as "can not", and without the "'s" and "'ve" behind a word."""
    return _CLIPPED.sub("", _CLIPPED_NOT.sub(" not", _CAN_NOT.sub(r"\1 not", text)))


def stem(word: str) -> str:
    """A lower-case English word without its commonest endings."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word

"""Telling what is said from how it is said."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LENGTH = 10  # words; longer messages say something
_POLITE = """
    a all alright amazing am and appreciate appreciated awesome best brilliant bye cheers day did excellent
    fantastic fine for good goodbye got great hello helped helpful hey hi i it it's its kind lovely lot many
    morning much nice now of ok okay perfect really see so sorted super ta thank thanks that that's the this
    very weekend well wonderful worked works you your
"""
#: Words that say nothing but hello, thanks or goodbye.
COURTESIES = frozenset(_POLITE.split())
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def is_courtesy(text: str, *, names: Iterable[str] = ()) -> bool:
    """Whether a message says nothing but hello, thanks or goodbye, to nobody else than ``names`` (in lower case)."""
    if "?" in text:
        return False
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    return 0 < len(words) <= _LENGTH and (COURTESIES.union(names)).issuperset(words)

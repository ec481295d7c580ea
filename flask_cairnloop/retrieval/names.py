"""How the names of people are found in what they write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NAMES = 40  # of one conversation
LENGTH = 100  # characters of one name

_NOBODY = """
    al and bin da de del den der di do dos du el ibn la le of st ten ter the van von zu
    admin agent assistant automatic bot customer customers desk dr help mr mrs ms mx prof service support system
    team unknown user
"""
#: Parts of names that name nobody alone.
_PARTICLES = frozenset(_NOBODY.split())
_ORDINARY = """
    amber april art august baker banks bell best bill black bond brown bush carol case chase cook cross crystal daisy
    dawn day dean drew earl eve faith field fisher ford fox frank french gates gene ginger glass gold good grace
    grant gray green grey guy hall hand head hill holly hope house iris ivy jack jade joy june king knight lake lane
    law lily light long love low major mark mason may miles moon olive page paris park parker pat pearl penny pepper
    person pool post power price ray rice rich robin rock rose ruby sand self sharp short silver sky small snow star
    stone street strong sue summer swift victor violet walker water waters weeks west white will wise wolf wood woods
    young
"""
#: Parts that are words as well: taken for a name only with a capital inside a sentence.
_WORDS = frozenset(_ORDINARY.split())


def name_pattern(names: Iterable[str | None], *, also: str) -> re.Pattern[str] | None:
    """What matches any of ``names`` whole, or one of their parts standing alone, or the pattern ``also`` before them.

    None where there is no name. A part that is a word as well ("Will", "Park") has to be written as a name.
    """
    whole: set[str] = set()
    parts: set[str] = set()
    for name in list(dict.fromkeys(name for name in names if name))[:NAMES]:
        words = re.split(r"[\s,;:/()|\"<>\[\]]+", name[:LENGTH].replace("\0", ""))
        words = [word.strip(".-_'’") for word in words]
        words = [word for word in words if re.search(r"[^\W\d_]", word)]
        if len(words) > 1 and not _PARTICLES.issuperset(word.casefold() for word in words):
            whole.add(" ".join(words))
        parts |= {part for word in words for part in (word, *word.split("-"))}
    told = [_bounded(r"\s+".join(map(_written, name.split())), name) for name in sorted(whole, key=_longest)]
    for part in sorted(parts, key=_longest):
        told += _alone(part)
    if not told:
        return None
    return re.compile("|".join([also, *told]))


def _alone(part: str) -> list[str]:
    known = part.casefold()
    if known in _PARTICLES or len(part) < (2 if _is_eastern(part) else 3):
        return []
    if known in _WORDS:
        return [rf"(?<=[^\W\d_A-Z] ){re.escape(part[:1].upper() + part[1:].lower())}(?!\w)"]
    return [_bounded(_written(part), part)]


def _written(part: str) -> str:
    """A part as people write it: in any case, with or without its accents."""
    composed = unicodedata.normalize("NFC", part)
    plain = "".join(c for c in unicodedata.normalize("NFD", part) if not unicodedata.combining(c))
    ways = dict.fromkeys((composed, unicodedata.normalize("NFD", part), plain))
    return "(?i:" + "|".join(re.sub("['’]", "['’]", re.escape(way)) for way in ways) + ")"


def _bounded(pattern: str, name: str) -> str:
    return pattern if _is_eastern(name) else rf"(?<!\w){pattern}(?!\w)"


def _is_eastern(name: str) -> bool:
    """Whether it is written in a script that sets no spaces between words."""
    return any("\u3040" <= c <= "\u9fff" or "\u0e00" <= c <= "\u0e7f" for c in name)


def _longest(name: str) -> tuple[int, str]:
    return -len(name), name

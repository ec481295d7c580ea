"""What a customer is asking, from the messages nobody has answered yet and what was said before them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask_cairnloop.conversations.courtesies import COURTESIES, is_courtesy
from flask_cairnloop.conversations.lifecycle import DEFAULT_SUBJECT

LENGTH = 2_000  # characters; the newest are kept
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ROOT = 5  # letters by which two forms of a word are told to be the same, "rotate" and "rotating"
_LITTLE = """
    about actually again all also and another any are been both but can could did does doesn done for from get got
    had has have help here how into its just let like make may mean meant more much need not now one only other our
    out please possible same see should some such than that the them then there these they thing this those too use
    want was way were what when where which who why will with would yes you your
"""
_SAYING_LITTLE = frozenset(_LITTLE.split())

_REFERENCE_LENGTH = 10  # words; a longer question stands by itself
_GOES_ON = re.compile(r"\s*(?:and\b|or\b|but\b|what about\b|how about\b|also\b|same\b|what if\b)", re.I)
_POINTS_BACK = re.compile(r"\b(?:it|this|that|these|those|them|they|one|ones|there|both|either|neither)\b", re.I)
_POINTS_AHEAD = re.compile(
    r"\b(?:is|was|isn['’]t) (?:it|there|this)\b|\b(?:it|there)['’]s\b", re.I
)  # "is it possible to"
_PLACES = (
    re.compile(r"\b(?:first|1st|former|number one|option 1)\b", re.I),
    re.compile(r"\b(?:second|2nd|latter|number two|option 2)\b", re.I),
    re.compile(r"\b(?:third|3rd|number three|option 3)\b", re.I),
    re.compile(r"\b(?:fourth|4th|number four|option 4)\b", re.I),
)
_LAST = re.compile(r"\blast (?:one|option|step|point)\b", re.I)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+(\S.*)$", re.M)
_QUOTED = re.compile(r"“([^“”]{2,120})”")


def what_is_asked(
    unanswered: Sequence[str], *, earlier: Sequence[str] = (), answered: str | None = None, subject: str | None = None
) -> str | None:
    """The question in these messages; None where they only greet or thank.

    A question that leans on what was said before ("and on Android?", "what about the second one?") is read together
    with the customer's last question that stood by itself, found in ``earlier`` (oldest first), and with what it
    picks from ``answered``, the desk's last answer. ``subject`` is read first where it says more than the messages do.
    """
    asking = [text.strip() for text in unanswered if not is_courtesy(text)]
    if not asking:
        return None
    question = "\n".join(asking)
    if leans_back(question):
        picked = _picked(question, answered)
        before = next((text.strip() for text in reversed(earlier) if not (is_courtesy(text) or leans_back(text))), None)
        parts = [before or _telling(subject, question), picked, question]
    else:
        parts = [None if earlier else _telling(subject, question), question]
    return "\n".join(part for part in parts if part)[-LENGTH:]


def leans_back(text: str) -> bool:
    """Whether a question can only be understood from what was said before it."""
    said = len(_telling_words(text))
    if said < 2:
        return True
    if len(_WORD.findall(text)) > _REFERENCE_LENGTH:
        return False
    if _GOES_ON.match(text) or any(place.search(text) for place in (*_PLACES, _LAST)):
        return said < 4
    return said < 3 and bool(_POINTS_BACK.search(text)) and not _POINTS_AHEAD.search(text)


def _telling_words(text: str) -> set[str]:
    words = {word.lower() for word in _WORD.findall(text)}
    return {word for word in words if len(word) > 2 and word not in _SAYING_LITTLE and word not in COURTESIES}


def _telling(subject: str | None, question: str) -> str | None:
    """The subject, where it says something that the question does not."""
    if not subject or subject == DEFAULT_SUBJECT:
        return None
    said = {word[:_ROOT] for word in _telling_words(question)}
    told = {word[:_ROOT] for word in _telling_words(subject)}
    return subject.strip() if len(told) > 1 and told - said else None


def _picked(question: str, answered: str | None) -> str | None:
    """What "the second one" is among the things the desk named last: the steps of a list, else titles in quotes."""
    named = _ITEM.findall(answered or "") or _QUOTED.findall(answered or "")
    if named and _LAST.search(question):
        return str(named[-1])
    places = (number for number, place in enumerate(_PLACES) if place.search(question))
    number = next(places, len(named))
    return str(named[number]) if number < len(named) else None

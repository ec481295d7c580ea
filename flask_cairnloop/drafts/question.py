"""What a customer is asking, from the messages nobody has answered yet."""

from __future__ import annotations

import re
from collections.abc import Sequence

LENGTH = 2_000  # characters; the newest are kept
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_COURTESY_LENGTH = 10  # words; longer messages say something
_POLITE = """
    a all alright amazing am and appreciate appreciated awesome best brilliant bye cheers day did excellent
    fantastic fine for good goodbye got great hello helped helpful hey hi i it it's its kind lovely lot many
    morning much nice now of ok okay perfect really see so sorted super ta thank thanks that that's the this
    very weekend well wonderful worked works you your
"""
_COURTESIES = frozenset(_POLITE.split())


def what_is_asked(unanswered: Sequence[str], *, before: str | None = None) -> str | None:
    """The question in these messages; None where they only greet or thank.

    A question of a word or two ("and on Android?") is read together with ``before``, the customer's earlier message.
    """
    asking = [text.strip() for text in unanswered if not is_courtesy(text)]
    if not asking:
        return None
    question = "\n".join(asking)
    if before and len([word for word in _WORD.findall(question) if len(word) > 3]) < 2:
        question = f"{before.strip()}\n{question}"
    return question[-LENGTH:]


def is_courtesy(text: str) -> bool:
    """Whether a message says nothing but hello, thanks or goodbye."""
    if "?" in text:
        return False
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    return 0 < len(words) <= _COURTESY_LENGTH and _COURTESIES.issuperset(words)

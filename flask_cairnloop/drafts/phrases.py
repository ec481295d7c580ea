"""Phrases known by heart, in closed lists: courtesies that claim nothing, and what must not be said unnoticed."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OF_OURS = r"(?:the|your) (?:question|message|note|e-?mail|patience|time|interest|feedback|understanding|reply|help)"
_REACHING = (
    r"(?:reaching out|contacting us|getting in touch|getting back to us|writing(?: to us| in)?|asking|waiting"
    r"|letting us know)"
)
_ELSE = r"(?:any(?:thing)? (?:other|further|more|else)(?: questions?| help)?|more questions?|questions?)"
_WORKS_NOT = r"(?: still)? (?:does not|doesn't|did not|didn't) "
_FAILS = rf"(?:this|that|it){_WORKS_NOT}(?:help|work|solve it|answer (?:it|your question))"
_BACK = r"(?:reply(?: here| to this message)?|write (?:back|to us)|let us know|get in touch)(?: again)?"
_WRITE = rf"(?:(?:please |just )*{_BACK})"
_HELP = r"(?:look into it|be (?:happy|glad) to help|help(?: you)?(?: further)?|take it from there)"
_WE = rf"(?: and we(?: will|'ll) {_HELP})?"
_SELVES = r"(?:(?:we are|we're|i am|i'm) )?(?:so |very |really |always )?"
_DAY = r"(?:day|evening|weekend|week)"
_LINES = (
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|welcome(?: back)?)(?: there| again)?"
    r"(?P<name>(?:,? [^\W\d_][\w'’.-]{0,29}){0,3})",
    rf"(?:thank you|thanks|many thanks)(?: (?:so|very) much| a lot| again)?(?: for (?:{_OF_OURS}|{_REACHING}))?",
    rf"(?:(?:we|i) apologi[sz]e|{_SELVES}sorry)(?: for| about) (?:the|any|this) "
    r"(?:inconvenience|trouble|wait|delay|confusion|frustration)",
    rf"{_SELVES}sorry to hear (?:that|this|about (?:this|that))",
    r"(?:(?:we|i) )?hope (?:this|that) (?:helps|answers your question|is helpful)",
    rf"{_SELVES}(?:happy|glad|here) to help(?: you)?(?: further| with this| with that)?",
    r"(?:please )?(?:let (?:us|me) know|reply(?: here)?|write (?:back|to us)|reach out|get in touch)(?: again)?,? "
    rf"(?:if|should) (?:you|there)(?: have| are| need)? {_ELSE}",
    rf"(?:should|if) you have {_ELSE},? {_WRITE}{_WE}",
    rf"if {_FAILS},? {_WRITE}{_WE}",
    rf"{_WRITE}(?:,? if {_FAILS})?{_WE}",
    r"(?:kind|best|warm) (?:regards|wishes)|regards|sincerely|yours (?:sincerely|truly)|cheers|take care|goodbye",
    r"(?:your|the) (?:customer )?support team",
    rf"(?:have|enjoy) (?:a|the rest of your)(?: (?:nice|great|good|lovely|wonderful))? {_DAY}",
    r"(?:you're|you are) (?:very )?welcome",
    r"(?:that's |that is )?(?:a )?(?:great|good) question",
    r"here(?:'s| is| are) (?:the steps|how(?: it works| to do (?:it|that))?|what to do|what (?:we|i) found)",
    r"(?:we|i) understand(?: (?:that|how) (?:this|it) (?:is|can be) frustrating)?",
)
_COURTESIES = tuple(re.compile(line, re.IGNORECASE) for line in _LINES)
_DEED = re.compile(
    r"\b(?:I|we)(?:['’](?:ve|ll)|\s(?:have|had|will|did|shall|just|am|are going))\b"
    r"|\b(?:has|have)(?: now| just| already)? been \w+ed\b|^done\b",
    re.IGNORECASE,
)
_TO_A_MACHINE = re.compile(
    r"\b(?:ignore|disregard|forget|override)(?: (?:all|any|the|your|these|those|of))* "
    r"(?:previous|prior|above|earlier|preceding|other) (?:\w+ )?(?:instruction|prompt|rule|message|text)"
    r"|\bsystem prompt\b|\blanguage model\b|\bas an ai\b|\byou are (?:now )?an? (?:ai|llm|chatbot)\b"
    r"|</?(?:system|instructions?|information|assistant|user)>|\bin your (?:response|reply|answer|output),"
    r"|\bdo not (?:tell|inform|alert) the (?:user|customer|operator)\b",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"\b(?:pass(?:word|code|phrase)|pin|cvv|cvc|(?:one-time|security|verification) code|(?:card|account) number"
    r"|social security|ssn|(?:private|secret) key|seed phrase)\b",
    re.IGNORECASE,
)
_HAND_OVER = re.compile(r"\b(?:send|share|tell|give|provide|reply|confirm|write|e-?mail|text) ", re.IGNORECASE)


def is_courtesy(text: str, *, names: Iterable[str] = ()) -> bool:
    """Whether a sentence says nothing but hello, thanks, sorry or goodbye; a greeting may use only ``names``."""
    said = re.sub(r"\s+", " ", text.replace("’", "'")).strip().rstrip(".!,:; ")
    for line in _COURTESIES:
        if match := line.fullmatch(said):
            called = re.findall(r"[^\s,]+", match.groupdict().get("name") or "")
            return {each.casefold() for each in called} <= {each.casefold().replace("’", "'") for each in names}
    return False


def tells_of_a_deed(text: str) -> bool:
    """Whether it says that the desk did or will do something."""
    return _DEED.search(text) is not None


def speaks_to_a_machine(text: str) -> bool:
    """Whether it gives orders to whoever composes rather than words to a reader."""
    return _TO_A_MACHINE.search(text) is not None


def secret_in(text: str) -> str | None:
    """What in a question nobody should be asked for by a desk: a password, a card's number."""
    found = _SECRET.search(text)
    return found.group() if found else None


def wants_handed_over(text: str) -> str | None:
    """The secret a sentence wants the reader to send somewhere."""
    return secret_in(text) if _HAND_OVER.search(text) else None

"""What a resolved thread says in a few words: the question, the answer that settled it, and what was done."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_cairnloop.conversations import Conversation, Message, MessageRole
from flask_cairnloop.conversations.courtesies import is_courtesy
from flask_cairnloop.conversations.lifecycle import DEFAULT_SUBJECT
from flask_cairnloop.knowledge.sentences import split_sentences
from flask_cairnloop.retrieval.redaction import redact

SUBJECT_LENGTH = 120  # characters of each part, once redacted
PROBLEM_LENGTH = 1_000
RESOLUTION_LENGTH = 1_500
ACTION_LENGTH = 200
ACTIONS = 3

_CLOSING = re.compile(
    r"you['’]?re (?:very |most )?welcome|my pleasure|no problem|(?:i['’]?m |we['’]?re |i am |we are )?(?:so |very )?"
    r"(?:glad|happy|pleased) (?:to|i|we|it|that|you)|(?:is there )?anything else|(?:please )?(?:let (?:me|us) know"
    r"|feel free|do(?: not|n['’]t) hesitate|reach out)|have a (?:\w+ ){0,2}(?:day|time|weekend|week"
    r"|evening|trip|one)|(?:many |kind |best )?(?:thanks|thank you|regards|wishes)|take care|sincerely|cheers"
    r"|enjoy|good luck|(?:i['’]?ll|i will|we['’]?ll|i am|i['’]?m) (?:now )?(?:close|closing|mark)",
    re.I,
)
_CLOSING_LENGTH = 14  # words; a longer sentence says something besides


@dataclass(frozen=True)
class Summary:
    """One resolved conversation, redacted and bounded. ``digest`` is of what its vector is made from."""

    subject: str
    problem: str
    resolution: str
    actions: list[str]
    outcome: str
    digest: str


def summarise(conversation: Conversation, messages: Sequence[Message]) -> Summary | None:
    """The case a thread makes; None without both a customer's question and an operator's answer.

    ``messages`` in order. Only what customer and operators said to each other counts: internal notes, the desk's own
    words and what a machine sent are left out.
    """
    names = [conversation.customer_name, *(message.author_name for message in messages)]
    parts = {word.lower() for name in names if name for word in name.split()}
    people = [m for m in messages if m.role == MessageRole.AGENT and not m.automatic]
    answers = [(m, text) for m in people if (text := substance(m.content, names=parts, closing=True))]
    if not answers:
        return None
    settled, resolution = answers[-1]
    asking = [m for m in messages if m.role == MessageRole.USER and m.sequence < settled.sequence]
    said = [text for m in asking if (text := substance(m.content, names=parts))]
    problem = _kept("\n".join(said), PROBLEM_LENGTH, names)
    resolution = _kept(resolution, RESOLUTION_LENGTH, names)
    if not problem or not resolution:
        return None
    own = conversation.subject if conversation.subject != DEFAULT_SUBJECT else ""
    subject = _kept(own, SUBJECT_LENGTH, names) or beginning(split_sentences(problem)[0], SUBJECT_LENGTH)
    actions = [_kept(" ".join(text.split()), ACTION_LENGTH, names) for _, text in answers[-ACTIONS:]]
    outcome = "resolved again" if conversation.reopened_count else "resolved"
    return Summary(subject, problem, resolution, actions, outcome, digest_of(subject, problem))


def meaning(subject: str, problem: str) -> str:
    """What a case's vector is made from: what was asked, under its subject where that says something of its own."""
    if problem.startswith(subject.removesuffix("…")):
        return problem
    return f"{subject}\n{problem}"


def digest_of(subject: str, problem: str) -> str:
    """A digest of what a case's vector is made from."""
    return hashlib.sha256(meaning(subject, problem).encode()).hexdigest()


def substance(text: str, *, names: Iterable[str] = (), closing: bool = False) -> str:
    """``text`` without the sentences that only greet or thank; with ``closing``, nor those that only offer more help.

    ``names`` are parts of names in lower case: a greeting may use them.
    """
    called = frozenset(names)
    lines = []
    for line in text.split("\n"):
        told = [each for each in split_sentences(line) if not is_courtesy(each, names=called)]
        lines.append(" ".join(each for each in told if not (closing and _closes(each, called))))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _closes(sentence: str, names: frozenset[str]) -> bool:
    """Whether a sentence of an operator's only ends a talk, or signs it."""
    words = re.findall(r"[^\W\d_]+", sentence.lower())
    brief = len(words) <= _CLOSING_LENGTH and not re.search(r"[:;]|\d", sentence)
    return (brief and _CLOSING.match(sentence) is not None) or (bool(words) and names.issuperset(words))


def beginning(text: str, length: int) -> str:
    """``text`` up to ``length`` characters, cut between words and marked with "…" where something is left out."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    whole = re.sub(r"\s+\S*$", "", cut) if re.search(r"\s", cut) else re.sub(r"\[[a-z-]*$", "", cut)
    return whole.rstrip() + "…"


def _kept(text: str, length: int, names: Iterable[str | None]) -> str:
    return beginning(redact(text, names=names).strip(), length)

"""Claude composes: it may cite only numbered passages, hands in a draft by a schema, and has its time bounded."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flask_cairnloop.core import telemetry
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.drafts.engines.extractive import ExtractiveGenerator, listed
from flask_cairnloop.drafts.engines.prompting import TOOL, request
from flask_cairnloop.drafts.views import ConversationView
from flask_cairnloop.host.draft_generator import DraftGenerator, DraftKind, DraftProposal, Sentence
from flask_cairnloop.retrieval.results import Evidence, Grounding, GroundingLevel, Trust

if TYPE_CHECKING:
    from anthropic import Anthropic
    from anthropic.types import Message, Usage

log = logging.getLogger("flask_cairnloop.drafts")

CONNECTING = 5.0  # seconds
SENTENCES = 40
_STOPPED = {
    "refusal": "the model refused to answer",
    "max_tokens": "the answer was cut off at CAIRNLOOP_ANTHROPIC_MAX_TOKENS",
    "model_context_window_exceeded": "the conversation is too long for the model",
}
_STATUSES = {
    400: "the request was not accepted (400); check CAIRNLOOP_ANTHROPIC_MODEL",
    401: "the key was not accepted (401)",
    403: "the key may not do this (403)",
    404: "there is no such model or address (404)",
    413: "the conversation is too long (413)",
    429: "the rate limit is reached (429)",
    529: "Anthropic is overloaded (529)",
}
_TOKENS = {
    "input": ("input_tokens", "cache_creation_input_tokens"),
    "cached": ("cache_read_input_tokens",),
    "output": ("output_tokens",),
}


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(min_length=1)
    evidence: list[int]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: DraftKind
    sentences: list[_Said] = Field(max_length=SENTENCES)
    missing: str
    confidence: float = Field(ge=0, le=1)


class AnthropicGenerator(DraftGenerator):
    """Lets a model compose on strong evidence. On weaker evidence the deterministic generator does, without a call.

    Needs ``CAIRNLOOP_ANTHROPIC_API_KEY`` or the variable ``ANTHROPIC_API_KEY``.
    """

    def generate_draft(self, conversation: ConversationView, grounding: Grounding) -> DraftProposal:
        """A proposal of the model's. Raises ``HostFailure``, in words for an operator, when there is none in time."""
        if grounding.level != GroundingLevel.STRONG:
            quoting = ExtractiveGenerator()
            return replace(quoting.generate_draft(conversation, grounding), composer=type(quoting).__name__)
        key = (settings.anthropic_api_key or os.environ.get("ANTHROPIC_API_KEY") or "").strip()
        if not key:
            raise HostFailure("no key is set (CAIRNLOOP_ANTHROPIC_API_KEY)", permanent=True)
        evidence = [each for each in grounding.evidence if each.trust == Trust.CANONICAL]
        asked = request(
            conversation, evidence, model=settings.anthropic_model, max_tokens=settings.anthropic_max_tokens
        )
        message = _call(key, asked)
        _count(message.usage)
        return _proposal(_answer(message), evidence, grounding)


def _call(key: str, asked: Any) -> Message:
    """One answer, retries included, within the time limit whatever the other side does. Raises ``HostFailure``."""
    limit = settings.anthropic_timeout
    client = _client(key, deadline=time.monotonic() + limit)
    answers: SimpleQueue[Message | HostFailure] = SimpleQueue()
    # In a thread of its own: a socket's timeouts bound each read, never the sum of a trickle's reads and of waits.
    threading.Thread(target=lambda: answers.put(_tried(partial(client.messages.create, **asked))), daemon=True).start()
    try:
        answer = answers.get(timeout=limit)
    except Empty:
        raise HostFailure(f"no answer within {limit:g} seconds") from None
    finally:
        client.close()
    if isinstance(answer, HostFailure):
        raise answer
    return answer


def _client(key: str, deadline: float) -> Anthropic:
    from anthropic import Anthropic, DefaultHttpxClient, Timeout

    def refuse_long_waits(response: Any) -> None:
        if response.status_code >= 400 and _asked_to_wait(response.headers) > deadline - time.monotonic():
            response.headers["x-should-retry"] = "false"

    limit = settings.anthropic_timeout
    timeout = Timeout(limit, connect=min(CONNECTING, limit))
    return Anthropic(
        api_key=key,
        base_url=settings.anthropic_base_url,
        max_retries=settings.anthropic_retries,
        timeout=timeout,
        http_client=DefaultHttpxClient(timeout=timeout, event_hooks={"response": [refuse_long_waits]}),
    )


def _asked_to_wait(headers: Any) -> float:
    try:
        return float(headers.get("retry-after", 0))
    except ValueError:
        return 0.0


def _tried(call: partial[Message]) -> Message | HostFailure:
    """The answer, or why there is none, in our own words: an exception's may hold the key or what a stranger sent."""
    from anthropic import APIConnectionError, APIStatusError, APITimeoutError
    from anthropic.types import Message

    try:
        answer = call()
        return answer if isinstance(answer, Message) else HostFailure("what answered is not Anthropic's interface")
    except APITimeoutError:
        return HostFailure("no answer within the time limit")
    except APIConnectionError:
        return HostFailure("the connection to Anthropic failed")
    except APIStatusError as failure:
        return HostFailure(_STATUSES.get(failure.status_code, f"Anthropic answered an error ({failure.status_code})"))
    except Exception as failure:
        log.warning("the call to Anthropic failed: %s", type(failure).__name__)
        return HostFailure(f"the call failed ({type(failure).__name__})")


def _answer(message: Message) -> _Answer:
    if words := _STOPPED.get(message.stop_reason or ""):
        raise HostFailure(words)
    # What the other side sends is not checked by the SDK: any part may be missing or of another type.
    calls = [block for block in message.content or () if getattr(block, "name", None) == TOOL]
    if len(calls) != 1:
        raise HostFailure("the model handed in no draft" if not calls else "the model handed in several drafts")
    try:
        answer = _Answer.model_validate(getattr(calls[0], "input", None))
    except ValidationError as faults:
        where = ", ".join(dict.fromkeys(".".join(map(str, fault["loc"])) or "all" for fault in faults.errors()))
        raise HostFailure(f"the model's draft is malformed ({where[:100]})") from None
    if answer.kind != DraftKind.ESCALATION and not answer.sentences:
        raise HostFailure("the model's draft is empty")
    return answer


def _proposal(answer: _Answer, evidence: Sequence[Evidence], grounding: Grounding) -> DraftProposal:
    numbers = {number for said in answer.sentences for number in said.evidence}
    if invented := sorted(numbers - set(range(1, len(evidence) + 1))):
        raise HostFailure(f"the model cited passage {invented[0]}, and there are {len(evidence)}")
    sentences = tuple(
        Sentence(" ".join(said.text.split()), tuple(evidence[number - 1].id for number in dict.fromkeys(said.evidence)))
        for said in answer.sentences
    )
    cited = list(dict.fromkeys(evidence[number - 1].title for number in sorted(numbers)))
    if answer.kind == DraftKind.ESCALATION:
        words = "The model found no answer in the passages. This needs a person."
    else:
        words = f"{grounding.reason} Composed by {settings.anthropic_model}"
        words += f" from {listed(cited)}." if cited else "."
    return DraftProposal(
        kind=answer.kind,
        sentences=() if answer.kind == DraftKind.ESCALATION else sentences,
        summary=words,
        confidence=min(answer.confidence, grounding.score),
        missing=" ".join(answer.missing.split())[:500],
    )


def _count(usage: Usage | None) -> None:
    for kind, fields in _TOKENS.items():
        tokens = sum(getattr(usage, field, None) or 0 for field in fields)
        telemetry.measure("cairnloop_draft_tokens", tokens, kind=kind)

"""Text to vectors through the host's embedder, with its answer checked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask_cairnloop.core.current import settings, state
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.embedder import Embedder

BATCH = 16  # texts in one call, so that none takes long; an embedder's ``batch_size`` says otherwise
TRIED_AGAIN = 60.0  # seconds until an embedder that failed is tried again only to see how it is
SHORTEST, LONGEST = 1e-18, 1e18  # lengths of vectors whose angle single precision can tell
_OUTCOME = "embedder_outcome"


@dataclass(frozen=True)
class Outcome:
    """How the configured embedder answered last in this process; ``failure`` is None where it did its work."""

    failure: HostFailure | None
    at: float


def embed(embedder: Embedder, texts: Sequence[str]) -> list[list[float]]:
    """One vector per text, in order. Raises ``HostFailure`` where the embedder fails or answers nonsense."""
    return _ask(embedder, embedder.embed, texts)


def embed_questions(embedder: Embedder, texts: Sequence[str]) -> list[list[float]]:
    """As ``embed``, for texts that are searched with: some models tell questions from passages."""
    return _ask(embedder, getattr(embedder, "embed_questions", embedder.embed), texts)


def embed_one(text: str) -> tuple[list[float], Embedder]:
    """The vector of one question, and the embedder that made it. Raises ``HostFailure`` where there is none."""
    if settings.embedder is None:
        raise HostFailure("no embedder is configured", permanent=True)
    return embed_questions(settings.embedder, [text])[0], settings.embedder


def failure_of_embedder() -> HostFailure | None:
    """Why the configured embedder does not work; None where it does, as far as this process knows.

    One that was never asked is asked now, one that failed once a minute.
    """
    if settings.embedder is None:
        return HostFailure("no embedder is configured", permanent=True)
    last = state().shared.get(_OUTCOME)
    if isinstance(last, Outcome) and (last.failure is None or time.monotonic() - last.at < TRIED_AGAIN):
        return last.failure
    try:
        embed_one("Does it work?")
    except HostFailure as failure:
        return failure
    return None


def _ask(
    embedder: Embedder, method: Callable[[Sequence[str]], list[list[float]]], texts: Sequence[str]
) -> list[list[float]]:
    size = max(1, int(getattr(embedder, "batch_size", BATCH)))
    vectors: list[list[float]] = []
    try:
        for start in range(0, len(texts), size):
            batch = list(texts[start : start + size])
            vectors += _checked(ask("embedder", method, batch), len(batch), embedder)
    except HostFailure as failure:
        _remember(embedder, failure)
        raise
    if vectors:
        _remember(embedder, None)
    return vectors


def _remember(embedder: Embedder, failure: HostFailure | None) -> None:
    if embedder is settings.embedder:
        state().shared[_OUTCOME] = Outcome(failure, time.monotonic())


def _checked(answer: Sequence[Sequence[float]], count: int, embedder: Embedder) -> list[list[float]]:
    try:
        vectors = [[float(number) for number in vector] for vector in answer]
    except (TypeError, ValueError):
        raise HostFailure(f"{embedder.name} answered no vectors") from None
    if len(vectors) != count:
        raise HostFailure(f"{embedder.name} answered {len(vectors)} vectors for {count} texts")
    for vector in vectors:
        if len(vector) != embedder.dimension:
            raise HostFailure(f"{embedder.name} answered {len(vector)} numbers instead of {embedder.dimension}")
        if not SHORTEST < math.hypot(*vector) < LONGEST:  # false for what is no number, too
            raise HostFailure(f"{embedder.name} answered a vector without direction")
    return vectors

"""Text to vectors through the host's embedder, with its answer checked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.embedder import Embedder

BATCH = 16  # texts in one call, so that none takes long


def embed(embedder: Embedder, texts: Sequence[str]) -> list[list[float]]:
    """One vector per text, in order. Raises ``HostFailure`` where the embedder fails or answers nonsense."""
    vectors: list[list[float]] = []
    for start in range(0, len(texts), BATCH):
        batch = list(texts[start : start + BATCH])
        answer = ask("embedder", embedder.embed, batch)
        if len(answer) != len(batch):
            raise HostFailure(f"{embedder.name} answered {len(answer)} vectors for {len(batch)} texts")
        vectors += [_checked(vector, embedder) for vector in answer]
    return vectors


def embed_one(text: str) -> tuple[list[float], Embedder]:
    """The vector of one text, and the embedder that made it. Raises ``HostFailure`` where there is none."""
    if settings.embedder is None:
        raise HostFailure("no embedder is configured", permanent=True)
    return embed(settings.embedder, [text])[0], settings.embedder


def _checked(vector: Sequence[float], embedder: Embedder) -> list[float]:
    numbers = [float(number) for number in vector]
    if len(numbers) != embedder.dimension:
        raise HostFailure(f"{embedder.name} answered {len(numbers)} numbers instead of {embedder.dimension}")
    length = math.hypot(*numbers)
    if not math.isfinite(length) or length == 0:
        raise HostFailure(f"{embedder.name} answered a vector without direction")
    return numbers

"""Embedders for tests: they keep to the behaviour's contract, and their vectors mean something simple."""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Sequence

from flask_cairnloop import Embedder, HostFailure


class WordEmbedder(Embedder):
    """A vector's directions are the text's words; texts that share words are near each other."""

    def __init__(self, name: str = "words", dimension: int = 48) -> None:
        self.name = name
        self.dimension = dimension
        #: Every text it was ever given.
        self.texts: list[str] = []
        #: Raised instead of an answer.
        self.failure: HostFailure | None = None

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self.failure is not None:
            raise self.failure
        self.texts += texts
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [1e-3] * self.dimension
        for word in re.findall(r"\w+", text.lower()):
            vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.dimension] += 1
        length = math.hypot(*vector)
        return [number / length for number in vector]


class SlowEmbedder(WordEmbedder):
    """Takes its time, so that it can be killed in the middle; a few texts are saved at once."""

    batch_size = 1

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        time.sleep(0.02 * len(texts))
        return super().embed(texts)


SLOW = SlowEmbedder("slow", 16)

"""How does text become a vector?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence


class Embedder(ABC):
    """Turns texts into vectors. The default is a local model; no network."""

    #: Names the model; vectors of different names are never compared.
    name: str
    #: Length of every vector.
    dimension: int

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text, in order. Raise ``HostFailure`` when it cannot: retrieval goes on with words alone."""

    def embed_questions(self, texts: Sequence[str]) -> list[list[float]]:
        """As ``embed``, for what is searched with rather than found. Somebody is waiting for it: answer soon or raise.

        Optional; some models tell questions from passages.
        """
        return self.embed(texts)

"""The bundled embedder, as the host behaviour ``Embedder`` wants it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from flask import current_app, has_app_context

from flask_cairnloop.core.current import EXTENSION, settings
from flask_cairnloop.minilm import weights

if TYPE_CHECKING:
    from flask_cairnloop.minilm.model import MiniLM

_models: dict[Path, MiniLM] = {}
_loading = Lock()


class LocalEmbedder:
    """all-MiniLM-L6-v2 in this process: no network, no key; the weights load once, on the first call."""

    name = "all-MiniLM-L6-v2"
    dimension = 384

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        """``directory`` holds the model; None: ``CAIRNLOOP_MODEL_DIR`` (setting, variable), else the cache."""
        self._directory = directory

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit vector per text. Raises ``WeightsMissing`` where the model was never installed."""
        if not texts:
            return []
        vectors: list[list[float]] = self._model().encode(texts).tolist()
        return vectors

    def _model(self) -> MiniLM:
        home = weights.require(self._chosen())
        model = _models.get(home)
        if model is None:
            with _loading:
                model = _models.get(home)
                if model is None:
                    from flask_cairnloop.minilm.model import MiniLM

                    model = _models[home] = MiniLM(home)
        return model

    def _chosen(self) -> str | os.PathLike[str] | None:
        if self._directory is None and has_app_context() and EXTENSION in current_app.extensions:
            return settings.model_dir
        return self._directory

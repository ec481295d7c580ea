"""The bundled embedder: all-MiniLM-L6-v2 in numpy, its weights fetched once. Importing loads nothing heavy."""

from __future__ import annotations

from flask_cairnloop.minilm.embedder import LocalEmbedder
from flask_cairnloop.minilm.weights import WeightsMissing, install, installed, model_directory

__all__ = ["LocalEmbedder", "WeightsMissing", "install", "installed", "model_directory"]

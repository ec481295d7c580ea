from __future__ import annotations

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flask_cairnloop.minilm import LocalEmbedder, WeightsMissing, model_directory
from tests.support.model import needs_model

REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))
TEXTS = [each["text"] for each in REFERENCE]


@pytest.fixture(scope="module")
def embedder() -> LocalEmbedder:
    return LocalEmbedder(model_directory())


@needs_model
def test_vectors_equal_those_of_the_original_implementation(embedder: LocalEmbedder) -> None:
    vectors = np.array(embedder.embed(TEXTS))
    expected = np.array([each["vector"] for each in REFERENCE])
    assert np.abs(vectors - expected).max() < 2e-5


@needs_model
def test_a_vector_does_not_depend_on_its_neighbours(embedder: LocalEmbedder) -> None:
    together = np.array(embedder.embed(TEXTS * 5))
    alone = np.array([embedder.embed([text])[0] for text in TEXTS])
    assert np.abs(together - np.tile(alone, (5, 1))).max() < 1e-5


@needs_model
def test_every_vector_has_length_one_whatever_the_text(embedder: LocalEmbedder) -> None:
    odd = ["", " ", "\0", "🗝️", "a" * 5000, "漢字" * 500, "\u202e", "[PAD] [PAD]"]
    for vector in embedder.embed(odd):
        assert len(vector) == embedder.dimension
        assert math.isclose(math.hypot(*vector), 1, rel_tol=1e-5)


@needs_model
def test_like_questions_are_nearer_than_unlike_ones(embedder: LocalEmbedder) -> None:
    reset, forgot, maps = np.array(embedder.embed(TEXTS[:3]))
    assert reset @ forgot > 0.6 > 0.2 > reset @ maps


@needs_model
def test_words_beyond_the_limit_are_not_read(embedder: LocalEmbedder) -> None:
    long = "ridge " * 300
    first, second = embedder.embed([long, long + "a completely different ending"])
    assert np.abs(np.array(first) - np.array(second)).max() < 1e-6


@needs_model
def test_many_threads_share_one_model(embedder: LocalEmbedder) -> None:
    expected = embedder.embed(TEXTS[:3])
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: LocalEmbedder(model_directory()).embed(TEXTS[:3]), range(16)):
            assert np.abs(np.array(found) - np.array(expected)).max() < 1e-6


def test_no_texts_need_no_model(tmp_path: Path) -> None:
    assert LocalEmbedder(tmp_path).embed([]) == []


def test_without_its_files_the_embedder_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="flask cairnloop embedder install") as refusal:
        LocalEmbedder(tmp_path).embed(["anything"])
    assert refusal.value.permanent


def test_importing_the_desk_loads_neither_numpy_nor_tokenizers() -> None:
    script = "import sys, flask_cairnloop.minilm, flask_cairnloop.retrieval, flask_cairnloop.drafts;"
    script += "print([name for name in ('numpy', 'tokenizers', 'safetensors', 'markdown_it') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"

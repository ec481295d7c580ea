"""The forward pass of all-MiniLM-L6-v2 (BERT, 6 layers, 384 wide) in numpy, float32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]

DIMENSION = 384
LAYERS = 6
HEADS = 12
HEAD_SIZE = DIMENSION // HEADS
EPSILON = np.float32(1e-12)
MAX_TOKENS = 256
TOKENS_PER_BATCH = 2048  # keeps one layer's activations inside the processor's caches
MASKED = np.float32(-1e9)

# erf as a ratio of two odd/even polynomials on [-4, 4], highest power first; error below 1e-6 in float32.
_ERF_TOP = (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
            -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02)  # fmt: skip
_ERF_BOTTOM = (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
               -1.42647390514189e-02)  # fmt: skip
_ROOT_HALF = np.float32(0.7071067811865476)
_GELU_ROWS = 32


class MiniLM:
    """The loaded model. It holds no state between calls, so any number of threads may use one."""

    def __init__(self, directory: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        weights: dict[str, Any] = load_file(directory / "model.safetensors")
        self._words: Floats = weights["embeddings.word_embeddings.weight"]
        positions: Floats = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
        self._positions: Floats = positions + weights["embeddings.token_type_embeddings.weight"][0]
        self._norm = _Norm(weights, "embeddings.LayerNorm")
        self._layers = [_Layer(weights, f"encoder.layer.{number}") for number in range(LAYERS)]
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> Floats:
        """One unit vector per text, in the given order. Text beyond 256 tokens is not read."""
        tokens = [self._tokenizer.encode(text).ids for text in texts]
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for places in _batches([len(ids) for ids in tokens]):
            vectors[places] = self._forward([tokens[place] for place in places])
        return vectors

    def _forward(self, tokens: list[list[int]]) -> Floats:
        lengths = np.array([len(ids) for ids in tokens])
        longest = int(lengths.max())
        padded = np.zeros((len(tokens), longest), dtype=np.int64)
        for row, ids in enumerate(tokens):
            padded[row, : len(ids)] = ids
        present = np.arange(longest) < lengths[:, None]
        hidden = self._norm(self._words[padded] + self._positions[:longest])
        bias = None if present.all() else np.where(present, np.float32(0), MASKED)[:, None, None, :]
        for layer in self._layers:
            hidden = layer(hidden, bias)
        hidden *= present[:, :, None]
        pooled: Floats = hidden.sum(axis=1) / lengths[:, None].astype(np.float32)
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        return pooled


class _Layer:
    """One transformer block."""

    def __init__(self, weights: dict[str, Any], name: str) -> None:
        scale = np.float32(HEAD_SIZE**-0.5)
        names = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        parts = [(weights[f"{part}.weight"], weights[f"{part}.bias"]) for part in names]
        parts[0] = (parts[0][0] * scale, parts[0][1] * scale)
        self._mix = np.ascontiguousarray(np.concatenate([weight for weight, _ in parts]).T)
        self._mix_bias: Floats = np.concatenate([bias for _, bias in parts])
        self._out = _Dense(weights, f"{name}.attention.output.dense")
        self._out_norm = _Norm(weights, f"{name}.attention.output.LayerNorm")
        self._wide = _Dense(weights, f"{name}.intermediate.dense")
        self._narrow = _Dense(weights, f"{name}.output.dense")
        self._norm = _Norm(weights, f"{name}.output.LayerNorm")

    def __call__(self, hidden: Floats, bias: Floats | None) -> Floats:
        batch, length, _ = hidden.shape
        flat = hidden.reshape(-1, DIMENSION)
        mixed = flat @ self._mix
        mixed += self._mix_bias
        query, key, value = mixed.reshape(batch, length, 3, HEADS, HEAD_SIZE).transpose(2, 0, 3, 1, 4)
        scores = query @ key.transpose(0, 1, 3, 2)
        if bias is not None:
            scores += bias
        _softmax(scores)
        heard = (scores @ value).transpose(0, 2, 1, 3).reshape(-1, DIMENSION)
        middle = self._out_norm(self._out(heard) + flat)
        wide = self._wide(middle)
        _gelu(wide)
        return self._norm(self._narrow(wide) + middle).reshape(batch, length, DIMENSION)


class _Dense:
    def __init__(self, weights: dict[str, Any], name: str) -> None:
        self._weight: Floats = np.ascontiguousarray(weights[f"{name}.weight"].T)
        self._bias: Floats = weights[f"{name}.bias"]

    def __call__(self, rows: Floats) -> Floats:
        result: Floats = rows @ self._weight
        result += self._bias
        return result


class _Norm:
    def __init__(self, weights: dict[str, Any], name: str) -> None:
        self._weight: Floats = weights[f"{name}.weight"]
        self._bias: Floats = weights[f"{name}.bias"]

    def __call__(self, rows: Floats) -> Floats:
        """Normalise in place, so the caller must own ``rows``."""
        rows -= rows.mean(axis=-1, keepdims=True)
        variance = np.einsum("...i,...i->...", rows, rows)[..., None] / np.float32(DIMENSION)
        rows /= np.sqrt(variance + EPSILON)
        rows *= self._weight
        rows += self._bias
        return rows


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts of like length together, so that little of a batch is padding."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if batch and (len(batch) + 1) * lengths[place] > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _softmax(scores: Floats) -> None:
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)


def _gelu(rows: Floats) -> None:
    """x · ½(1 + erf(x/√2)) in place, in blocks that stay in cache."""
    for start in range(0, len(rows), _GELU_ROWS):
        block = rows[start : start + _GELU_ROWS]
        x = np.clip(block * _ROOT_HALF, np.float32(-4), np.float32(4))
        square = x * x
        x *= _polynomial(square, _ERF_TOP)
        x /= _polynomial(square, _ERF_BOTTOM)
        x += np.float32(1)
        x *= np.float32(0.5)
        block *= x


def _polynomial(x: Floats, factors: tuple[float, ...]) -> Floats:
    total: Floats = x * np.float32(factors[0])
    total += np.float32(factors[1])
    for factor in factors[2:]:
        total *= x
        total += np.float32(factor)
    return total

from __future__ import annotations

import pytest

from tests.support.embedders import WordEmbedder


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def host_settings(embedder: WordEmbedder) -> dict[str, object]:
    return {"CAIRNLOOP_EMBEDDER": embedder}

"""The local embedding model, where tests need the real one."""

from __future__ import annotations

import pytest

from flask_cairnloop.minilm import installed

needs_model = pytest.mark.skipif(not installed(), reason="the embedding model is not installed; run: make weights")

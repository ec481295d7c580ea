"""Drafting in the background."""

from __future__ import annotations

from flask_cairnloop.core import work
from flask_cairnloop.core.jobs import job
from flask_cairnloop.drafts.generation import generate


@job("generate_draft", timeout=60, atomic=False)
def generate_draft(conversation_id: int) -> None:
    """Draft an answer to what the customer wrote."""
    generate(conversation_id, settle=work.complete)

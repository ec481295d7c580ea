"""Find evidence in the knowledge base, and judge whether it answers."""

from __future__ import annotations

from flask_cairnloop.retrieval.grounding import ground
from flask_cairnloop.retrieval.models import GapEvent, GapSource, ResolvedCase
from flask_cairnloop.retrieval.results import Cause, Evidence, Grounding, GroundingLevel, Reason, Trust
from flask_cairnloop.retrieval.search import search

__all__ = [
    "Cause",
    "Evidence",
    "GapEvent",
    "GapSource",
    "Grounding",
    "GroundingLevel",
    "Reason",
    "ResolvedCase",
    "Trust",
    "ground",
    "search",
]

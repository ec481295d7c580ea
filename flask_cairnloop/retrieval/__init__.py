"""Find evidence in the knowledge base, and judge whether it answers."""

from __future__ import annotations

from flask_cairnloop.retrieval.grounding import ground
from flask_cairnloop.retrieval.lookup import find_evidence
from flask_cairnloop.retrieval.models import GapEvent, GapSource, ResolvedCase
from flask_cairnloop.retrieval.results import Cause, Evidence, Grounding, GroundingLevel, Reason, Trust
from flask_cairnloop.retrieval.search import search, search_cases

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
    "find_evidence",
    "ground",
    "search",
    "search_cases",
]

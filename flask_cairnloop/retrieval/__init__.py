"""Find evidence in the knowledge base, and judge whether it answers."""

from __future__ import annotations

from flask_cairnloop.retrieval.cases import CASES
from flask_cairnloop.retrieval.cases import remove as forget_case
from flask_cairnloop.retrieval.gaps import get_gap, list_gaps, record_gap
from flask_cairnloop.retrieval.grounding import ground
from flask_cairnloop.retrieval.jobs import index_case, promise_case, promise_cases, prune_gaps
from flask_cairnloop.retrieval.lookup import find_evidence
from flask_cairnloop.retrieval.models import GapEvent, GapSource, ResolvedCase
from flask_cairnloop.retrieval.redaction import redact
from flask_cairnloop.retrieval.results import Cause, Evidence, Grounding, GroundingLevel, Reason, Trust
from flask_cairnloop.retrieval.search import search, search_cases

__all__ = [
    "CASES",
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
    "forget_case",
    "get_gap",
    "ground",
    "index_case",
    "list_gaps",
    "promise_case",
    "promise_cases",
    "prune_gaps",
    "record_gap",
    "redact",
    "search",
    "search_cases",
]

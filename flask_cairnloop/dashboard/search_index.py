"""What search goes by, in words: for Settings."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from flask_cairnloop.core.database import session
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.health import Finding
from flask_cairnloop.dashboard.labels import Health
from flask_cairnloop.knowledge import Article
from flask_cairnloop.knowledge.coverage import Coverage, coverage
from flask_cairnloop.knowledge.queries import COUNTED

REBUILD = "Run: flask cairnloop retrieval rebuild"


def look() -> tuple[list[Finding], Sequence[Article]]:
    """How every part of search is doing, and the articles whose indexing failed last; without a database neither."""
    try:
        found = coverage(visible_to=current_operator())
    except SQLAlchemyError:
        session().rollback()
        return [], []
    findings = [_meaning(found), _articles(found)]
    if found.embedder is not None:
        findings[1:1] = [_vectors(found), _speed(found)]
    return findings, found.failed


def counted(number: int) -> str:
    """A count in words: it stops at 501."""
    return f"{COUNTED - 1}+" if number >= COUNTED else str(number)


def _meaning(found: Coverage) -> Finding:
    name = "Search by meaning"
    if found.embedder is None:
        says = "Off: no embedder is configured, so search goes by words alone."
        return Finding(name, Health.ATTENTION, says, "Set CAIRNLOOP_EMBEDDER to turn it on.")
    model = f"{found.embedder}, {found.dimension} dimensions"
    if found.failure is not None:
        says = f"{model}. Search goes by words alone: {found.failure.reason.rstrip('.')}."
        step = "" if "flask cairnloop" in says else "Once it works, run: flask cairnloop retrieval rebuild"
        return Finding(name, Health.ATTENTION, says, step)
    return Finding(name, Health.WELL, model)


def _vectors(found: Coverage) -> Finding:
    name = "Vectors"
    if not found.pieces:
        return Finding(name, Health.WELL, "Nothing is searchable yet.")
    if not found.lacking:
        return Finding(name, Health.WELL, f"All {counted(found.pieces)} passages have one")
    says = f"{counted(found.lacking)} of {counted(found.pieces)} passages have none of this embedder"
    return Finding(name, Health.ATTENTION, f"{says}; words alone find them.", REBUILD)


def _speed(found: Coverage) -> Finding:
    name = "Vector index"
    if found.has_index:
        return Finding(name, Health.WELL, "Built (HNSW, cosine)")
    if not found.is_indexable:
        return Finding(name, Health.WELL, "None: vectors this long are compared one by one.")
    return Finding(name, Health.ATTENTION, "Not built: every search compares every vector.", REBUILD)


def _articles(found: Coverage) -> Finding:
    name = "Articles waiting"
    if not found.waiting:
        return Finding(name, Health.WELL, "None: search shows every published version")
    says = f"{counted(found.waiting)} published, not searchable yet"
    return Finding(name, Health.ATTENTION, says, "A running worker indexes them.")

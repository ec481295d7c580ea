"""How good retrieval is on questions whose answers are known.

The product's own indexing and search run in a tenant of their own, inside one transaction that is always rolled back:
however it ends, nothing is left behind, and nobody else ever sees it.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from flask_cairnloop.conversations.models import Conversation, ConversationStatus
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.host.people import Operator
from flask_cairnloop.knowledge import indexing
from flask_cairnloop.knowledge.embedding import BATCH
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Revision, RevisionStatus
from flask_cairnloop.retrieval.grounding import ground
from flask_cairnloop.retrieval.models import CaseVector, ResolvedCase
from flask_cairnloop.retrieval.samples import Collection, Document, Question
from flask_cairnloop.retrieval.search import search, search_cases, vectors

Item = TypeVar("Item")
Progress = Callable[[str, Sequence[Item]], Iterable[Item]]

DEPTHS = (1, 5, 10)
FALSE_ESCALATION = 0.05


@dataclass
class Report:
    """What was measured. Shares lie between 0 and 1; None where the collection cannot tell; times are in seconds."""

    documents: int
    questions: int
    off_topic: int
    embedder: str | None
    recall: dict[int, float | None] = field(default_factory=lambda: dict.fromkeys(DEPTHS))
    ndcg_at_10: float | None = None
    mrr: float | None = None
    precision_at_5: float | None = None
    #: Off-topic questions that score below what all but 5 % of the answerable ones reach.
    abstain_at_5pct: float | None = None
    threshold_at_5pct: float | None = None
    auroc: float | None = None
    times: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The time within which ``share`` of the searches ended."""
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * share))]

    def as_json(self) -> dict[str, Any]:
        """Itself under fixed keys; latencies in milliseconds."""
        plain = {key: value for key, value in vars(self).items() if key not in {"recall", "times"}}
        recall = {f"recall_at_{depth}": share for depth, share in self.recall.items()}
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        latency = {name: round(self.percentile(share) * 1e3, 2) for name, share in shares.items()}
        rounded = {
            key: round(value, 4) if isinstance(value, float) else value for key, value in (plain | recall).items()
        }
        return rounded | {"latency_ms": latency}


class _Enough(Exception):
    """Everything is measured; the transaction can be rolled back."""


def evaluate(collection: Collection, progress: Progress[Any] = lambda what, items: items) -> Report:
    """Index, search, judge, and leave nothing behind. ``progress`` wraps the items of each step."""
    report = Report(
        documents=len(collection.documents) or len(collection.cases),
        questions=len(collection.questions),
        off_topic=len(collection.off_topic),
        embedder=settings.embedder.name if settings.embedder is not None else None,
    )
    viewer = Operator(id="evaluation", name="Evaluation", tenant=f"evaluation:{uuid4().hex}")
    with _scratch():
        if collection.cases:
            names = _remember(collection.cases, viewer, progress)
            _measure_cases(report, collection.questions, names, viewer, progress)
        else:
            articles = _index(collection.documents, viewer, progress)
            _measure_search(report, collection.questions, articles, viewer, progress)
            _measure_grounding(report, collection, viewer, progress)
    return report


@contextmanager
def _scratch() -> Iterator[None]:
    try:
        with transaction():
            yield
            raise _Enough
    except _Enough:
        pass


def _index(documents: Sequence[Document], viewer: Operator, progress: Progress[Document]) -> dict[int, str]:
    """Publish every document; their ids by article."""
    articles: dict[int, str] = {}
    db = session()
    moment = now()
    for document in progress("Indexing", documents):
        title = " ".join(document.title.split())[:200] or "Untitled"
        article = Article(tenant=viewer.tenant, title=title, status=ArticleStatus.PUBLISHED, created_by=viewer.id)
        db.add(article)
        db.flush()
        revision = Revision(article_id=article.id, version=1, content=document.text or title, author_id=viewer.id)
        revision.status, revision.published_at = RevisionStatus.PUBLISHED, moment
        db.add(revision)
        db.flush()
        article.live_revision_id = revision.id
        db.flush()
        prepared = indexing.prepare(revision.id)
        if prepared is not None:
            indexing.swap(prepared)
        articles[article.id] = document.id
        db.flush()
        db.expunge_all()
    return articles


def _remember(cases: Sequence[Document], viewer: Operator, progress: Progress[Any]) -> dict[int, str]:
    """Make every case a resolved one; what each was about, by conversation."""
    intents: dict[int, str] = {}
    db = session()
    for batch in progress("Indexing", [cases[start : start + BATCH] for start in range(0, len(cases), BATCH)]):
        for case, vector in zip(batch, vectors([case.text for case in batch]), strict=True):
            talk = Conversation(tenant=viewer.tenant, subject="", status=ConversationStatus.RESOLVED)
            db.add(talk)
            db.flush()
            remembered = ResolvedCase(
                tenant=viewer.tenant,
                conversation_id=talk.id,
                host_user_id=viewer.id,
                subject="",
                problem=case.text,
                resolution="",
                actions=[],
                outcome="",
                resolved_at=now(),
                digest="",
            )
            db.add(remembered)
            db.flush()
            if vector is not None and settings.embedder is not None:
                db.add(CaseVector(case_id=remembered.id, model=settings.embedder.name, embedding=vector))
            intents[talk.id] = case.intent or ""
        db.flush()
        db.expunge_all()
    return intents


def _measure_search(
    report: Report,
    questions: Sequence[Question],
    articles: dict[int, str],
    viewer: Operator,
    progress: Progress[Question],
) -> None:
    orders = []
    for question in progress("Searching", questions):
        started = time.perf_counter()
        found = search(question.text, visible_to=viewer, limit=max(DEPTHS))
        report.times.append(time.perf_counter() - started)
        orders.append([articles[each.article_id] for each in found if each.article_id is not None])
    pairs = list(zip(orders, (question.relevant for question in questions), strict=True))
    report.recall = {depth: statistics.mean(recall(*pair, depth) for pair in pairs) for depth in DEPTHS}
    report.ndcg_at_10 = statistics.mean(ndcg(*pair) for pair in pairs)
    report.mrr = statistics.mean(reciprocal_rank(*pair) for pair in pairs)


def _measure_grounding(report: Report, collection: Collection, viewer: Operator, progress: Progress[str]) -> None:
    if not collection.off_topic:
        return
    asked = [question.text for question in collection.questions]
    answerable = [ground(each, visible_to=viewer).score for each in progress("Judging", asked)]
    others = [ground(each, visible_to=viewer).score for each in progress("Judging off-topic", collection.off_topic)]
    report.threshold_at_5pct = threshold(answerable)
    report.abstain_at_5pct = statistics.mean(score < report.threshold_at_5pct for score in others)
    report.auroc = auroc(answerable, others)


def _measure_cases(
    report: Report,
    questions: Sequence[Question],
    intents: dict[int, str],
    viewer: Operator,
    progress: Progress[Question],
) -> None:
    shares = []
    for question in progress("Searching", questions):
        started = time.perf_counter()
        found = search_cases(question.text, visible_to=viewer, limit=5)
        report.times.append(time.perf_counter() - started)
        alike = sum(intents.get(each.conversation_id or 0) == question.intent for each in found)
        shares.append(alike / 5)
    report.precision_at_5 = statistics.mean(shares)


def recall(order: Sequence[str], relevant: frozenset[str], depth: int) -> float:
    """Share of the relevant documents among the first ``depth``."""
    return len(relevant.intersection(order[:depth])) / len(relevant)


def ndcg(order: Sequence[str], relevant: frozenset[str], depth: int = 10) -> float:
    """Discounted gain of the first ``depth`` over the best there could be, all relevant documents gaining the same."""
    gain = sum(1 / math.log2(place + 2) for place, each in enumerate(order[:depth]) if each in relevant)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(depth, len(relevant))))


def reciprocal_rank(order: Sequence[str], relevant: frozenset[str]) -> float:
    """One over the place of the first relevant document among those shown; 0 where there is none."""
    return next((1 / place for place, each in enumerate(order, 1) if each in relevant), 0.0)


def threshold(answerable: Sequence[float]) -> float:
    """The score below which 5 % of the answerable questions lie."""
    return sorted(answerable)[int(len(answerable) * FALSE_ESCALATION)]


def auroc(answerable: Sequence[float], others: Sequence[float]) -> float:
    """How often an answerable question scores above another one; a tie counts half."""
    wins = sum((one > other) + (one == other) / 2 for one in answerable for other in others)
    return wins / (len(answerable) * len(others))

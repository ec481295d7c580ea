"""Work on cases and gaps in the background."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from flask_cairnloop.core import telemetry, work
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.jobs import Job, JobState, job
from flask_cairnloop.retrieval import cases, pruning

EMBED_AGAIN = (60, 300, 1800)  # seconds until a case without a vector is given another chance
PRUNE_AFTER = 3_600.0  # seconds from a gap to the next look at the old ones
PRUNE_WITHIN = 86_400.0  # and at the latest, since the setting may change
PRUNED = 1_000  # rows of one transaction
PROMISED = 500


@job("index_case", timeout=120, atomic=False)
def index_case(conversation_id: int, retry: int = 0) -> None:
    """Keep what a resolved conversation taught; where the embedder failed in passing, by its words until it works."""
    with telemetry.span("retrieval.index_case"):
        prepared = cases.prepare(conversation_id)
        with transaction():
            stored = prepared is not None and cases.store(prepared)
            failure = prepared.failure if prepared is not None else None
            if stored and failure is not None and not failure.permanent and retry < len(EMBED_AGAIN):
                again = {"conversation_id": conversation_id, "retry": retry + 1}
                index_case.enqueue(unique_key=_key(conversation_id), delay=EMBED_AGAIN[retry], **again)
            work.complete()


@job("prune_gaps", timeout=300, atomic=False)
def prune_gaps() -> None:
    """Delete the gaps that are too old, and come back when the oldest of the others is."""
    while pruning.prune(PRUNED) == PRUNED:
        pass
    with transaction():
        due = pruning.next_due()
        if due is not None:
            prune_gaps.enqueue(unique_key="prune_gaps", delay=min(max(due, PRUNE_AFTER), PRUNE_WITHIN))
        work.complete()


def promise_case(conversation_id: int) -> None:
    """Promise one conversation's case, in the current transaction."""
    index_case.enqueue(unique_key=_key(conversation_id), conversation_id=conversation_id)


def promise_cases(conversation_ids: Sequence[int] | None = None) -> int:
    """Promise the cases of these conversations, or of every resolved one without a case. Returns how many.

    In batches, each saved by itself; promising twice does no harm.
    """
    if conversation_ids is not None:
        for batch in (list(conversation_ids[at : at + PROMISED]) for at in range(0, len(conversation_ids), PROMISED)):
            _promise(batch)
        return len(conversation_ids)
    count = last = 0
    while batch := _lacking(last):
        _promise(batch)
        count, last = count + len(batch), batch[-1]
    return count


def promise_pruning() -> None:
    """See to it, in the current transaction, that old gaps go. One that is promised already is left where it is."""
    waiting = select(Job.id).where(Job.unique_key == "prune_gaps", Job.state == JobState.WAITING)
    if session().scalar(waiting.limit(1)) is None:
        prune_gaps.enqueue(unique_key="prune_gaps", delay=PRUNE_AFTER)


def _lacking(after: int) -> list[int]:
    with transaction():
        return list(cases.lacking(after, PROMISED))


def _promise(conversation_ids: Sequence[int]) -> None:
    with transaction():
        for conversation_id in conversation_ids:
            promise_case(conversation_id)


def _key(conversation_id: int) -> str:
    return f"case:{conversation_id}"

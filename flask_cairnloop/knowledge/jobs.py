"""Work on the knowledge base in the background."""

from __future__ import annotations

from flask_cairnloop.core import telemetry, work
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import ClaimLost, HostFailure
from flask_cairnloop.core.jobs import job
from flask_cairnloop.knowledge import indexing
from flask_cairnloop.knowledge.indexing import Prepared

EMBED_AGAIN = (60, 300, 1800)  # seconds until pieces without vectors are given another chance


@job("index_revision", timeout=300, atomic=False)
def index_revision(revision_id: int, retry: int = 0) -> None:
    """Make a published revision findable; where the embedder failed in passing, by its words until it works again.

    Whatever else goes wrong is written on the article, whose words before stay searchable.
    """
    try:
        with telemetry.span("knowledge.index"):
            _save(revision_id, indexing.prepare(revision_id), retry)
    except (ClaimLost, HostFailure):
        raise
    except Exception as failure:
        session().rollback()
        indexing.note_failure(revision_id, f"It could not be indexed ({type(failure).__name__})")
        raise


def promise(revision_id: int, *, retry: int = 0, delay: float = 0.0) -> None:
    """Promise to index a revision, once however often it is promised, inside the current transaction."""
    again = {"retry": retry} if retry else {}
    index_revision.enqueue(unique_key=f"index:{revision_id}", delay=delay, revision_id=revision_id, **again)


def _save(revision_id: int, prepared: Prepared | None, retry: int) -> None:
    with transaction():
        if prepared is not None:
            indexing.swap(prepared)
            if prepared.failure and not prepared.failure.permanent and retry < len(EMBED_AGAIN):
                promise(revision_id, retry=retry + 1, delay=EMBED_AGAIN[retry])
        work.complete()

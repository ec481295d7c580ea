"""Work on the knowledge base in the background."""

from __future__ import annotations

from flask_cairnloop.core import telemetry, work
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.jobs import job
from flask_cairnloop.knowledge import indexing

EMBED_AGAIN = (60, 300, 1800)  # seconds until pieces without vectors are given another chance


@job("index_revision", timeout=300, atomic=False)
def index_revision(revision_id: int, retry: int = 0) -> None:
    """Make a published revision findable; where the embedder failed in passing, by its words until it works again."""
    with telemetry.span("knowledge.index"):
        prepared = indexing.prepare(revision_id)
        with transaction():
            if prepared is not None:
                indexing.swap(prepared)
                if prepared.failure and not prepared.failure.permanent and retry < len(EMBED_AGAIN):
                    again = {"revision_id": revision_id, "retry": retry + 1}
                    index_revision.enqueue(unique_key=f"index:{revision_id}", delay=EMBED_AGAIN[retry], **again)
            work.complete()

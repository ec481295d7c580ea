"""A waiting draft in the composer."""

from __future__ import annotations

from dataclasses import replace

from werkzeug.datastructures import MultiDict

from flask_cairnloop.conversations import Conversation
from flask_cairnloop.dashboard import citations
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.forms import Answer, Composed, whole
from flask_cairnloop.drafts import Draft, pending_for, wording


def opened(conversation: Conversation, args: MultiDict[str, str]) -> Answer:
    """The composer as an address asks for it: ``?draft=7`` for that draft, ``?cite=article:1:2:3`` for that source."""
    return taken_up(conversation, whole(args, "draft"), after=Composed(citations=citations.read(args.getlist("cite"))))


def taken_up(conversation: Conversation, draft_id: int | None, *, after: Composed) -> Answer:
    """The composer with a draft's words and sources after what it holds already.

    Without them where the draft waits no more. A source that is published no more stays behind.
    """
    kept = Composed(content=after.content, citations=after.citations)
    if draft_id is None:
        return Answer(kept)
    draft = pending_for(conversation.id)
    if draft is None or draft.id != draft_id:
        return Answer(kept, notice="This draft waits no more. What you typed is kept.")
    words = "\n\n".join(part for part in (after.content.strip(), draft.body) if part)
    return Answer(replace(kept, content=words, draft_id=draft.id, citations=(*kept.citations, *_sources(draft, kept))))


def _sources(draft: Draft, kept: Composed) -> list[str]:
    cited = [source["id"] for source in wording.citations(draft.sentences, draft.evidence)]
    named = citations.chips([each for each in cited if each not in kept.citations], visible_to=current_operator())
    return [source.id for source in named if source.is_citable]

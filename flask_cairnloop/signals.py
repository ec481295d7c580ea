"""What happens in the desk, as events.

A verb calls ``emit`` inside its transaction. Reactions (``when``) run there and then and only write rows;
after the commit the signal goes to the host's subscribers with the app as sender. ``metadata`` carries the record
and who did it::

    @conversation_resolved.connect
    def thank(app, *, measurements, metadata, **_): ...
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, cast

from blinker import NamedSignal, Namespace
from flask import Flask, current_app

from flask_cairnloop.core.database import after_commit
from flask_cairnloop.core.signalling import deliver

_signals = Namespace()
Reaction = Callable[..., None]
_reactions: dict[str, list[Reaction]] = defaultdict(list)

#: A customer's conversation began. ``metadata``: conversation, actor, customer_ref.
conversation_opened = _signals.signal("cairnloop.conversation.opened")
#: A customer wrote. ``metadata``: conversation_id, message_id, sequence, actor, customer_ref.
message_received = _signals.signal("cairnloop.message.received")
#: An operator (or the desk itself) answered. ``metadata``: conversation_id, message_id, sequence, actor, customer_ref.
message_sent = _signals.signal("cairnloop.message.sent")
#: An operator left an internal note. ``metadata``: conversation_id, message_id, actor.
note_added = _signals.signal("cairnloop.note.added")
#: Resolved. ``measurements``: duration_seconds since it was opened.
#: ``metadata``: conversation, actor, host_user_id, customer_ref.
conversation_resolved = _signals.signal("cairnloop.conversation.resolved")
#: Open again. ``metadata``: conversation, actor, customer_ref.
conversation_reopened = _signals.signal("cairnloop.conversation.reopened")
#: Put away. ``metadata``: conversation, actor, customer_ref.
conversation_archived = _signals.signal("cairnloop.conversation.archived")
#: The customer asked for a person: nothing is sent automatically any more.
#: ``metadata``: conversation, actor, customer_ref.
conversation_handed_over = _signals.signal("cairnloop.conversation.handed_over")
#: An operator lets drafts be sent automatically again. ``metadata``: conversation, actor, customer_ref.
conversation_handed_back = _signals.signal("cairnloop.conversation.handed_back")
#: A revision went live. ``metadata``: article_id, revision_id, actor.
article_published = _signals.signal("cairnloop.article.published")
#: An article has another title. ``metadata``: article_id, actor.
article_renamed = _signals.signal("cairnloop.article.renamed")
#: An article was taken back. ``metadata``: article_id, actor.
article_unpublished = _signals.signal("cairnloop.article.unpublished")
#: An article was put away. ``metadata``: article_id, actor.
article_archived = _signals.signal("cairnloop.article.archived")
#: An article that was put away is a draft again. ``metadata``: article_id, actor.
article_unarchived = _signals.signal("cairnloop.article.unarchived")
#: An older version's words are the draft now. ``metadata``: article_id, revision_id, version, actor.
article_restored = _signals.signal("cairnloop.article.restored")
#: A reply was proposed. ``metadata``: draft, conversation_id, actor.
draft_created = _signals.signal("cairnloop.draft.created")
#: An operator sent a draft as it stood. ``metadata``: draft, conversation_id, actor.
draft_approved = _signals.signal("cairnloop.draft.approved")
#: An operator sent a draft in other words. ``metadata``: draft, conversation_id, actor.
draft_edited = _signals.signal("cairnloop.draft.edited")
#: An operator set a draft aside. ``metadata``: draft, conversation_id, actor.
draft_discarded = _signals.signal("cairnloop.draft.discarded")
#: A draft answers nothing any more. ``metadata``: draft, conversation_id, actor.
draft_superseded = _signals.signal("cairnloop.draft.superseded")
#: The host's policy wanted no draft, so none was kept.
#: ``metadata``: conversation_id, tenant, actor, grounding and evidence (snapshots).
draft_denied = _signals.signal("cairnloop.draft.denied")
#: An action was asked for and passed every gate. ``metadata``: proposal, actor, outcome, risk_tier, approval_mode.
proposal_created = _signals.signal("cairnloop.governance.proposal_created")
#: A gate refused an action; the request is kept with the reason. ``metadata`` as above; ``outcome`` is the proposal's
#: status: needs_input, scope_invalid or policy_denied.
proposal_blocked = _signals.signal("cairnloop.governance.proposal_blocked")
#: The same action was asked for again while the first stands. ``metadata`` as above, with the first as ``proposal``.
proposal_duplicate = _signals.signal("cairnloop.governance.proposal_duplicate")
#: A tool ran and what it did is saved. ``measurements``: duration_seconds since the run began.
#: ``metadata``: proposal, actor, tool, risk_tier, approval_mode.
action_executed = _signals.signal("cairnloop.governance.action_executed")
#: A tool failed and is not tried again. ``measurements`` and ``metadata`` as for ``action_executed``.
action_failed = _signals.signal("cairnloop.governance.action_failed")
#: An approval moved, by a person or by itself; not for the two above. ``metadata``: proposal, actor, event_type (the
#: step's ``ActionEventType``), from_status (None for a new one), to_status, risk_tier.
approval_transition = _signals.signal("cairnloop.governance.approval_transition")


def when(*events: NamedSignal) -> Callable[[Reaction], Reaction]:
    """React to ``events`` inside their transaction, called with the metadata. Only ``reactions.py`` uses this."""

    def register(reaction: Reaction) -> Reaction:
        for event in events:
            if reaction not in _reactions[event.name]:
                _reactions[event.name].append(reaction)
        return reaction

    return register


def emit(event: NamedSignal, *, measurements: dict[str, float] | None = None, **metadata: Any) -> None:
    """Say that something happened: reactions now, subscribers after the commit."""
    for reaction in _reactions[event.name]:
        reaction(**metadata)
    if event.receivers:
        app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
        after_commit(lambda: deliver(event, app, measurements=measurements or {}, metadata=metadata))

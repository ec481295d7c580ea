"""The thread's messages, and the composer that adds to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import conversations, drafts
from flask_cairnloop.conversations import Conversation, Message
from flask_cairnloop.core.errors import InvalidInput, InvalidTransition, ThreadMoved
from flask_cairnloop.dashboard import citations, thread
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.conversations import load, show
from flask_cairnloop.dashboard.forms import Answer, Composed, ComposerKind, whole
from flask_cairnloop.dashboard.htmx import nothing, region, settled, wants_region
from flask_cairnloop.dashboard.waiting import opened, taken_up

#: What a page refetches when something was said.
SAID = ("timeline", "header", "draft", "inbox-list", "nav")
NEWS = 20  # messages shown beside refused words


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/<int:conversation_id>/timeline")(timeline)
    blueprint.get("/<int:conversation_id>/messages")(older_messages)
    blueprint.post("/<int:conversation_id>/messages")(send_message)
    blueprint.get("/<int:conversation_id>/composer")(composer)
    blueprint.post("/<int:conversation_id>/composer")(take_up_draft)
    blueprint.post("/<int:conversation_id>/composer/sources")(remove_source)
    blueprint.post("/<int:conversation_id>/typing")(operator_typing)


def timeline(conversation_id: int) -> Response:
    """Everything from the page's first message on."""
    shown, operator = load(conversation_id), current_operator()
    thread.mark_seen(shown, by=operator)
    piece = thread.since(shown, whole(request.args, "first") or 1, visible_to=operator)
    return region("timeline", "conversations/_timeline.html", conversation=shown, piece=piece)


def older_messages(conversation_id: int) -> Response:
    """A page of older messages, to stand above those on the screen."""
    shown = load(conversation_id)
    piece = thread.before(shown, whole(request.args, "before") or 1, visible_to=current_operator())
    return region("older", "conversations/_older.html", conversation=shown, piece=piece)


def composer(conversation_id: int) -> Response:
    """The composer, with a draft's words where ``?draft=7`` says so, and the sources of each ``?cite=``."""
    shown = load(conversation_id)
    return _composer(shown, opened(shown, request.args))


def take_up_draft(conversation_id: int) -> Response:
    """The composer with a draft's words and sources after those already there."""
    shown, composed = load(conversation_id), Composed.read(request.form)
    return _composer(shown, taken_up(shown, composed.draft_id, after=composed))


def remove_source(conversation_id: int) -> Response:
    """The composer without one of its sources, for a browser that cannot take it out by itself."""
    shown, composed = load(conversation_id), Composed.read(request.form)
    left = tuple(each for each in composed.citations if each != request.form.get("removed"))
    answer = Answer(replace(composed, citations=left))
    return _composer(shown, answer) if wants_region() else show(shown, answer)


def send_message(conversation_id: int) -> Response:
    """Send a reply or leave a note. What cannot be sent stays in the composer, with the reason."""
    shown, composed = load(conversation_id), Composed.read(request.form)
    try:
        _deliver(shown, composed)
    except InvalidInput as refusal:
        return _composer(shown, Answer(composed, errors=refusal.errors), status=422)
    except ThreadMoved:
        return _composer(load(conversation_id), Answer(composed, news=_news(shown, composed)), status=409)
    except InvalidTransition as refusal:
        notice = f"{refusal} Your words are kept below."
        answer = Answer(composed.without_draft(), notice=notice, news=_news(shown, composed))
        return _composer(load(conversation_id), answer, status=409)
    return settled(
        lambda: _composer(load(conversation_id), Answer(_after(composed), sent=True)),
        back_to=url_for(".conversation", conversation_id=conversation_id),
    )


def operator_typing(conversation_id: int) -> Response:
    """The operator is writing to the customer; notes are nobody's business."""
    if Composed.read(request.form).kind == ComposerKind.REPLY:
        conversations.mark_typing(load(conversation_id).id, by=current_operator())
    return nothing("typing")


def _deliver(shown: Conversation, composed: Composed) -> None:
    operator, key = current_operator(), composed.client_id
    if composed.kind == ComposerKind.NOTE:
        conversations.add_note(shown.id, composed.content, by=operator, client_id=key)
        return
    seen = composed.seen_sequence or 0  # a form that does not say what its writer saw is refused wherever others wrote
    sent: dict[str, Any] = {"by": operator, "client_id": key, "seen_sequence": seen}
    sources = citations.resolve(composed.citations, visible_to=operator)
    if composed.draft_id is not None:
        drafts.edit(composed.draft_id, composed.content, citations=sources, **sent)
    else:
        conversations.reply(shown.id, composed.content, citations=sources, **sent)


def _after(composed: Composed) -> Composed:
    """The empty composer; sources chosen for a reply outlast a note."""
    return Composed(composed.kind, citations=composed.citations if composed.kind == ComposerKind.NOTE else ())


def _news(shown: Conversation, composed: Composed) -> list[Message]:
    after = composed.seen_sequence or max(0, shown.last_sequence - NEWS)
    return conversations.timeline(shown.id, after=after, limit=NEWS, visible_to=current_operator())


def _composer(shown: Conversation, answer: Answer, *, status: int = 200) -> Response:
    if not wants_region() and status != 200:
        return show(shown, answer, status=status)
    changed = SAID if answer.sent or answer.news or answer.notice else ()
    sources = citations.chips(answer.composed.citations, visible_to=current_operator())
    context = {"conversation": shown, "answer": answer, "sources": sources}
    return region("composer", "conversations/_composer.html", changed=changed, status=status, **context)

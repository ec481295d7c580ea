"""GET /12: the thread, the waiting decision and what is known about the customer, in one view."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import conversations
from flask_cairnloop.conversations import Conversation, Priority
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import HostFailure, InvalidInput, InvalidTransition
from flask_cairnloop.dashboard import citations, facts, inbox, proposal, requested, thread, waiting
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.facts import Fact
from flask_cairnloop.dashboard.forms import Answer, Details, whole
from flask_cairnloop.dashboard.htmx import region, settled, wants_region
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.dashboard.thread import Piece
from flask_cairnloop.drafts import pending_for
from flask_cairnloop.host.boundary import ask

TYPING = timedelta(seconds=6)  # how long a sign of typing is believed
#: What a page refetches when a conversation was closed or opened again.
STATUS_CHANGED = ("timeline", "draft", "composer", "inbox-list", "nav")


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/<int:conversation_id>")(conversation)
    blueprint.get("/<int:conversation_id>/header")(header)
    blueprint.get("/<int:conversation_id>/context")(context)
    blueprint.get("/<int:conversation_id>/others")(others)
    blueprint.get("/<int:conversation_id>/seen")(seen)
    blueprint.get("/<int:conversation_id>/customer-typing")(customer_typing)
    blueprint.post("/<int:conversation_id>/resolution")(resolve_conversation)
    blueprint.post("/<int:conversation_id>/reopening")(reopen_conversation)
    blueprint.post("/<int:conversation_id>/archival")(archive_conversation)
    blueprint.post("/<int:conversation_id>/automation")(hand_back)
    blueprint.post("/<int:conversation_id>/details")(save_details)


def load(conversation_id: int) -> Conversation:
    """One conversation, as far as the operator may see it."""
    return conversations.get(conversation_id, visible_to=current_operator())


def conversation(conversation_id: int) -> Response:
    """The screen. ``?draft=7`` takes that draft into the composer, ``?cite=article:1:2:3`` that source."""
    shown = load(conversation_id)
    return show(shown, waiting.opened(shown, request.args))


def show(
    shown: Conversation,
    answer: Answer | None = None,
    *,
    notice: str = "",
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The whole screen, with the composer as it stands and, after a refusal, what is to be said about it."""
    operator = current_operator()
    thread.mark_seen(shown, by=operator)
    listing, draft, answer = inbox.read(selected=shown.id), pending_for(shown.id), answer or Answer()
    return page(
        "conversations/show.html",
        section="inbox",
        status=status,
        live=shown.id,
        counts=listing.counts,
        conversation=shown,
        piece=_piece(shown),
        draft_notice="",
        asked_for="draft" in request.args,
        actions=requested.of_conversation(shown.id, operator),
        **proposal.beside(shown, draft),
        answer=answer,
        sources=citations.chips(answer.composed.citations, visible_to=operator),
        reached=thread.has_been_seen(shown),
        typing=_types(shown),
        listing=listing,
        others=conversations.of_customer(shown, visible_to=operator),
        **_header(shown, notice, errors),
    )


def _piece(shown: Conversation) -> Piece:
    """The end of the thread; an older page of it where a browser without JavaScript asks for one."""
    older = whole(request.args, "before")
    if older is not None:
        return thread.before(shown, older, visible_to=current_operator())
    return thread.newest(shown, visible_to=current_operator())


def header(conversation_id: int) -> Response:
    """Subject, customer, status, priority, tags."""
    return _header_region(load(conversation_id))


def context(conversation_id: int) -> Response:
    """What the host says about the customer; foreign code, so it never holds up the page."""
    shown = load(conversation_id)
    known: tuple[Fact, ...] = ()
    why = ""
    try:
        if shown.customer_ref is None:
            raise HostFailure("this conversation names no customer", permanent=True)
        where = {"conversation_id": shown.id, "tenant": shown.tenant}
        found = ask("context_provider", settings.context_provider.get_context, shown.customer_ref, **where)
        if not isinstance(found, Mapping):
            raise HostFailure(f"CAIRNLOOP_CONTEXT_PROVIDER answered with a {type(found).__name__}, not a mapping")
        known = facts.read(found)
    except HostFailure as failure:
        why = failure.reason
    return region("context", "conversations/_context.html", conversation=shown, facts=known, why=why)


def others(conversation_id: int) -> Response:
    """The customer's other conversations."""
    shown = load(conversation_id)
    found = conversations.of_customer(shown, visible_to=current_operator())
    return region("others", "conversations/_others.html", conversation=shown, others=found)


def seen(conversation_id: int) -> Response:
    """Whether the customer has seen the last answer."""
    shown = load(conversation_id)
    return region("seen", "conversations/_seen.html", conversation=shown, reached=thread.has_been_seen(shown))


def customer_typing(conversation_id: int) -> Response:
    """Whether the customer is typing right now."""
    shown = load(conversation_id)
    return region("customer-typing", "conversations/_customer_typing.html", conversation=shown, typing=_types(shown))


def resolve_conversation(conversation_id: int) -> Response:
    """Close the thread as answered."""
    conversations.resolve(load(conversation_id).id, by=current_operator())
    return _moved(conversation_id)


def reopen_conversation(conversation_id: int) -> Response:
    """Open it again."""
    shown = load(conversation_id)
    try:
        conversations.reopen(shown.id, by=current_operator())
    except InvalidTransition as refusal:
        return _refused(conversation_id, str(refusal))
    return _moved(conversation_id)


def archive_conversation(conversation_id: int) -> Response:
    """Put it away."""
    conversations.archive(load(conversation_id).id, by=current_operator())
    return _moved(conversation_id)


def hand_back(conversation_id: int) -> Response:
    """Let drafts be sent automatically again, as far as the policy allows it."""
    conversations.hand_back(load(conversation_id).id, by=current_operator())
    answer = lambda: _header_region(load(conversation_id), changed=("draft", "inbox-list"))  # noqa: E731
    return settled(answer, back_to=_screen(conversation_id))


def save_details(conversation_id: int) -> Response:
    """Subject, priority and tags, all or none."""
    shown, details, operator = load(conversation_id), Details.read(request.form), current_operator()
    try:
        with transaction():
            conversations.rename(shown.id, details.subject, by=operator)
            conversations.set_priority(shown.id, details.priority, by=operator)
            conversations.tag(shown.id, details.tags, by=operator)
    except InvalidInput as refusal:
        if wants_region():
            return _header_region(load(conversation_id), errors=refusal.errors, status=422)
        return show(load(conversation_id), errors=refusal.errors, status=422)
    return settled(lambda: _header_region(load(conversation_id), changed=("inbox-list",)), back_to=_screen(shown.id))


def _types(shown: Conversation) -> bool:
    return shown.customer_typing_at is not None and now() - shown.customer_typing_at < TYPING


def _moved(conversation_id: int) -> Response:
    answer = lambda: _header_region(load(conversation_id), changed=STATUS_CHANGED)  # noqa: E731
    return settled(answer, back_to=_screen(conversation_id))


def _refused(conversation_id: int, notice: str) -> Response:
    if wants_region():
        return _header_region(load(conversation_id), notice=notice, status=409)
    return show(load(conversation_id), notice=notice, status=409)


def _header_region(
    shown: Conversation,
    *,
    notice: str = "",
    errors: Mapping[str, str] | None = None,
    changed: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    context = _header(shown, notice, errors)
    return region("header", "conversations/_header.html", changed=changed, status=status, conversation=shown, **context)


def _header(shown: Conversation, notice: str, errors: Mapping[str, str] | None) -> dict[str, object]:
    following = None
    if shown.status != conversations.ConversationStatus.OPEN:
        following = conversations.next_waiting(shown.id, visible_to=current_operator())
    return {"notice": notice, "errors": errors or {}, "priorities": list(Priority), "following": following}


def _screen(conversation_id: int) -> str:
    return url_for(".conversation", conversation_id=conversation_id)

"""POST /12/actions, POST /actions/7/approval: asking for an action, and deciding about one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import governance
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.errors import InvalidInput, InvalidTransition, NotAllowed
from flask_cairnloop.dashboard import approvals, requested, tool_forms
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.conversations import load, show
from flask_cairnloop.dashboard.forms import member
from flask_cairnloop.dashboard.htmx import region, settled, wants_region
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.governance import ProposalStatus, ToolProposal, registry
from flask_cairnloop.host.tool import Tool


class Place(StrEnum):
    """Where a card stands."""

    CONVERSATION = "conversation"
    APPROVALS = "approvals"
    ALONE = "alone"


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/<int:conversation_id>/actions")(conversation_actions)
    blueprint.get("/<int:conversation_id>/tools")(conversation_tools)
    blueprint.post("/<int:conversation_id>/actions")(propose_action)
    blueprint.get("/actions/<int:proposal_id>")(proposal)
    blueprint.get("/actions/<int:proposal_id>/card")(proposal_region)
    for verb in (approval, rejection, deferral, withdrawal, settlement):
        blueprint.post(f"/actions/<int:proposal_id>/{verb.__name__}")(verb)


def conversation_actions(conversation_id: int) -> Response:
    """The actions of a conversation, at the end of its thread."""
    return _actions(load(conversation_id))


def conversation_tools(conversation_id: int) -> Response:
    """The forms of the actions one can ask for; the host's code, so it never holds up the page."""
    return _tools(load(conversation_id))


def proposal(proposal_id: int) -> Response:
    """One action with its whole trail."""
    return _alone(governance.get_proposal(proposal_id, visible_to=current_operator()))


def proposal_region(proposal_id: int) -> Response:
    """Its card alone."""
    found = governance.get_proposal(proposal_id, visible_to=current_operator())
    return region("action", "actions/_alone.html", action=requested.read(found, current_operator()))


def propose_action(conversation_id: int) -> Response:
    """Ask for an action; nothing runs before it is decided."""
    shown, operator = load(conversation_id), current_operator()
    tool = registry.find(request.form.get("tool", ""))
    values = tool_forms.read(tool, request.form)
    made = governance.propose(
        tool.tool_spec().name,
        values,
        by=operator,
        conversation_id=shown.id,
        account_id=shown.customer_ref,
        token=request.form.get("token") or None,
    )
    if made.status == ProposalStatus.NEEDS_INPUT:
        if wants_region():
            return _tools(shown, refused=tool, errors=made.errors, status=422)
        return show(shown, notice=made.reason, status=422)
    return settled(lambda: _tools(shown, changed=("actions", "nav")), back_to=_thread(shown.id))


def approval(proposal_id: int) -> Response:
    """Let it run."""
    seen = request.form.get("digest", "")
    return _decide(proposal_id, lambda: governance.approve(proposal_id, by=current_operator(), seen=seen))


def rejection(proposal_id: int) -> Response:
    """Say no, with a reason."""
    reason = request.form.get("reason", "")
    return _decide(proposal_id, lambda: governance.reject(proposal_id, by=current_operator(), reason=reason))


def deferral(proposal_id: int) -> Response:
    """Put it off, with a reason and a day on which it comes back."""

    def put_off() -> ToolProposal:
        return governance.defer(
            proposal_id, by=current_operator(), reason=request.form.get("reason", ""), until=_day("until")
        )

    return _decide(proposal_id, put_off)


def withdrawal(proposal_id: int) -> Response:
    """Take one's own request back."""
    return _decide(proposal_id, lambda: governance.withdraw(proposal_id, by=current_operator()))


def settlement(proposal_id: int) -> Response:
    """Say what became of a run whose outcome was lost."""
    happened = request.form.get("happened", "")
    if happened not in ("yes", "no"):
        return _refused(proposal_id, {"happened": "needs an answer"}, 422)
    reason = request.form.get("reason", "")
    by = current_operator()
    return _decide(
        proposal_id, lambda: governance.settle(proposal_id, by=by, happened=happened == "yes", reason=reason)
    )


def _decide(proposal_id: int, decision: Callable[[], ToolProposal]) -> Response:
    governance.get_proposal(proposal_id, visible_to=current_operator())
    try:
        decision()
    except InvalidInput as refusal:
        return _refused(proposal_id, refusal.errors, 422)
    except (InvalidTransition, NotAllowed) as refusal:
        status = 403 if isinstance(refusal, NotAllowed) else 409
        return _refused(proposal_id, {"decision": str(refusal)}, status)
    found = governance.get_proposal(proposal_id, visible_to=current_operator())
    return settled(lambda: _placed(found, changed=("nav", "timeline")), back_to=_back(found))


def _refused(proposal_id: int, errors: dict[str, str], status: int) -> Response:
    found = governance.get_proposal(proposal_id, visible_to=current_operator())
    if wants_region():
        return _placed(found, errors=errors, status=status)
    return _alone(found, errors=errors, status=status)


def _placed(
    found: ToolProposal,
    *,
    errors: dict[str, str] | None = None,
    changed: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    """The region the card was decided in."""
    place = member(Place, request.form, "place")
    card = requested.read(found, current_operator(), errors=errors, typed=request.form)
    if place == Place.CONVERSATION and found.conversation_id is not None:
        return _actions(load(found.conversation_id), instead=card, changed=changed, status=status)
    if place == Place.APPROVALS:
        return approvals.listing(instead=card if errors else None, changed=changed, status=status)
    return region("action", "actions/_alone.html", changed=changed, status=status, action=card)


def _alone(found: ToolProposal, *, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    card = requested.read(found, current_operator(), errors=errors, typed=request.form)
    return page("actions/show.html", section="approvals", status=status, action=card)


def _actions(
    shown: Conversation,
    *,
    instead: requested.Requested | None = None,
    changed: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    cards = requested.of_conversation(shown.id, current_operator())
    if instead is not None:
        cards = [instead if card.id == instead.id else card for card in cards]
    return region("actions", "actions/_actions.html", changed=changed, status=status, conversation=shown, actions=cards)


def _tools(
    shown: Conversation,
    *,
    refused: type[Tool] | None = None,
    errors: dict[str, str] | None = None,
    changed: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    offered = registry.available_to(current_operator(), {})
    forms = [
        tool_forms.form(tool, values=request.form, errors=errors) if tool is refused else tool_forms.form(tool)
        for tool in offered
    ]
    return region("tools", "actions/_tools.html", changed=changed, status=status, conversation=shown, forms=forms)


def _day(key: str) -> datetime | None:
    given = request.form.get(key, "").strip()
    if not given:
        return None
    try:
        return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput({key: "needs a day such as 2026-01-31"}) from None


def _thread(conversation_id: int) -> str:
    return url_for(".conversation", conversation_id=conversation_id)


def _back(found: ToolProposal) -> str:
    place = member(Place, request.form, "place")
    if place == Place.CONVERSATION and found.conversation_id is not None:
        return _thread(found.conversation_id)
    return url_for(".approvals") if place == Place.APPROVALS else url_for(".proposal", proposal_id=found.id)

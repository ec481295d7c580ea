"""Asking for an action: judged, frozen, stored once, and passed to whoever decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from flask_cairnloop import conversations
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session, table, transaction
from flask_cairnloop.core.errors import HostFailure, InvalidInput
from flask_cairnloop.governance import digests, gates, registry, trail
from flask_cairnloop.governance.approvals import expire_approval
from flask_cairnloop.governance.execution import execute_approval
from flask_cairnloop.governance.gates import Judgement
from flask_cairnloop.governance.models import (
    ActionEventType,
    ApprovalStatus,
    Origin,
    ToolApproval,
    ToolProposal,
)
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.people import SYSTEM, Actor, Operator
from flask_cairnloop.host.tool import ApprovalMode, Tool

TOKEN_LENGTH = 255
CONSEQUENCE_LENGTH = 2_000
INPUT_LENGTH = 64_000  # characters of the input as JSON


def propose(
    tool: str,
    params: Mapping[str, Any],
    *,
    by: Actor,
    conversation_id: int | None = None,
    account_id: str | None = None,
    origin: Origin = Origin.OPERATOR,
    token: str | None = None,
) -> ToolProposal:
    """Ask for ``tool`` to be run with ``params``. Nothing runs here.

    A request that a gate refuses is stored too, with its status and the reason. The same request again, while the
    first still may run, returns the first; ``token`` is the caller's own key for "the same". Raises ``UnknownTool``,
    ``NotFound`` for a conversation the actor does not see, ``InvalidInput`` for a token used for something else.
    """
    kind = registry.find(tool)
    params = {str(name): fit(value) for name, value in params.items()}
    if token is not None and not 0 < len(token) <= TOKEN_LENGTH:
        raise InvalidInput({"token": f"needs 1 to {TOKEN_LENGTH} characters"})
    if conversation_id is not None and isinstance(by, Operator):
        conversations.get(conversation_id, visible_to=by)
    scopes = by.scopes if isinstance(by, Operator) else frozenset()
    context = {"scopes": scopes, "account_id": account_id, "conversation_id": conversation_id}
    context |= {"tenant": by.tenant, "origin": origin.value}
    judged = gates.judge(kind, params, actor_id=by.id, scopes=scopes, context=context)
    proposal = _freeze(kind, judged, params, by, scopes)
    proposal.conversation_id, proposal.account_id, proposal.origin = conversation_id, account_id, origin
    proposal.idempotency_key = digests.idempotency_key(
        kind.tool_spec(),
        proposal.input,
        by=by,
        account_id=account_id,
        conversation_id=conversation_id,
        token=token,
    )
    proposal.digest = digests.digest(proposal)
    with transaction():
        stored, fresh = _store(proposal)
        if not fresh:
            if token is not None and stored.input != proposal.input:
                raise InvalidInput({"token": "was used for another request"})
            trail.announce_duplicate(stored, by=by)
            return stored
        if judged.passed:
            _open_lane(stored, kind, by)
        else:
            trail.note(stored, ActionEventType.PROPOSAL_BLOCKED, by=by, reason=stored.reason)
    return stored


def _freeze(
    kind: type[Tool], judged: Judgement, params: Mapping[str, Any], by: Actor, scopes: frozenset[str]
) -> ToolProposal:
    spec = kind.tool_spec()
    values = judged.value.model_dump(mode="json") if judged.value is not None else _as_json(params)
    if len(digests.canonical(values)) > INPUT_LENGTH:
        raise InvalidInput({"input": f"is longer than {INPUT_LENGTH} characters"})
    return ToolProposal(
        tenant=by.tenant,
        tool=spec.name,
        tool_version=kind.version(),
        status=judged.status,
        reason=judged.reason,
        errors=judged.errors,
        title=spec.title,
        consequence=_preview(judged.value) if judged.passed and judged.value is not None else None,
        input=values,
        risk_tier=spec.risk_tier,
        mode=judged.mode,
        required_scopes=sorted(judged.required),
        held_scopes=sorted(scopes),
        policy={"declared": spec.approval_mode.value, "resolved": judged.mode.value, "four_eyes": spec.four_eyes},
        actor_id=by.id,
        actor_kind=by.kind,
        actor_name=by.name,
        run_key=uuid4().hex + uuid4().hex,
        is_live=judged.passed,
        created_at=now(),
    )


def fit(value: Any) -> Any:
    """A value from outside with texts that can be stored, at any depth."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {fit(str(key)): fit(each) for key, each in value.items()}
    return [fit(each) for each in value] if isinstance(value, list | tuple) else value


def _as_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked, as far as it can be written down: it is not valid and will never run."""
    plain = (bool, int, type(None))
    return {
        fit(key)[:200]: value if isinstance(value, plain) else fit(str(value))[:2_000] for key, value in params.items()
    }


def _preview(value: Tool) -> str | None:
    try:
        words = ask("tool", value.preview)
    except HostFailure:
        return None
    return words.strip()[:CONSEQUENCE_LENGTH] or None if isinstance(words, str) else None


def _store(proposal: ToolProposal) -> tuple[ToolProposal, bool]:
    """Insert it, or find the live one that asks the same."""
    db = session()
    row = {column.name: getattr(proposal, column.name) for column in table(ToolProposal).columns if column.name != "id"}
    once = insert(ToolProposal).values(row)
    once = once.on_conflict_do_nothing(index_elements=["tenant", "idempotency_key"], index_where=text("is_live"))
    while True:
        stored = db.scalars(once.returning(ToolProposal)).one_or_none()
        if stored is not None:
            return stored, True
        same = select(ToolProposal).where(
            ToolProposal.tenant == proposal.tenant,
            ToolProposal.idempotency_key == proposal.idempotency_key,
            ToolProposal.is_live,
        )
        found = db.scalars(same).one_or_none()
        if found is not None:
            return found, False


def _open_lane(proposal: ToolProposal, kind: type[Tool], by: Actor) -> None:
    moment = now()
    ttl = kind.tool_spec().approval_ttl or settings.approval_ttl
    approval = ToolApproval(
        tenant=proposal.tenant,
        proposal_id=proposal.id,
        digest=proposal.digest,
        expires_at=moment + timedelta(seconds=ttl),
        created_at=moment,
        updated_at=moment,
    )
    automatic = proposal.mode == ApprovalMode.AUTO
    approval.status = ApprovalStatus.APPROVED if automatic else ApprovalStatus.PENDING
    if automatic:
        approval.decided_by, approval.decided_by_name, approval.decided_at = SYSTEM.id, SYSTEM.name, moment
    db = session()
    db.add(approval)
    db.flush()
    db.refresh(proposal, ["approval"])
    trail.note(proposal, ActionEventType.PROPOSAL_CREATED, by=by)
    if automatic:
        trail.note(proposal, ActionEventType.APPROVED, by=SYSTEM, after=approval.status)
        execute_approval.enqueue(unique_key=f"execute:{approval.id}", approval_id=approval.id)
    else:
        trail.note(proposal, ActionEventType.APPROVAL_REQUESTED, by=by, after=approval.status)
        expire_approval.enqueue(unique_key=f"expire:{approval.id}", delay=ttl, approval_id=approval.id)

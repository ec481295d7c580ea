"""May this run? Known, valid, scopes held, authorised, mode: in this order, without touching anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from pydantic import ValidationError

from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.governance.models import ProposalStatus
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.tool import ALLOW, ApprovalMode, Deny, Tool

REASON_LENGTH = 2_000
NEVER_RUNS = "This action is blocked: it never runs."
UNDECLARED = "This action has no policy: its tool does not say who may use it."


@dataclass(frozen=True)
class Judgement:
    """What the gates say. ``value`` is the validated input, None where it is not valid."""

    status: ProposalStatus
    mode: ApprovalMode
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    value: Tool | None = None
    required: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        """Whether every gate lets it through."""
        return self.status == ProposalStatus.PROPOSED


def judge(
    tool: type[Tool], attrs: Mapping[str, Any], *, actor_id: str, scopes: frozenset[str], context: Mapping[str, Any]
) -> Judgement:
    """Send a request through the gates. The first that refuses decides; a gate that fails refuses."""
    mode = resolve_mode(tool)
    try:
        value = ask("tool", _validated, tool, attrs)
    except HostFailure as failure:
        return Judgement(ProposalStatus.NEEDS_INPUT, mode, failure.reason[:REASON_LENGTH])
    if isinstance(value, dict):
        words = "; ".join(f"{name}: {why}" for name, why in value.items())
        return Judgement(ProposalStatus.NEEDS_INPUT, mode, words[:REASON_LENGTH], value)
    try:
        required = required_scopes(tool)
        if missing := sorted(required - scopes):
            why = f"Missing {'scopes' if len(missing) > 1 else 'scope'}: {', '.join(missing)}."
            return Judgement(ProposalStatus.SCOPE_INVALID, mode, why[:REASON_LENGTH], value=value, required=required)
        answer = ask("tool", value.authorize, actor_id, context)
    except HostFailure as failure:
        why = f"It could not be decided whether this is allowed: {failure.reason}"
        return Judgement(ProposalStatus.POLICY_DENIED, mode, why[:REASON_LENGTH], value=value)
    if answer is not ALLOW:
        return Judgement(ProposalStatus.POLICY_DENIED, mode, _refusal(answer), value=value, required=required)
    if mode == ApprovalMode.ALWAYS_BLOCK:
        return Judgement(ProposalStatus.POLICY_DENIED, mode, NEVER_RUNS, value=value, required=required)
    return Judgement(ProposalStatus.PROPOSED, mode, value=value, required=required)


def _validated(tool: type[Tool], attrs: Mapping[str, Any]) -> Tool | dict[str, str]:
    """The input, or what is wrong with which part of it: an answer, so no log shows what was typed."""
    try:
        value = tool.changeset(attrs)
    except ValidationError as invalid:
        return _errors(invalid)
    if type(value) is not tool:
        raise HostFailure(f"{tool.__name__}.changeset() answered no {tool.__name__}")
    endless = [name for name, each in value.model_dump().items() if not _is_finite(each)]
    return dict.fromkeys(endless, "Needs a finite number") or value


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, Mapping):
        return all(_is_finite(each) for each in value.values())
    return all(_is_finite(each) for each in value) if isinstance(value, list | tuple | set | frozenset) else True


def required_scopes(tool: type[Tool]) -> frozenset[str]:
    """The scopes a proposer needs. Raises ``HostFailure`` where the tool answers no set of texts."""
    scopes = ask("tool", tool.scope)
    if isinstance(scopes, str) or not all(isinstance(scope, str) for scope in scopes):
        raise HostFailure(f"{tool.__name__}.scope() answered no set of scopes")
    return frozenset(scopes)


def resolve_mode(tool: type[Tool]) -> ApprovalMode:
    """The tool's mode, or the setting's where that is stricter."""
    spec = tool.tool_spec()
    override = settings.approval_overrides.get(spec.name, spec.approval_mode)
    return max(spec.approval_mode, override, key=lambda mode: mode.strictness)


def _refusal(answer: object) -> str:
    if isinstance(answer, Deny):
        return UNDECLARED if answer.reason == "no_policy_defined" else str(answer.reason)[:REASON_LENGTH]
    return "The tool did not say that this is allowed."


def _errors(invalid: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for error in invalid.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in error["loc"]) or "input"
        words = "Needs a value" if error["type"] == "missing" else str(error["msg"])
        found.setdefault(name, words[:REASON_LENGTH])
    return found

"""The only place where a tool runs: checked once more, claimed, run, and written down whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from typing import Any

from flask_cairnloop.core import telemetry, work
from flask_cairnloop.core.current import now, settings
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import HostFailure
from flask_cairnloop.core.jobs import job
from flask_cairnloop.core.limits import TimeLimitExceeded, time_limit
from flask_cairnloop.governance import digests, gates, registry, trail
from flask_cairnloop.governance.lanes import CHANGED, OVERDUE, lock, proposal_of
from flask_cairnloop.governance.models import ActionEventType, ApprovalStatus, ToolApproval, ToolProposal
from flask_cairnloop.governance.registry import UnknownTool
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.people import SYSTEM
from flask_cairnloop.host.tool import Tool

log = logging.getLogger("flask_cairnloop.governance")
ATTEMPTS = 5  # runs of an idempotent tool that fails
DEATHS = 12  # runs of an idempotent tool whose worker dies
RETRY = (2, 10, 60, 300)  # seconds before the next run
OUTCOME_LENGTH = 10_000
LOST = "The worker died in the middle of it. Whether it happened has to be looked up where it would show."
CUT = (
    "It took longer than {seconds:g} seconds and was cut. Whether it happened has to be looked up where it would show."
)


_RUNNABLE = frozenset({ApprovalStatus.APPROVED, ApprovalStatus.EXECUTION_PENDING})


class _Ending(StrEnum):
    SUCCEEDED = "succeeded"
    REFUSED = "refused"  #: The tool says it did not happen, and never will.
    FAILED = "failed"  #: It failed; an idempotent tool may try again.
    CUT = "cut"  #: Its time was over.


@dataclass(frozen=True)
class _Run:
    """One run that was claimed: everything it needs, so that no transaction stays open."""

    proposal_id: int
    value: Tool
    actor_id: str
    context: Mapping[str, Any]
    attempt: int


@dataclass(frozen=True)
class _Frozen:
    """A proposal's facts, read once, so that host code is asked outside the transaction."""

    tool: str
    version: str
    input: dict[str, Any]
    actor_id: str
    actor_kind: str
    tenant: str
    context: dict[str, Any]


@job("execute_approval", timeout=660, max_attempts=20, atomic=False)
def execute_approval(approval_id: int) -> None:
    """Run an approved action.

    The claim and the outcome are two transactions with the run between them. A run that was claimed and has no outcome
    is lost: it is run again under the same key where the tool is idempotent, and left for a person to settle otherwise.
    """
    claimed = _claim(approval_id)
    if claimed is None:
        return
    with telemetry.span("governance.execute"):
        ending, words = _run(claimed)
        _record(claimed, ending, words)


def _claim(approval_id: int) -> _Run | None:
    """Check everything again and mark the run as begun; None where there is nothing to run."""
    with transaction():
        proposal_id = proposal_of(approval_id)
        frozen = _runnable(proposal_id) if proposal_id is not None else None
        if proposal_id is None or frozen is None:
            work.complete()
            return None
    value, refusal = _revalidate(frozen)
    with transaction():
        proposal, approval = lock(proposal_id, by=SYSTEM)
        if approval.status not in _RUNNABLE:
            work.complete()
            return None
        if value is None or not compare_digest(digests.digest(proposal), approval.digest):
            refusal = refusal or CHANGED
            approval.outcome = refusal
            kind = ActionEventType.REVALIDATION_FAILED
            trail.advance(proposal, ApprovalStatus.INVALIDATED, kind, by=SYSTEM, reason=refusal)
            work.complete()
            return None
        return _begin(proposal, approval, value)


def _runnable(proposal_id: int) -> _Frozen | None:
    """What is to be run; None where that is over, has become too late, or was begun and cannot be begun again."""
    proposal, approval = lock(proposal_id, by=SYSTEM)
    if approval.status not in _RUNNABLE:
        return None
    if approval.status == ApprovalStatus.APPROVED and approval.expires_at <= now():
        trail.advance(proposal, ApprovalStatus.EXPIRED, ActionEventType.EXPIRED, by=SYSTEM, reason=OVERDUE)
        return None
    begun = approval.status == ApprovalStatus.EXECUTION_PENDING
    if begun and (not _may_run_again(proposal) or approval.attempt >= DEATHS):
        _lose(proposal, approval, LOST)
        return None
    return _freeze(proposal)


def _begin(proposal: ToolProposal, approval: ToolApproval, value: Tool) -> _Run:
    approval.attempt += 1
    approval.started_at = now()
    if approval.status == ApprovalStatus.APPROVED:
        trail.advance(proposal, ApprovalStatus.EXECUTION_PENDING, ActionEventType.REVALIDATION_PASSED, by=SYSTEM)
    trail.note(proposal, ActionEventType.EXECUTION_STARTED, by=SYSTEM, attempt=approval.attempt)
    context = _context(proposal) | {"run_key": proposal.run_key, "attempt": approval.attempt}
    return _Run(proposal.id, value, proposal.actor_id, context, approval.attempt)


def _run(claimed: _Run) -> tuple[_Ending, str]:
    seconds = claimed.value.tool_spec().timeout
    try:
        with time_limit(seconds):
            answer = ask("tool", claimed.value.run, claimed.actor_id, claimed.context)
            with transaction() as db:
                db.flush()  # whatever the tool left unsaved in the host's session belongs to it
    except TimeLimitExceeded:
        session().rollback()
        return _Ending.CUT, CUT.format(seconds=seconds)
    except HostFailure as failure:
        session().rollback()
        return (_Ending.REFUSED if failure.permanent else _Ending.FAILED), failure.reason
    except Exception as failure:
        session().rollback()
        log.exception("what %s left in the host's session could not be saved", type(claimed.value).__name__)
        return _Ending.FAILED, f"{type(failure).__name__} while saving"
    return _Ending.SUCCEEDED, describe(answer)


def _record(claimed: _Run, ending: _Ending, words: str) -> None:
    words = words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:OUTCOME_LENGTH]
    with transaction():
        proposal, approval = lock(claimed.proposal_id, by=SYSTEM)
        if approval.status == ApprovalStatus.EXECUTION_PENDING and approval.attempt == claimed.attempt:
            _settle(proposal, approval, ending, words)
        work.complete()


def _settle(proposal: ToolProposal, approval: ToolApproval, ending: _Ending, words: str) -> None:
    attempt = approval.attempt
    if ending == _Ending.SUCCEEDED:
        approval.outcome, approval.finished_at = words, now()
        kind = ActionEventType.EXECUTION_SUCCEEDED
        trail.advance(proposal, ApprovalStatus.EXECUTED, kind, by=SYSTEM, reason=words, attempt=attempt)
    elif ending != _Ending.REFUSED and _may_run_again(proposal) and attempt < ATTEMPTS:
        kind = ActionEventType.EXECUTION_ATTEMPT_FAILED
        trail.note(proposal, kind, by=SYSTEM, reason=words, attempt=attempt)
        wait = RETRY[min(attempt, len(RETRY)) - 1]
        execute_approval.enqueue(unique_key=f"execute:{approval.id}", delay=wait, approval_id=approval.id)
    elif ending == _Ending.CUT and not _may_run_again(proposal):
        _lose(proposal, approval, words)
    else:
        approval.outcome, approval.finished_at = words, now()
        kind = ActionEventType.EXECUTION_FAILED
        trail.advance(proposal, ApprovalStatus.EXECUTION_FAILED, kind, by=SYSTEM, reason=words, attempt=attempt)


def _lose(proposal: ToolProposal, approval: ToolApproval, words: str) -> None:
    approval.outcome, approval.finished_at = words, now()
    kind = ActionEventType.OUTCOME_LOST
    trail.advance(proposal, ApprovalStatus.OUTCOME_UNKNOWN, kind, by=SYSTEM, reason=words, attempt=approval.attempt)


def _may_run_again(proposal: ToolProposal) -> bool:
    try:
        return registry.find(proposal.tool).tool_spec().idempotent
    except UnknownTool:
        return False


def _context(proposal: ToolProposal) -> dict[str, Any]:
    context: dict[str, Any] = {"scopes": frozenset(proposal.held_scopes), "account_id": proposal.account_id}
    context |= {"conversation_id": proposal.conversation_id, "tenant": proposal.tenant}
    return context | {"origin": proposal.origin.value}


def _freeze(proposal: ToolProposal) -> _Frozen:
    return _Frozen(
        proposal.tool,
        proposal.tool_version,
        dict(proposal.input),
        proposal.actor_id,
        proposal.actor_kind,
        proposal.tenant,
        _context(proposal),
    )


def _revalidate(frozen: _Frozen) -> tuple[Tool | None, str]:
    """The gates as they are now, with the scopes the proposer has now: the input to run, or why it may not."""
    try:
        tool = registry.find(frozen.tool)
    except UnknownTool:
        return None, "Its tool no longer exists."
    if tool.version() != frozen.version:
        return None, CHANGED
    scopes = _present_scopes(frozen)
    if scopes is None:
        return None, "Who proposed it is no longer an operator."
    context = frozen.context | {"scopes": scopes}
    judged = gates.judge(tool, frozen.input, actor_id=frozen.actor_id, scopes=scopes, context=context)
    if not judged.passed:
        return None, judged.reason
    return judged.value, ""


def _present_scopes(frozen: _Frozen) -> frozenset[str] | None:
    if frozen.actor_kind != "operator":
        return frozenset(frozen.context["scopes"])
    try:
        operator = settings.operator_resolver.find(frozen.actor_id, tenant=frozen.tenant)
    except NotImplementedError:
        return frozenset(frozen.context["scopes"])
    return operator.scopes if operator is not None else None


def describe(answer: object) -> str:
    """What a tool answered, in a few words; it never fails."""
    if answer is None or answer is True:
        return "Done."
    if isinstance(answer, str):
        return answer.strip() or "Done."
    if isinstance(answer, Mapping):
        plain = (str, int, float, bool)
        parts = [f"{key}: {value}" for key, value in answer.items() if isinstance(value, plain)]
        return "; ".join(parts) or "Done."
    return str(answer) if isinstance(answer, int | float) else "Done."

"""Random sequences of everything that can happen to a request, against a small model of what may follow what."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from flask_cairnloop import NotAllowed, Operator, governance
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import InvalidTransition
from flask_cairnloop.governance import ApprovalStatus, ToolProposal, approvals, execution
from flask_cairnloop.governance.models import LIVE
from tests.governance.tools import RUNS, TROUBLE

S = ApprovalStatus
OPEN = {S.PENDING, S.DEFERRED}
ORDERS = itertools.count()

#: What each step leads to from where; anywhere else nothing changes.
MODEL: dict[str, dict[ApprovalStatus, ApprovalStatus]] = {
    "approve": dict.fromkeys(OPEN, S.APPROVED),
    "approve too late": dict.fromkeys(OPEN, S.EXPIRED),
    "reject": dict.fromkeys(OPEN, S.REJECTED),
    "defer": {S.PENDING: S.DEFERRED},
    "withdraw": dict.fromkeys(OPEN, S.WITHDRAWN),
    "withdraw another's": {},
    "expire": dict.fromkeys(OPEN, S.EXPIRED),
    "expire too early": {},
    "come back": {},
    "run": {S.APPROVED: S.EXECUTED, S.EXECUTION_PENDING: S.OUTCOME_UNKNOWN},
    "run and fail": {S.APPROVED: S.EXECUTION_FAILED, S.EXECUTION_PENDING: S.OUTCOME_UNKNOWN},
    "run too late": {S.APPROVED: S.EXPIRED, S.EXECUTION_PENDING: S.OUTCOME_UNKNOWN},
    "die in the middle": {S.APPROVED: S.EXECUTION_PENDING, S.EXECUTION_PENDING: S.OUTCOME_UNKNOWN},
    "settle as done": {S.OUTCOME_UNKNOWN: S.EXECUTED},
    "settle as not done": {S.OUTCOME_UNKNOWN: S.EXECUTION_FAILED},
}
LATER = timedelta(hours=49)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(sorted(MODEL)), max_size=8))
def test_no_sequence_reaches_an_illegal_state(
    app: Flask, operator: Operator, approver: Operator, steps: list[str]
) -> None:
    RUNS.clear()
    made = governance.propose("refund", {"order": f"A-{next(ORDERS)}", "cents": 5}, by=operator)
    expected = S.PENDING
    for step in steps:
        take(step, made, operator, approver)
        expected = MODEL[step].get(expected, expected)
        session().expire_all()
        assert made.approval is not None
        assert made.approval.status == expected, step
        assert made.is_live == (expected in LIVE)
        assert len(RUNS) <= 1
    trail = session().scalars(
        select(governance.ToolActionEvent)
        .where(governance.ToolActionEvent.proposal_id == made.id)
        .order_by(governance.ToolActionEvent.id)
    )
    moves = [(event.from_status, event.to_status) for event in trail if event.to_status is not None]
    assert [before for before, _ in moves[1:]] == [after for _, after in moves[:-1]], "the trail tells every move"
    assert moves[-1][1] == expected
    session().rollback()


def take(step: str, made: ToolProposal, operator: Operator, approver: Operator) -> None:
    """Do it; what is refused changes nothing."""
    assert made.approval is not None
    lane, moment = made.approval.id, now()
    TROUBLE[:] = [RuntimeError("boom")] if step == "run and fail" else []
    deeds: dict[str, Callable[[], object]] = {
        "approve": lambda: governance.approve(made.id, by=approver),
        "approve too late": lambda: governance.approve(made.id, by=approver),
        "reject": lambda: governance.reject(made.id, by=approver, reason="no"),
        "defer": lambda: governance.defer(made.id, by=approver, reason="later"),
        "withdraw": lambda: governance.withdraw(made.id, by=operator),
        "withdraw another's": lambda: governance.withdraw(made.id, by=approver),
        "come back": lambda: approvals.return_approval(approval_id=lane),
        "die in the middle": lambda: execution._claim(lane),
        "settle as done": lambda: governance.settle(made.id, by=approver, happened=True, reason="seen"),
        "settle as not done": lambda: governance.settle(made.id, by=approver, happened=False, reason="not seen"),
    }
    for name in ("expire", "expire too early"):
        deeds[name] = lambda: approvals.expire_approval(approval_id=lane)
    for name in ("run", "run and fail", "run too late"):
        deeds[name] = lambda: execution.execute_approval(approval_id=lane)
    late = step in ("approve too late", "expire", "run too late")
    with at(moment + LATER if late else moment):
        try:
            deeds[step]()
        except (InvalidTransition, NotAllowed):
            session().rollback()

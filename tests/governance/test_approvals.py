from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from flask_cairnloop import InvalidInput, InvalidTransition, NotAllowed, NotFound, Operator, governance
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.governance import ApprovalStatus, ToolActionEvent, ToolApproval, ToolProposal
from tests.governance.conftest import Propose
from tests.governance.tools import RUNS, Refund

RunJobs = Callable[..., int]


def status(proposal: ToolProposal) -> ApprovalStatus:
    session().expire_all()
    found = session().scalars(select(ToolApproval.status).where(ToolApproval.proposal_id == proposal.id)).one()
    return found


def steps(proposal: ToolProposal) -> list[str]:
    query = select(ToolActionEvent.type).where(ToolActionEvent.proposal_id == proposal.id).order_by(ToolActionEvent.id)
    return [step.value for step in session().scalars(query)]


def test_a_lane_opens_with_the_proposal_and_nothing_runs(propose: Propose, run_jobs: RunJobs) -> None:
    made = propose("reship", order="A-1")
    run_jobs()
    assert status(made) == ApprovalStatus.PENDING
    assert steps(made) == ["proposal_created", "approval_requested"]
    assert RUNS == []


def test_approving_never_runs_it_here_but_a_worker_does(
    propose: Propose, second_operator: Operator, run_jobs: RunJobs
) -> None:
    made = propose("reship", order="A-1")
    governance.approve(made.id, by=second_operator, note="Looks right")
    assert RUNS == []
    run_jobs()
    assert status(made) == ApprovalStatus.EXECUTED
    assert steps(made) == [
        "proposal_created",
        "approval_requested",
        "approved",
        "revalidation_passed",
        "execution_started",
        "execution_succeeded",
    ]
    assert made.approval is not None
    assert (made.approval.decided_by, made.approval.decision_reason) == (second_operator.id, "Looks right")
    assert made.approval.outcome == "by: ada; attempt: 1"


def test_what_only_reads_runs_at_once_with_the_same_trail(propose: Propose, run_jobs: RunJobs) -> None:
    made = propose("look_up_order", order="A-17")
    run_jobs()
    assert status(made) == ApprovalStatus.EXECUTED
    assert steps(made)[:2] == ["proposal_created", "approved"]
    assert made.approval is not None
    assert made.approval.decided_by == "system"


def test_the_proposer_cannot_approve_what_weighs(propose: Propose, operator: Operator, approver: Operator) -> None:
    made = propose("refund", order="A-1", cents=5, by=approver)
    with pytest.raises(NotAllowed, match="somebody else"):
        governance.approve(made.id, by=approver)
    with pytest.raises(NotAllowed, match="the scope billing"):
        governance.approve(made.id, by=operator)
    assert status(made) == ApprovalStatus.PENDING


def test_a_reason_is_needed_to_say_no_or_later(propose: Propose, second_operator: Operator) -> None:
    made = propose("reship", order="A-1")
    for decide in (governance.reject, governance.defer):
        with pytest.raises(InvalidInput):
            decide(made.id, by=second_operator, reason="  ")
    assert steps(made) == ["proposal_created", "approval_requested"]
    governance.reject(made.id, by=second_operator, reason="Not ours")
    with pytest.raises(InvalidTransition):
        governance.approve(made.id, by=second_operator)


def test_a_deferred_one_comes_back_on_its_date(propose: Propose, second_operator: Operator, run_jobs: RunJobs) -> None:
    made = propose("reship", order="A-1")
    governance.defer(made.id, by=second_operator, reason="After the holiday", until=now() + timedelta(days=5))
    run_jobs()
    assert status(made) == ApprovalStatus.DEFERRED
    with at(now() + timedelta(days=3)):
        run_jobs()
        assert status(made) == ApprovalStatus.DEFERRED, "its time runs from its return"
    with at(now() + timedelta(days=5, minutes=1)):
        run_jobs()
        assert status(made) == ApprovalStatus.PENDING
        governance.approve(made.id, by=second_operator)
    with pytest.raises(InvalidInput):
        governance.defer(made.id, by=second_operator, reason="x", until=now())


def test_only_the_proposer_withdraws(propose: Propose, operator: Operator, second_operator: Operator) -> None:
    made = propose("reship", order="A-1")
    with pytest.raises(NotAllowed):
        governance.withdraw(made.id, by=second_operator)
    governance.withdraw(made.id, by=operator)
    assert status(made) == ApprovalStatus.WITHDRAWN


def test_what_nobody_decides_expires(propose: Propose, second_operator: Operator, run_jobs: RunJobs) -> None:
    made = propose("reship", order="A-1")
    with at(now() + timedelta(hours=49)):
        with pytest.raises(InvalidTransition, match="Nobody decided in time"):
            governance.approve(made.id, by=second_operator)
        assert status(made) == ApprovalStatus.EXPIRED
        run_jobs()
    assert steps(made)[-1] == "expired"
    other = propose("reship", order="A-2")
    with at(now() + timedelta(hours=49)):
        run_jobs()
        assert status(other) == ApprovalStatus.EXPIRED
    assert RUNS == []


def test_altered_inputs_are_refused(propose: Propose, second_operator: Operator) -> None:
    made = propose("reship", order="A-1")
    session().execute(text('UPDATE cairnloop.cairnloop_tool_proposals SET input = \'{"order": "B-2"}\''))
    session().commit()
    with pytest.raises(InvalidTransition, match="no longer what was proposed"):
        governance.approve(made.id, by=second_operator)
    assert status(made) == ApprovalStatus.INVALIDATED


def test_an_approver_who_saw_something_else_is_refused(propose: Propose, second_operator: Operator) -> None:
    made = propose("reship", order="A-1")
    with pytest.raises(InvalidTransition):
        governance.approve(made.id, by=second_operator, seen="0" * 64)
    assert status(made) == ApprovalStatus.INVALIDATED


def test_a_tool_that_changed_is_refused(propose: Propose, approver: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    made = propose("refund", order="A-1", cents=5)
    monkeypatch.setattr(Refund, "version", classmethod(lambda cls: "another"))
    with pytest.raises(InvalidTransition):
        governance.approve(made.id, by=approver)
    assert status(made) == ApprovalStatus.INVALIDATED


def test_another_tenant_sees_nothing(propose: Propose) -> None:
    made = propose("reship", order="A-1")
    stranger = Operator(id="eve", name="Eve", scopes=frozenset({"support"}), tenant="other")
    for verb in (governance.approve, governance.withdraw):
        with pytest.raises(NotFound):
            verb(made.id, by=stranger)
    with pytest.raises(NotFound):
        governance.get_proposal(made.id, visible_to=stranger)
    assert list(governance.waiting(visible_to=stranger)) == []


def test_fifty_deciders_make_one_decision(app: Flask, propose: Propose) -> None:
    made = propose("reship", order="A-1")
    start = threading.Barrier(50)
    outcomes: list[str] = []

    def decide(number: int) -> None:
        who = Operator(id=f"op{number}", name="Op", scopes=frozenset({"support"}))
        with app.app_context():
            start.wait()
            try:
                if number % 2:
                    governance.approve(made.id, by=who)
                else:
                    governance.reject(made.id, by=who, reason="no")
                outcomes.append("decided")
            except CairnloopError as refusal:
                outcomes.append(type(refusal).__name__)
            finally:
                session().close()

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["InvalidTransition"] * 49 + ["decided"]
    assert [step for step in steps(made) if step in ("approved", "rejected")].__len__() == 1


def test_what_waits_is_listed_by_risk_then_age(propose: Propose, operator: Operator) -> None:
    low, other, high = (
        propose("reship", order="A-1"),
        propose("picky", order="A"),
        propose("refund", order="A", cents=1),
    )
    assert [each.id for each in governance.waiting(visible_to=operator)] == [high.id, low.id, other.id]
    assert [each.id for each in governance.waiting(visible_to=operator, after=high)] == [low.id, other.id]
    assert governance.count_waiting(visible_to=operator) == 3


def test_the_trail_cannot_be_changed(propose: Propose) -> None:
    propose("reship", order="A-1")
    with pytest.raises(DBAPIError, match="append-only"), transaction() as db:
        db.execute(text("UPDATE cairnloop.cairnloop_tool_action_events SET reason = 'x'"))

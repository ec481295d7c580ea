from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from flask_cairnloop import HostFailure, InvalidTransition, Operator, conversations, governance
from flask_cairnloop.conversations import MessageRole
from flask_cairnloop.core import work
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import engine, session
from flask_cairnloop.governance import ApprovalStatus, ToolProposal, execution
from flask_cairnloop.governance.tools import InternalNote
from flask_cairnloop.host.people import Customer
from tests.governance.conftest import Propose
from tests.governance.test_approvals import status, steps
from tests.governance.tools import RUNS, TOOLS, TROUBLE, Reship

RunJobs = Callable[..., int]
Approved = Callable[..., ToolProposal]


@pytest.fixture
def approved(propose: Propose, approver: Operator) -> Approved:
    """A proposal somebody approved."""

    def make(tool: str, **params: object) -> ToolProposal:
        made = propose(tool, **params)
        return governance.approve(made.id, by=approver)

    return make


def test_it_runs_once_however_often_it_is_carried(approved: Approved, run_jobs: RunJobs) -> None:
    made = approved("refund", order="A-1", cents=5)
    assert made.approval is not None
    run_jobs()
    execution.execute_approval(approval_id=made.approval.id)
    execution.execute_approval(approval_id=made.approval.id)
    assert len(RUNS) == 1
    assert len(RUNS[0][1]) == 64


def test_a_scope_taken_away_stops_it(
    approved: Approved, run_jobs: RunJobs, staff: dict[str, Operator], operator: Operator
) -> None:
    made = approved("reship", order="A-1")
    staff[operator.id] = replace(operator, scopes=frozenset())
    run_jobs()
    assert status(made) == ApprovalStatus.INVALIDATED
    assert made.approval is not None
    assert made.approval.outcome == "Missing scope: support."
    gone = approved("reship", order="A-2")
    del staff[operator.id]
    run_jobs()
    assert status(gone) == ApprovalStatus.INVALIDATED
    assert RUNS == []


def test_inputs_altered_after_the_approval_stop_it(approved: Approved, run_jobs: RunJobs) -> None:
    made = approved("reship", order="A-1")
    session().execute(text('UPDATE cairnloop.cairnloop_tool_proposals SET input = \'{"order": "B-2"}\''))
    session().commit()
    run_jobs()
    assert status(made) == ApprovalStatus.INVALIDATED
    assert RUNS == []


def test_a_schema_changed_after_the_approval_stops_it(
    approved: Approved, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = approved("reship", order="A-1")
    monkeypatch.setattr(Reship, "version", classmethod(lambda cls: "another"))
    run_jobs()
    assert status(made) == ApprovalStatus.INVALIDATED
    assert RUNS == []


def test_an_approval_that_lay_too_long_does_not_run(approved: Approved, run_jobs: RunJobs) -> None:
    made = approved("reship", order="A-1")
    with at(now() + timedelta(hours=49)):
        run_jobs()
        assert status(made) == ApprovalStatus.EXPIRED
    assert RUNS == []


def test_a_tool_that_fails_is_not_tried_again_unless_it_may_be(approved: Approved, run_jobs: RunJobs) -> None:
    TROUBLE[:] = [RuntimeError("boom")]
    made = approved("refund", order="A-1", cents=5)
    run_jobs()
    assert status(made) == ApprovalStatus.EXECUTION_FAILED
    assert made.approval is not None
    assert made.approval.outcome == "RuntimeError in tool"
    TROUBLE[:] = [RuntimeError("boom"), HostFailure("busy")]
    again = approved("reship", order="A-1")
    for minutes in (0, 1, 2):
        with at(now() + timedelta(minutes=minutes)):
            run_jobs()
    assert status(again) == ApprovalStatus.EXECUTED
    keys = [key for name, key in RUNS if name == "reship"]
    assert len(keys) == 3
    assert len(set(keys)) == 1, "one key for every attempt"
    assert steps(again).count("execution_attempt_failed") == 2


def test_a_permanent_refusal_ends_even_an_idempotent_one(approved: Approved, run_jobs: RunJobs) -> None:
    TROUBLE[:] = [HostFailure("No such order", permanent=True)]
    made = approved("reship", order="A-1")
    run_jobs()
    assert status(made) == ApprovalStatus.EXECUTION_FAILED
    assert made.approval is not None
    assert made.approval.outcome == "No such order"


def test_trying_again_comes_to_an_end(approved: Approved, run_jobs: RunJobs) -> None:
    TROUBLE[:] = [RuntimeError("boom")] * 9
    made = approved("reship", order="A-1")
    for hours in range(8):
        with at(now() + timedelta(hours=hours)):
            run_jobs()
    assert status(made) == ApprovalStatus.EXECUTION_FAILED
    assert len(RUNS) == execution.ATTEMPTS


def test_a_tool_that_hangs_is_cut_and_left_for_a_person(
    approved: Approved, run_jobs: RunJobs, second_operator: Operator
) -> None:
    made = approved("sleep")
    started = time.monotonic()
    run_jobs()
    assert time.monotonic() - started < 5
    assert status(made) == ApprovalStatus.OUTCOME_UNKNOWN
    assert [each.id for each in governance.waiting(visible_to=second_operator)] == [made.id]
    governance.settle(made.id, by=second_operator, happened=False, reason="Nothing in the shop's log")
    assert status(made) == ApprovalStatus.EXECUTION_FAILED
    with pytest.raises(InvalidTransition):
        governance.settle(made.id, by=second_operator, happened=True, reason="x")


@pytest.mark.parametrize(("what", "outcome"), [("none", "Done."), ("object", "Done."), ("nul", "ab")])
def test_odd_answers_are_put_into_words(approved: Approved, run_jobs: RunJobs, what: str, outcome: str) -> None:
    made = approved("odd", what=what)
    run_jobs()
    assert made.approval is not None
    session().refresh(made.approval)
    assert (made.approval.status, made.approval.outcome) == (ApprovalStatus.EXECUTED, outcome)


def test_a_returned_failure_counts_as_raised(approved: Approved, run_jobs: RunJobs) -> None:
    made = approved("odd", what="failure")
    run_jobs()
    assert status(made) == ApprovalStatus.EXECUTION_FAILED


def test_a_claim_without_an_outcome_is_never_run_again(app: Flask, approved: Approved) -> None:
    once, often = approved("refund", order="A-1", cents=5), approved("reship", order="A-1")
    for made in (once, often):
        assert made.approval is not None
        assert execution._claim(made.approval.id) is not None
    work.run_due()
    assert status(once) == ApprovalStatus.OUTCOME_UNKNOWN
    assert status(often) == ApprovalStatus.EXECUTED
    assert [name for name, _ in RUNS] == ["reship"]
    assert steps(once)[-1] == "outcome_lost"


def test_nothing_is_locked_while_a_tool_runs(
    app: Flask, approved: Approved, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = approved("reship", order="A-1")
    free: list[bool] = []

    def look(self: Reship, actor_id: str, context: object) -> None:
        with engine().connect() as other:
            for table in ("proposals", "approvals"):
                other.execute(text(f"SELECT id FROM cairnloop.cairnloop_tool_{table} FOR UPDATE NOWAIT"))
            free.append(True)

    monkeypatch.setattr(Reship, "run", look)
    run_jobs()
    assert status(made) == ApprovalStatus.EXECUTED
    assert free == [True]


class TestInternalNote:
    @pytest.fixture
    def host_settings(self, host_settings: dict[str, object]) -> dict[str, object]:
        return host_settings | {"CAIRNLOOP_TOOLS": (*TOOLS, InternalNote)}

    def test_a_note_is_left_once_in_its_own_conversation(
        self, app: Flask, operator: Operator, customer: Customer, run_jobs: RunJobs
    ) -> None:
        first = conversations.receive_from(customer, "Where is it?").conversation_id
        conversations.resolve(first, by=operator)
        conversations.archive(first, by=operator)
        second = conversations.receive_from(customer, "Hello again").conversation_id
        made = [
            governance.propose("internal_note", {"content": "Call the depot"}, by=operator, conversation_id=number)
            for number in (first, second)
        ]
        assert made[0].id != made[1].id
        for each in made:
            governance.approve(each.id, by=operator)
            assert each.approval is not None
        run_jobs()
        notes = [m for m in conversations.timeline(second, visible_to=operator) if m.role == MessageRole.INTERNAL_NOTE]
        assert [note.content for note in notes] == ["Call the depot"]
        assert all(m.role != MessageRole.INTERNAL_NOTE for m in conversations.timeline(second, visible_to=customer))

    def test_a_note_needs_a_conversation(self, app: Flask, operator: Operator) -> None:
        made = governance.propose("internal_note", {"content": "x"}, by=operator)
        assert made.reason == "A note needs a conversation."

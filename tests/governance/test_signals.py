from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask

from flask_cairnloop import HostFailure, InvalidInput, Operator, governance, signals
from flask_cairnloop.governance import ToolProposal
from tests.governance.conftest import Propose
from tests.governance.tools import TROUBLE

RunJobs = Callable[..., int]
Heard = list[tuple[str, dict[str, Any], dict[str, Any]]]
EVENTS = (
    signals.proposal_created,
    signals.proposal_blocked,
    signals.proposal_duplicate,
    signals.action_executed,
    signals.action_failed,
    signals.approval_transition,
)


@pytest.fixture
def heard(app: Flask) -> Iterator[Heard]:
    """What a host's subscribers are told: name, measurements, metadata."""
    told: Heard = []

    def listen(event: Any) -> Callable[..., None]:
        def hear(sender: Flask, *, measurements: dict[str, Any], metadata: dict[str, Any], **_: Any) -> None:
            assert sender is app
            metadata = metadata | {"id": metadata["proposal"].id}
            told.append((event.name.removeprefix("cairnloop.governance."), measurements, metadata))

        return hear

    with ExitStack() as stack:
        for event in EVENTS:
            stack.enter_context(event.connected_to(listen(event), sender=app))
        yield told


def names(heard: Heard) -> list[str]:
    return [name for name, _, _ in heard]


def moves(heard: Heard) -> list[tuple[str, str | None, str]]:
    found = [metadata for name, _, metadata in heard if name == "approval_transition"]
    return [(each["event_type"], each["from_status"], each["to_status"]) for each in found]


def test_the_whole_way_of_an_action_is_told(
    propose: Propose, approver: Operator, operator: Operator, run_jobs: RunJobs, heard: Heard
) -> None:
    made = propose("refund", order="A-1", cents=5)
    governance.approve(made.id, by=approver)
    run_jobs()
    assert names(heard) == ["proposal_created", *["approval_transition"] * 3, "action_executed"]
    assert moves(heard) == [
        ("approval_requested", None, "pending"),
        ("approved", "pending", "approved"),
        ("revalidation_passed", "approved", "execution_pending"),
    ]
    created, executed = heard[0][2], heard[-1][2]
    assert (created["outcome"], created["risk_tier"], created["approval_mode"]) == (
        "proposed",
        "high_write",
        "requires_approval",
    )
    assert created["actor"] == operator
    assert heard[2][2]["actor"] == approver
    assert (executed["id"], executed["tool"]) == (made.id, "refund")
    assert 0 <= heard[-1][1]["duration_seconds"] < 60


def test_a_refusal_and_a_repetition_are_told(propose: Propose, heard: Heard) -> None:
    propose("picky", order="deny")
    propose("refund", order="A-1", cents=0)
    propose("refund", by=Operator(id="new", name="New"), order="A-1", cents=1)
    assert [(name, metadata["outcome"]) for name, _, metadata in heard] == [
        ("proposal_blocked", "policy_denied"),
        ("proposal_blocked", "needs_input"),
        ("proposal_blocked", "scope_invalid"),
    ]
    heard.clear()
    first = propose("reship", order="A-1")
    heard.clear()
    propose("reship", order="A-1")
    ((name, _, metadata),) = heard
    assert (name, metadata["outcome"], metadata["id"]) == ("proposal_duplicate", "duplicate", first.id)


def test_a_failure_is_told_when_it_is_not_tried_again(
    propose: Propose, approver: Operator, run_jobs: RunJobs, heard: Heard
) -> None:
    TROUBLE[:] = [HostFailure("No such order", permanent=True)]
    made = propose("reship", order="A-1")
    governance.approve(made.id, by=approver)
    run_jobs()
    assert names(heard)[-1] == "action_failed"
    assert "action_executed" not in names(heard)


def test_a_lost_outcome_and_its_settlement_are_moves_and_no_executions(
    propose: Propose, approver: Operator, run_jobs: RunJobs, heard: Heard
) -> None:
    made = propose("sleep")
    governance.approve(made.id, by=approver)
    run_jobs()
    governance.settle(made.id, by=approver, happened=True, reason="It is in the log")
    assert moves(heard)[-2:] == [
        ("outcome_lost", "execution_pending", "outcome_unknown"),
        ("settled", "outcome_unknown", "executed"),
    ]
    assert not {"action_executed", "action_failed"} & set(names(heard))


def test_what_was_not_saved_is_not_told(propose: Propose, operator: Operator, heard: Heard) -> None:
    made = propose("reship", order="A-1")
    heard.clear()
    with pytest.raises(InvalidInput):
        governance.reject(made.id, by=operator, reason=" ")
    assert heard == []


def test_a_subscriber_that_fails_changes_nothing(app: Flask, propose: Propose) -> None:
    def fail(sender: Flask, **_: Any) -> None:
        raise RuntimeError("down")

    with signals.proposal_created.connected_to(fail, sender=app):
        made: ToolProposal = propose("reship", order="A-1")
    assert made.approval is not None

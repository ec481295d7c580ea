from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_cairnloop import InvalidInput, NotFound, Operator, governance
from flask_cairnloop.core.database import session
from flask_cairnloop.governance import ApprovalStatus, ProposalStatus, ToolActionEvent, ToolProposal, UnknownTool
from tests.governance.conftest import Propose
from tests.governance.tools import RUNS


def test_an_unknown_tool_stores_nothing(app: Flask, propose: Propose) -> None:
    with pytest.raises(UnknownTool):
        propose("tests.governance.tools.Refund")
    assert session().scalar(select(func.count(ToolProposal.id))) == 0


def test_bad_input_is_stored_with_a_reason_for_each_field(propose: Propose) -> None:
    made = propose("refund", order="A-1", cents=0, colour="red")
    assert made.status == ProposalStatus.NEEDS_INPUT
    assert set(made.errors) == {"cents", "colour"}
    assert "cents" in made.reason
    assert (made.approval, made.is_live) == (None, False)


def test_missing_scopes_are_named(propose: Propose) -> None:
    made = propose("refund", by=Operator(id="new", name="New"), order="A-1", cents=5)
    assert made.status == ProposalStatus.SCOPE_INVALID
    assert made.reason == "Missing scope: support."
    assert (made.required_scopes, made.held_scopes) == (["support"], [])


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("deny", "The order has left the house."),
        ("none", "The tool did not say that this is allowed."),
        ("yes", "The tool did not say that this is allowed."),
        ("raise", "It could not be decided whether this is allowed: RuntimeError in tool"),
    ],
)
def test_whatever_is_not_an_explicit_yes_denies(propose: Propose, order: str, reason: str) -> None:
    made = propose("picky", order=order)
    assert (made.status, made.reason) == (ProposalStatus.POLICY_DENIED, reason)
    assert made.approval is None


def test_a_tool_without_a_policy_denies(propose: Propose) -> None:
    assert propose("undeclared").reason == "This action has no policy: its tool does not say who may use it."


def test_input_is_judged_before_scopes_and_scopes_before_policy(propose: Propose) -> None:
    nobody = Operator(id="new", name="New")
    assert propose("picky", by=nobody).status == ProposalStatus.NEEDS_INPUT
    assert propose("picky", by=nobody, order="deny").status == ProposalStatus.SCOPE_INVALID
    assert propose("picky", order="deny").status == ProposalStatus.POLICY_DENIED


def test_what_destroys_never_runs(propose: Propose, run_jobs) -> None:  # type: ignore[no-untyped-def]
    made = propose("close_account", account="7")
    assert (made.status, made.reason) == (ProposalStatus.POLICY_DENIED, "This action is blocked: it never runs.")
    run_jobs()
    assert RUNS == []


def test_a_blocked_request_leaves_one_event_and_never_stands_in_the_way(propose: Propose) -> None:
    nobody = Operator(id="ada", name="Ada")
    blocked = propose("reship", by=nobody, order="A-1")
    again = propose("reship", by=nobody, order="A-1")
    good = propose("reship", order="A-1")
    assert len({blocked.id, again.id, good.id}) == 3
    assert good.status == ProposalStatus.PROPOSED
    events = session().scalars(select(ToolActionEvent).where(ToolActionEvent.proposal_id == blocked.id)).all()
    assert [event.type for event in events] == ["proposal_blocked"]


def test_the_same_request_again_is_the_same_proposal(propose: Propose) -> None:
    first = propose("reship", order="A-1")
    assert propose("reship", carrier="post", order="A-1").id == first.id
    assert propose("reship", carrier="courier", order="A-1").id != first.id


def test_a_finished_request_can_be_made_again(propose: Propose, operator: Operator) -> None:
    first = propose("reship", order="A-1")
    governance.reject(first.id, by=operator, reason="Wrong order")
    assert propose("reship", order="A-1").id != first.id


def test_a_token_names_the_request(app: Flask, operator: Operator) -> None:
    def ask(cents: int, token: str) -> ToolProposal:
        return governance.propose("refund", {"order": "A-1", "cents": cents}, by=operator, token=token)

    first = ask(5, "t-1")
    assert ask(5, "t-1").id == first.id
    assert ask(5, "t-2").id != first.id
    with pytest.raises(InvalidInput, match="used for another request"):
        ask(6, "t-1")
    with pytest.raises(InvalidInput):
        ask(6, "")


def test_a_conversation_of_another_tenant_cannot_be_acted_on(app: Flask, operator: Operator) -> None:
    with pytest.raises(NotFound):
        governance.propose("reship", {"order": "A-1"}, by=operator, conversation_id=999)


def test_what_is_shown_is_frozen_and_masked(propose: Propose) -> None:
    made = propose("refund", order="A-1", cents=500, card="4242", api_token="t")
    shown = propose("reship", order="A-1")
    assert shown.title == "Send again"
    assert shown.consequence == "Sends order A-1 again by post."
    from tests.governance.tools import Refund

    masked = Refund.tool_spec().mask(made.input)
    assert masked == {"order": "A-1", "cents": 500, "card": "••••••", "api_token": "••••••"}


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "💥" * 500, "'; DROP TABLE", "{{7*7}}"])
def test_any_text_can_be_asked_for(propose: Propose, text: str) -> None:
    made = propose("reship", order=text)
    assert made.status in (ProposalStatus.PROPOSED, ProposalStatus.NEEDS_INPUT)
    bad = propose("refund", order=text, cents=text)
    assert bad.status == ProposalStatus.NEEDS_INPUT


def test_an_input_without_measure_is_refused(propose: Propose) -> None:
    with pytest.raises(InvalidInput):
        propose("reship", order="x" * 100_000)


def test_a_setting_can_only_tighten(app: Flask, propose: Propose) -> None:
    assert propose("look_up_order", order="A-17").mode == "auto"
    assert propose("look_up_order", order="A-17").approval.status == ApprovalStatus.APPROVED  # type: ignore[union-attr]


class TestOverrides:
    @pytest.fixture
    def host_settings(self, host_settings: dict[str, object]) -> dict[str, object]:
        modes = {"look_up_order": "requires_approval", "refund": "auto", "reship": "always_block"}
        return host_settings | {"CAIRNLOOP_APPROVAL_OVERRIDES": modes}

    def test_a_setting_tightens_and_never_loosens(self, propose: Propose) -> None:
        assert propose("look_up_order", order="A-17").mode == "requires_approval"
        assert propose("refund", order="A-1", cents=5).mode == "requires_approval"
        assert propose("reship", order="A-1").status == ProposalStatus.POLICY_DENIED

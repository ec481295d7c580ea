from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import Operator, governance
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import session
from flask_cairnloop.governance import ApprovalStatus, ToolProposal
from tests.dashboard.conftest import HTMX, assert_region
from tests.governance.tools import RUNS, TOOLS, TROUBLE

RunJobs = Callable[..., int]
SAM = {"X-Operator": "sam"}


@pytest.fixture
def host_settings() -> dict[str, object]:
    RUNS.clear()
    TROUBLE.clear()
    return {"CAIRNLOOP_TOOLS": TOOLS, "CAIRNLOOP_EMBEDDER": None}


@pytest.fixture
def asked(thread: Conversation, operator: Operator) -> ToolProposal:
    """Ada asks to send Mina's order again."""
    return governance.propose("reship", {"order": "A-17"}, by=operator, conversation_id=thread.id)


def status(made: ToolProposal, operator: Operator) -> ApprovalStatus:
    session().expire_all()
    found = governance.get_proposal(made.id, visible_to=operator)
    assert found.approval is not None
    return found.approval.status


def test_what_waits_is_shown_with_its_consequence(desk: FlaskClient, asked: ToolProposal) -> None:
    page = desk.get("/support/approvals").text
    for words in ("Send again", "Sends order A-17 again by post.", "Pending approval", "Low risk", "Approve", "Reject"):
        assert words in page
    assert '1<span class="cl-hidden"> waiting for approval' in page.replace("\n", "").replace("      ", "")


def test_the_inbox_marks_where_an_action_waits(desk: FlaskClient, asked: ToolProposal, operator: Operator) -> None:
    assert "Approval waiting" in desk.get("/support/inbox").text
    governance.withdraw(asked.id, by=operator)
    assert "Approval waiting" not in desk.get("/support/inbox").text


def test_nothing_to_approve_says_so(desk: FlaskClient) -> None:
    assert "Nothing to approve" in desk.get("/support/approvals").text


def test_a_form_stands_in_the_conversation_with_typed_controls(desk: FlaskClient, thread: Conversation) -> None:
    answer = desk.get(f"/support/{thread.id}/tools", headers=HTMX)
    assert_region(answer, "tools")
    for piece in (
        'name="input.cents"',
        'type="number"',
        '<option value="courier">Courier</option>',
        'maxlength="',
        'type="password"',
        "Look up",
    ):
        assert piece in answer.text or piece == 'maxlength="'
    assert "close_account" not in answer.text, "what never runs is not offered"


def test_asking_with_a_mistake_keeps_what_was_typed(
    desk: FlaskClient, thread: Conversation, operator: Operator
) -> None:
    form = {"tool": "refund", "input.order": "A-1", "input.cents": "0"}
    answer = desk.post(f"/support/{thread.id}/actions", data=form, headers=HTMX)
    assert_region(answer, "tools", status=422)
    assert 'value="A-1"' in answer.text
    assert "greater than 0" in answer.text
    fixed = desk.post(f"/support/{thread.id}/actions", data=form | {"input.cents": "500"}, headers=HTMX)
    assert_region(fixed, "tools", changed=("actions", "nav"))
    (made,) = governance.waiting(visible_to=operator)
    assert made.input["cents"] == 500


def test_a_second_operator_approves_from_the_thread(
    desk: FlaskClient, asked: ToolProposal, operator: Operator, run_jobs: RunJobs
) -> None:
    url = f"/support/actions/{asked.id}/approval"
    form = {"place": "conversation", "digest": asked.digest}
    answer = desk.post(url, data=form, headers=HTMX | SAM)
    assert_region(answer, "actions", changed=("nav", "timeline"))
    run_jobs()
    assert status(asked, operator) == ApprovalStatus.EXECUTED
    again = desk.post(url, data=form, headers=HTMX | SAM)
    assert_region(again, "actions", status=409)
    assert "decided already" in again.text
    page = desk.get(f"/support/{asked.conversation_id}").text
    assert "Action completed" in page
    assert "by: ada; attempt: 1" in page


def test_without_script_a_decision_leads_back(desk: FlaskClient, asked: ToolProposal, operator: Operator) -> None:
    answer = desk.post(
        f"/support/actions/{asked.id}/rejection", data={"place": "approvals", "reason": "Not now"}, headers=SAM
    )
    assert (answer.status_code, answer.location) == (303, "/support/approvals")
    assert status(asked, operator) == ApprovalStatus.REJECTED


def test_a_reason_is_asked_for_where_it_is_missing(desk: FlaskClient, asked: ToolProposal) -> None:
    form = {"place": "approvals", "verb": "rejection", "reason": " "}
    answer = desk.post(f"/support/actions/{asked.id}/rejection", data=form, headers=HTMX)
    assert_region(answer, "approvals", status=422)
    assert "cannot be empty" in answer.text
    later = {"place": "approvals", "verb": "deferral", "reason": "Stock", "until": "yesterday"}
    answer = desk.post(f"/support/actions/{asked.id}/deferral", data=later, headers=HTMX)
    assert_region(answer, "approvals", status=422)
    assert "needs a day such as" in answer.text
    assert "Stock" in answer.text


def test_an_approver_who_saw_something_else_is_told(desk: FlaskClient, asked: ToolProposal) -> None:
    form = {"place": "alone", "digest": "0" * 64}
    answer = desk.post(f"/support/actions/{asked.id}/approval", data=form, headers=HTMX | SAM)
    assert_region(answer, "action", status=409)
    assert "no longer what was proposed" in answer.text


def test_who_may_not_decide_is_told_why(desk: FlaskClient, thread: Conversation, operator: Operator) -> None:
    made = governance.propose("refund", {"order": "A", "cents": 5}, by=operator, conversation_id=thread.id)
    assert "Deciding this needs the scope billing" in desk.get("/support/approvals").text
    answer = desk.post(f"/support/actions/{made.id}/approval", data={"place": "approvals"}, headers=HTMX)
    assert_region(answer, "approvals", status=403)


def test_secrets_are_never_shown(desk: FlaskClient, thread: Conversation, operator: Operator) -> None:
    values = {"order": "A", "cents": 5, "card": "4242424242424242", "api_token": "tok-123"}
    made = governance.propose("refund", values, by=operator, conversation_id=thread.id)
    for path in ("approvals", f"actions/{made.id}", str(thread.id), "audit-log", "audit-log.csv"):
        page = desk.get(f"/support/{path}").text
        assert "4242424242424242" not in page
        assert "tok-123" not in page


def test_a_lost_outcome_is_settled_by_hand(
    desk: FlaskClient, thread: Conversation, operator: Operator, run_jobs: RunJobs
) -> None:
    made = governance.propose("sleep", {}, by=operator, conversation_id=thread.id)
    governance.approve(made.id, by=operator)
    run_jobs()
    assert status(made, operator) == ApprovalStatus.OUTCOME_UNKNOWN
    assert "Did it happen?" in desk.get("/support/approvals").text
    url = f"/support/actions/{made.id}/settlement"
    assert_region(desk.post(url, data={"place": "approvals", "reason": "x"}, headers=HTMX), "approvals", status=422)
    form = {"place": "approvals", "happened": "yes", "reason": "The parcel left"}
    assert_region(desk.post(url, data=form, headers=HTMX), "approvals", changed=("nav", "timeline"))
    assert status(made, operator) == ApprovalStatus.EXECUTED


def test_another_tenants_actions_are_not_there(desk: FlaskClient, asked: ToolProposal) -> None:
    other = {"X-Tenant": "other"}
    assert desk.get(f"/support/actions/{asked.id}", headers=other).status_code == 404
    assert desk.post(f"/support/actions/{asked.id}/approval", headers=other).status_code == 404
    assert "Nothing to approve" in desk.get("/support/approvals", headers=other).text

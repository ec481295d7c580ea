from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from flask_cairnloop import Operator, conversations, drafts, governance
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.host.automation_policy import Decision
from tests.dashboard.conftest import HTMX, Propose, assert_region
from tests.governance.tools import TOOLS


def test_home_shows_who_waits_and_what_waits_for_a_decision(
    desk: FlaskClient, thread: Conversation, propose: Propose
) -> None:
    propose(thread)
    page = desk.get("/support/").text
    assert "Mina Park" in page
    assert "An invoice" in page
    assert "A refund takes five days." in page
    assert f'href="/support/{thread.id}"' in page


def test_every_number_leads_to_exactly_its_rows(desk: FlaskClient, thread: Conversation, propose: Propose) -> None:
    propose(thread)
    page = desk.get("/support/").text
    assert '<a href="/support/inbox">Needs a reply' in page
    assert '<a href="/support/drafts">Waits for your decision' in page
    assert f'href="/support/{thread.id}"' in desk.get("/support/inbox").text
    assert "A refund takes five days." in desk.get("/support/drafts").text


def test_an_empty_desk_says_so_calmly(desk: FlaskClient) -> None:
    page = desk.get("/support/").text
    assert "Nobody is waiting" in page
    assert "Nothing to decide" in page


def test_urgent_conversations_have_a_lane_while_there_are_any(
    desk: FlaskClient, thread: Conversation, operator: Operator
) -> None:
    assert '<h2><a href="/support/inbox?priority=urgent">' not in desk.get("/support/").text
    conversations.set_priority(thread.id, "urgent", by=operator)
    assert '<h2><a href="/support/inbox?priority=urgent">' in desk.get("/support/").text


def test_a_draft_the_policy_keeps_back_waits_for_nobody(
    desk: FlaskClient, thread: Conversation, propose: Propose
) -> None:
    propose(thread, decision=Decision.DRAFT_ONLY)
    assert "Nothing to decide" in desk.get("/support/").text


def test_a_number_that_cannot_be_read_says_so_and_is_no_zero(
    desk: FlaskClient, thread: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> int:
        raise OperationalError("SELECT", {}, Exception("canceling statement due to statement timeout"))

    monkeypatch.setattr(drafts, "longest_waiting", away)
    response = desk.get("/support/")
    assert response.status_code == 200
    assert "This could not be read just now" in response.text
    assert "Nothing to decide" not in response.text
    assert "Mina Park" in response.text  # the other lanes stand


class TestActions:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_TOOLS": TOOLS, "CAIRNLOOP_EMBEDDER": None}

    def test_what_waits_for_a_person_has_a_lane_while_there_is_any(
        self, desk: FlaskClient, thread: Conversation, operator: Operator
    ) -> None:
        assert "Actions waiting" not in desk.get("/support/").text
        made = governance.propose("reship", {"order": "A-17"}, by=operator, conversation_id=thread.id)
        page = desk.get("/support/").text
        assert '<a href="/support/approvals">Actions waiting' in page
        assert "Sends order A-17 again by post." in page
        assert f'href="/support/actions/{made.id}"' in page
        assert "A-17" not in desk.get("/support/", headers={"X-Tenant": "acme"}).text
        governance.reject(made.id, by=operator, reason="Not now")
        assert "Actions waiting" not in desk.get("/support/").text

    def test_where_they_cannot_be_read_the_lane_says_so(
        self, desk: FlaskClient, thread: Conversation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(**_: object) -> int:
            raise OperationalError("SELECT", {}, Exception("canceling statement due to statement timeout"))

        monkeypatch.setattr(governance, "waiting", away)
        page = desk.get("/support/").text
        assert "Actions waiting" in page
        assert "This could not be read just now" in page
        assert "Mina Park" in page


def test_the_region_refreshes_the_lanes_alone(desk: FlaskClient, thread: Conversation) -> None:
    response = desk.get("/support/home", headers=HTMX)
    assert_region(response, "home")
    assert "Mina Park" in response.text


def test_another_tenant_sees_nothing_of_it(desk: FlaskClient, thread: Conversation, propose: Propose) -> None:
    propose(thread)
    assert "Mina Park" in desk.get("/support/").text
    page = desk.get("/support/", headers={"X-Tenant": "acme"}).text
    assert "Mina Park" not in page
    assert "A refund takes five days." not in desk.get("/support/drafts", headers={"X-Tenant": "acme"}).text

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import ContextProvider, Customer, HostFailure, Operator, conversations
from flask_cairnloop.conversations import Conversation, ConversationStatus
from flask_cairnloop.core.database import session
from tests.dashboard.conftest import HTMX, Ask, assert_region

CLOSED = ("timeline", "draft", "composer", "inbox-list", "nav")


def now(thread: Conversation) -> Conversation:
    session().expire_all()
    return conversations.get(thread.id, visible_to=Operator(id="x", name="X"))


def test_the_screen_shows_list_thread_and_composer_in_one_answer(
    desk: FlaskClient, thread: Conversation, operator: Operator
) -> None:
    conversations.tag(thread.id, ["billing"], by=operator)
    page = desk.get(f"/support/{thread.id}").text
    for region in (
        "nav",
        "inbox-list",
        "header",
        "timeline",
        "seen",
        "customer-typing",
        "draft",
        "composer",
        "context",
        "others",
    ):
        assert page.count(f'id="{region}"') == 1, region
    assert '<h1 title="An invoice">An invoice</h1>' in page
    assert "Where is my invoice?" in page
    assert "billing" in page
    assert f"/support/live?conversation={thread.id}" in page
    assert page.count("<h1") == 1


def test_opening_it_marks_it_read(desk: FlaskClient, thread: Conversation) -> None:
    assert "Unread" in desk.get("/support/inbox").text
    desk.get(f"/support/{thread.id}")
    assert "Unread" not in desk.get("/support/inbox").text


def test_the_list_beside_it_is_the_one_it_was_opened_from(desk: FlaskClient, thread: Conversation, ask: Ask) -> None:
    other = ask(by=Customer("tom", "Tom Alvarez"))
    conversations.resolve(other.id, by=Operator(id="ada", name="Ada Osei"))
    assert f'id="conversation-{other.id}"' not in desk.get(f"/support/{thread.id}").text
    assert f'id="conversation-{other.id}"' in desk.get(f"/support/{thread.id}?view=resolved").text


@pytest.mark.parametrize("path", ["", "/header", "/context", "/others", "/seen", "/customer-typing"])
def test_a_conversation_that_does_not_exist_is_not_found(desk: FlaskClient, path: str) -> None:
    response = desk.get(f"/support/4711{path}")
    assert response.status_code == 404
    assert "There is nothing here" in response.text


def test_every_region_answers_alone(desk: FlaskClient, thread: Conversation) -> None:
    for name in ("header", "context", "others", "seen", "customer-typing", "timeline", "draft", "composer"):
        assert_region(desk.get(f"/support/{thread.id}/{name}", headers=HTMX), name)


def test_resolving_answers_with_the_header_and_names_what_else_changed(
    desk: FlaskClient, thread: Conversation, ask: Ask
) -> None:
    waiting = ask(by=Customer("tom", "Tom Alvarez"))
    response = desk.post(f"/support/{thread.id}/resolution", headers=HTMX)
    assert_region(response, "header", changed=CLOSED)
    assert now(thread).status == ConversationStatus.RESOLVED
    assert now(thread).resolved_by == "ada"
    for act in ("Reopen", "Archive", f'href="/support/{waiting.id}">Next waiting'):
        assert act in response.text


def test_resolving_twice_changes_nothing_more(desk: FlaskClient, thread: Conversation) -> None:
    desk.post(f"/support/{thread.id}/resolution", headers=HTMX)
    first = now(thread).resolved_at
    assert desk.post(f"/support/{thread.id}/resolution", headers=HTMX).status_code == 200
    assert now(thread).resolved_at == first


def test_a_resolved_conversation_can_be_opened_again(desk: FlaskClient, thread: Conversation) -> None:
    desk.post(f"/support/{thread.id}/resolution")
    assert_region(desk.post(f"/support/{thread.id}/reopening", headers=HTMX), "header", changed=CLOSED)
    assert now(thread).status == ConversationStatus.OPEN


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["in place", "without script"])
def test_reopening_beside_an_open_one_is_refused_with_the_reason(
    desk: FlaskClient, thread: Conversation, ask: Ask, headers: dict[str, str]
) -> None:
    desk.post(f"/support/{thread.id}/resolution")
    assert ask().id != thread.id
    response = desk.post(f"/support/{thread.id}/reopening", headers=headers)
    assert response.status_code == 409
    assert "already has an open conversation" in response.text
    assert ("<html" in response.text) is (not headers)
    assert now(thread).status == ConversationStatus.RESOLVED


def test_archiving_puts_it_away_for_good(desk: FlaskClient, thread: Conversation) -> None:
    desk.post(f"/support/{thread.id}/resolution")
    assert_region(desk.post(f"/support/{thread.id}/archival", headers=HTMX), "header", changed=CLOSED)
    page = desk.get(f"/support/{thread.id}").text
    assert "This conversation is archived" in page
    assert "<textarea" not in page
    assert desk.post(f"/support/{thread.id}/reopening", headers=HTMX).status_code == 409


@pytest.mark.parametrize("act", ["resolution", "reopening", "archival", "details"])
def test_without_script_a_change_leads_back_to_the_screen(desk: FlaskClient, thread: Conversation, act: str) -> None:
    response = desk.post(f"/support/{thread.id}/{act}", data={"subject": "Same", "priority": "low"})
    assert response.status_code == 303
    assert response.location == f"/support/{thread.id}"


def test_details_are_saved_together(desk: FlaskClient, thread: Conversation) -> None:
    form = {"subject": "  A   refund ", "priority": "urgent", "tags": "Billing, refund,, billing"}
    response = desk.post(f"/support/{thread.id}/details", data=form, headers=HTMX)
    assert_region(response, "header", changed=("inbox-list",))
    saved = now(thread)
    assert (saved.subject, saved.priority, saved.tags) == ("A refund", "urgent", ["billing", "refund"])


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"subject": " ", "priority": "low", "tags": ""}, "subject"),
        ({"subject": "New", "priority": "extreme", "tags": ""}, "priority"),
        ({"subject": "New", "priority": "low", "tags": "x" * 41}, "tags"),
    ],
)
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["in place", "without script"])
def test_one_bad_detail_saves_none_and_is_named(
    desk: FlaskClient, thread: Conversation, form: dict[str, str], field: str, headers: dict[str, str]
) -> None:
    response = desk.post(f"/support/{thread.id}/details", data=form, headers=headers)
    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    assert "data-cl-open" in response.text
    saved = now(thread)
    assert (saved.subject, saved.priority, saved.tags) == ("An invoice", "normal", [])


def test_the_customers_other_conversations_stand_beside_it(
    desk: FlaskClient, thread: Conversation, ask: Ask, operator: Operator
) -> None:
    stranger = ask(by=Customer("tom", "Tom Alvarez"), subject="A stranger's")
    conversations.resolve(thread.id, by=operator)
    second = ask(subject="The second")
    region = desk.get(f"/support/{second.id}/others", headers=HTMX)
    assert_region(region, "others")
    assert "An invoice" in region.text
    assert stranger.subject not in region.text


def test_what_the_customer_has_seen_is_said(desk: FlaskClient, thread: Conversation, customer: Customer) -> None:
    desk.post(f"/support/{thread.id}/messages", data={"content": "Here.", "seen_sequence": "1"})
    assert "Seen by" not in desk.get(f"/support/{thread.id}/seen").text
    conversations.mark_seen(thread.id, 2, by=customer)
    assert "Seen by Mina Park" in desk.get(f"/support/{thread.id}/seen").text
    assert "Seen by Mina Park" in desk.get(f"/support/{thread.id}").text


def test_a_typing_customer_is_shown_for_a_moment(desk: FlaskClient, thread: Conversation, customer: Customer) -> None:
    from datetime import timedelta

    from flask_cairnloop.core.current import at
    from flask_cairnloop.core.current import now as present

    assert "is typing" not in desk.get(f"/support/{thread.id}/customer-typing").text
    conversations.mark_typing(thread.id, by=customer)
    assert "Mina Park is typing" in desk.get(f"/support/{thread.id}/customer-typing").text
    with at(present() + timedelta(seconds=10)):
        assert "is typing" not in desk.get(f"/support/{thread.id}/customer-typing").text


class Facts(ContextProvider):
    """Knows everything about anybody."""

    def get_context(self, actor_id: str, **opts: Any) -> Mapping[str, Any]:
        return {
            "active_plan": {"tier": "Team", "annual": False, "renews": date(2026, 12, 1)},
            "asked": {"who": actor_id, "tenant": opts["tenant"], "about": opts["conversation_id"]},
            "seen": datetime(2026, 5, 12, tzinfo=UTC),
            "<b>address</b>": {"city": {"name": "<script>alert(1)</script>"}},
            "cards": ["Visa 4242", "Amex 0005"],
            "nothing": {},
        }


class TestWithFactsOfTheHost:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_CONTEXT_PROVIDER": Facts}

    def test_they_are_shown_as_deep_as_they_go_and_as_text(self, desk: FlaskClient, thread: Conversation) -> None:
        region = desk.get(f"/support/{thread.id}/context", headers=HTMX)
        assert_region(region, "context")
        for words in ("<h3>Active plan</h3>", "Team", "No", "1 Dec 2026", "mina", "Visa 4242, Amex 0005", "None"):
            assert words in region.text
        assert 'datetime="2026-05-12T00:00:00+00:00"' in region.text
        assert "&lt;b&gt;address" in region.text
        assert "<script>" not in region.text

    def test_the_page_does_not_wait_for_them(
        self, desk: FlaskClient, thread: Conversation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(Facts, "get_context", lambda self, actor_id, **_: asked.append(actor_id) or {})
        assert desk.get(f"/support/{thread.id}").status_code == 200
        assert asked == []
        desk.get(f"/support/{thread.id}/context")
        assert asked == ["mina"]

    @pytest.mark.parametrize(
        "answer",
        [HostFailure("billing answers 502"), RuntimeError("boom"), ["a list"], None],
        ids=["refuses", "raises", "a list", "nothing"],
    )
    def test_their_failure_leaves_the_page_standing(
        self, desk: FlaskClient, thread: Conversation, monkeypatch: pytest.MonkeyPatch, answer: object
    ) -> None:
        def fail(self: Facts, actor_id: str, **_: Any) -> object:
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(Facts, "get_context", fail)
        region = desk.get(f"/support/{thread.id}/context", headers=HTMX)
        assert_region(region, "context")
        assert "Context Unavailable" in region.text
        assert "boom" not in region.text

    def test_a_customer_the_host_does_not_know_is_said_to_be_unknown(
        self, desk: FlaskClient, thread: Conversation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Facts, "get_context", lambda self, actor_id, **_: {})
        assert "knows nothing about this customer" in desk.get(f"/support/{thread.id}/context").text


def test_without_a_provider_the_rail_says_context_unavailable(desk: FlaskClient, thread: Conversation) -> None:
    assert "Context Unavailable" in desk.get(f"/support/{thread.id}/context").text

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.conversations import Conversation, MessageRole
from tests.dashboard.conftest import HTMX, assert_region

SAID = ("timeline", "header", "draft", "inbox-list", "nav")
Sent = Callable[[int], list[str]]


def post(desk: FlaskClient, thread: Conversation, **form: str) -> object:
    return desk.post(f"/support/{thread.id}/messages", data={"kind": "reply"} | form, headers=HTMX)


def numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="message-(\d+)"', text)]


def test_a_reply_is_sent_and_the_composer_comes_back_empty(desk: FlaskClient, thread: Conversation, sent: Sent) -> None:
    response = desk.post(
        f"/support/{thread.id}/messages", data={"content": "In your mail.", "seen_sequence": "1"}, headers=HTMX
    )
    assert_region(response, "composer", changed=SAID)
    assert "data-cl-sent" in response.text
    assert "In your mail." not in response.text
    assert sent(thread.id) == ["In your mail."]


def test_without_script_a_reply_leads_back_to_the_thread(desk: FlaskClient, thread: Conversation, sent: Sent) -> None:
    response = desk.post(f"/support/{thread.id}/messages", data={"content": "Hello.", "seen_sequence": "1"})
    assert (response.status_code, response.location) == (303, f"/support/{thread.id}")
    assert "Hello." in desk.get(response.location).text


def test_a_form_sent_twice_is_one_message(desk: FlaskClient, thread: Conversation, sent: Sent) -> None:
    form = {"content": "Once.", "seen_sequence": "1", "client_id": "the-same"}
    statuses = [desk.post(f"/support/{thread.id}/messages", data=form, headers=HTMX).status_code for _ in range(3)]
    assert statuses == [200, 200, 200]
    assert sent(thread.id) == ["Once."]


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["in place", "without script"])
@pytest.mark.parametrize("seen", ["1", ""], ids=["outdated", "unsaid"])
def test_a_reply_to_an_outdated_thread_is_not_sent_and_keeps_its_words(
    desk: FlaskClient,
    thread: Conversation,
    customer: Customer,
    sent: Sent,
    headers: dict[str, str],
    seen: str,
) -> None:
    conversations.receive(thread.id, "Never mind, I found it.", by=customer)
    form = {"content": "Let me look for it.", "seen_sequence": seen}
    response = desk.post(f"/support/{thread.id}/messages", data=form, headers=headers)
    assert response.status_code == 409
    assert "Not sent yet" in response.text
    assert "Never mind, I found it." in response.text
    assert ">Let me look for it.</textarea>" in response.text
    assert sent(thread.id) == []
    if headers:
        assert_region(response, "composer", changed=SAID, status=409)


def test_sending_again_after_reading_what_is_new_works(
    desk: FlaskClient, thread: Conversation, customer: Customer, sent: Sent
) -> None:
    conversations.receive(thread.id, "One more thing.", by=customer)
    assert (
        desk.post(f"/support/{thread.id}/messages", data={"content": "Yes.", "seen_sequence": "1"}).status_code == 409
    )
    timeline = desk.get(f"/support/{thread.id}/timeline?first=1", headers=HTMX).text
    seen = re.search(r'name="seen_sequence" value="(\d+)" form="composer-form"', timeline)
    assert seen is not None
    form = {"content": "Yes.", "seen_sequence": seen.group(1)}
    assert desk.post(f"/support/{thread.id}/messages", data=form).status_code == 303
    assert sent(thread.id) == ["Yes."]


def test_one_operator_does_not_answer_blind_over_another(
    desk: FlaskClient, thread: Conversation, second_operator: Operator, sent: Sent
) -> None:
    conversations.reply(thread.id, "Sam was quicker.", by=second_operator)
    response = desk.post(
        f"/support/{thread.id}/messages", data={"content": "Me too.", "seen_sequence": "1"}, headers=HTMX
    )
    assert response.status_code == 409
    assert "Sam was quicker." in response.text
    assert sent(thread.id) == ["Sam was quicker."]


@pytest.mark.parametrize(("content", "why"), [("", "cannot be empty"), ("x" * 20_001, "are allowed")])
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["in place", "without script"])
def test_unfit_words_stay_in_the_composer_with_the_reason(
    desk: FlaskClient, thread: Conversation, sent: Sent, content: str, why: str, headers: dict[str, str]
) -> None:
    form = {"content": content, "seen_sequence": "1"}
    response = desk.post(f"/support/{thread.id}/messages", data=form, headers=headers)
    assert response.status_code == 422
    assert why in response.text
    assert f">{content}</textarea>" in response.text
    assert 'aria-invalid="true" aria-describedby="content-error"' in response.text
    assert sent(thread.id) == []


def test_a_note_stays_among_operators(desk: FlaskClient, thread: Conversation, customer: Customer) -> None:
    form = {"kind": "note", "content": "Careful: VIP."}
    assert_region(desk.post(f"/support/{thread.id}/messages", data=form, headers=HTMX), "composer", changed=SAID)
    assert "Careful: VIP." in desk.get(f"/support/{thread.id}").text
    theirs = conversations.timeline(thread.id, visible_to=customer)
    assert [message.content for message in theirs] == ["Where is my invoice?"]


@pytest.mark.parametrize("form", [{"kind": "shout"}, {"seen_sequence": "-1"}, {"draft_id": "one"}], ids=str)
def test_a_form_no_page_of_ours_sends_is_refused(
    desk: FlaskClient, thread: Conversation, sent: Sent, form: dict[str, str]
) -> None:
    response = desk.post(f"/support/{thread.id}/messages", data={"content": "Hi."} | form)
    assert response.status_code == 422
    assert sent(thread.id) == []


def test_an_archived_conversation_cannot_be_answered(
    desk: FlaskClient, thread: Conversation, operator: Operator, sent: Sent
) -> None:
    conversations.archive(thread.id, by=operator)
    form = {"content": "Hello?", "seen_sequence": "1"}
    assert desk.post(f"/support/{thread.id}/messages", data=form, headers=HTMX).status_code == 409
    assert sent(thread.id) == []


def test_everything_in_a_thread_is_rendered_safely(
    desk: FlaskClient, thread: Conversation, customer: Customer, operator: Operator
) -> None:
    conversations.receive(thread.id, "<img src=x onerror=alert(1)> [x](javascript:alert(1))", by=customer)
    conversations.reply(thread.id, "**Bold** and https://example.com", by=operator)
    page = desk.get(f"/support/{thread.id}").text
    assert "<strong>Bold</strong>" in page
    assert 'href="https://example.com"' in page
    assert "<img" not in page
    assert 'href="javascript' not in page


def test_each_role_has_its_own_look(
    desk: FlaskClient, thread: Conversation, operator: Operator, customer: Customer
) -> None:
    conversations.add_note(thread.id, "A note", by=operator)
    conversations.reply(thread.id, "An answer", by=operator)
    page = desk.get(f"/support/{thread.id}").text
    for role in (MessageRole.USER, MessageRole.INTERNAL_NOTE, MessageRole.AGENT):
        assert f"cl-message--{role.value} is-first" in page
    assert "Internal note" in page


class TestLongThread:
    @pytest.fixture
    def thread(self, thread: Conversation, customer: Customer) -> Conversation:
        for number in range(2, 131):
            conversations.receive(thread.id, f"Message {number}", by=customer)
        return thread

    def test_it_opens_at_its_newest_messages(self, desk: FlaskClient, thread: Conversation) -> None:
        page = desk.get(f"/support/{thread.id}").text
        assert numbers(page) == list(range(81, 131))
        assert f"/support/{thread.id}/timeline?first=81" in page

    def test_older_pages_join_without_a_gap_until_the_beginning(self, desk: FlaskClient, thread: Conversation) -> None:
        shown = numbers(desk.get(f"/support/{thread.id}").text)
        while shown[0] > 1:
            older = desk.get(f"/support/{thread.id}/messages?before={shown[0]}", headers=HTMX)
            assert_region(older, "older")
            shown = numbers(older.text) + shown
        assert shown == list(range(1, 131))
        assert "The conversation began here" in older.text

    def test_a_refetch_returns_everything_since_its_anchor(
        self, desk: FlaskClient, thread: Conversation, customer: Customer
    ) -> None:
        conversations.receive(thread.id, "The newest", by=customer)
        region = desk.get(f"/support/{thread.id}/timeline?first=81", headers=HTMX)
        assert_region(region, "timeline")
        assert numbers(region.text) == list(range(81, 132))
        assert "first=81" in region.text

    def test_more_than_one_answer_holds_shows_the_newest_and_says_so(
        self, desk: FlaskClient, thread: Conversation, customer: Customer
    ) -> None:
        for number in range(131, 221):
            conversations.receive(thread.id, f"Message {number}", by=customer)
        region = desk.get(f"/support/{thread.id}/timeline?first=1", headers=HTMX).text
        assert numbers(region) == list(range(21, 221))
        assert "Load the thread again" in region

    def test_without_script_older_messages_have_a_page(self, desk: FlaskClient, thread: Conversation) -> None:
        assert numbers(desk.get(f"/support/{thread.id}?before=81").text) == list(range(31, 81))


def test_writing_to_a_customer_is_shown_to_them_and_a_note_is_not(desk: FlaskClient, thread: Conversation) -> None:
    reader = Operator(id="reader", name="Reader")
    for kind in ("note", "reply"):
        response = desk.post(f"/support/{thread.id}/typing", data={"kind": kind}, headers=HTMX)
        assert (response.status_code, response.headers["HX-Region"]) == (204, "typing")
        conversation = conversations.get(thread.id, visible_to=reader)
        conversations.queries.session().refresh(conversation)
        assert (conversation.operator_typing_at is not None) is (kind == "reply")

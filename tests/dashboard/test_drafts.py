from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import Customer, Operator, conversations, drafts
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.drafts import Draft, DraftStatus
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.draft_generator import DraftKind
from tests.dashboard.conftest import HTMX, Propose, assert_region

OTHERS = ("timeline", "header", "inbox-list", "nav")
BODY = "Hi Mina,\n\nA refund takes five days.\n\nJust reply here."
Sent = Callable[[int], list[str]]


def status(draft: Draft) -> DraftStatus:
    session().expire_all()
    return drafts.get_draft(draft.id, visible_to=Operator(id="x", name="X")).status


def test_the_card_shows_the_reply_its_sources_and_why(desk: FlaskClient, thread: Conversation, draft: Draft) -> None:
    region = desk.get(f"/support/{thread.id}/draft", headers=HTMX)
    assert_region(region, "draft")
    for words in (
        "Needs your approval",
        "Well supported",
        "Hi Mina,",
        "A refund takes five days.",
        'href="#evidence-1"',
        'id="evidence-1"',
        "How long refunds take",
        "One published article answers this.",
        "Approve &amp; send",
        "Edit",
        "Discard",
    ):
        assert words in region.text, words
    assert region.text.count('class="cl-cite"') == 1  # courtesies stand on nothing


def test_the_card_keeps_the_paragraphs_the_customer_will_read(
    desk: FlaskClient, thread: Conversation, draft: Draft
) -> None:
    body = desk.get(f"/support/{thread.id}/draft").text.split('class="cl-draft__body">')[1].split("cl-draft__why")[0]
    assert body.count("<div>") == 3


def test_a_source_is_named_by_its_title_once_and_by_its_number_after_that(
    desk: FlaskClient, thread: Conversation, draft: Draft
) -> None:
    with transaction() as db:
        waiting = db.get_one(Draft, draft.id)
        waiting.sentences = [*waiting.sentences, {"text": "Every time.", "evidence": [waiting.evidence[0]["id"]]}]
    cards = desk.get(f"/support/{thread.id}/draft").text.split('class="cl-cite"')[1:]
    assert [">1 How long refunds take</a>" in card for card in cards] == [True, False]
    assert [">1<span" in card for card in cards] == [False, True]


def test_approving_sends_it_once_and_takes_the_card_away(
    desk: FlaskClient, thread: Conversation, draft: Draft, sent: Sent
) -> None:
    response = desk.post(f"/support/drafts/{draft.id}/approval", headers=HTMX)
    assert_region(response, "draft", changed=OTHERS)
    assert "Approve" not in response.text
    assert sent(thread.id) == [BODY]
    page = desk.get(f"/support/{thread.id}").text
    assert "cl-message__sources" in page
    assert "How long refunds take" in page


def test_a_late_second_approval_gets_the_card_as_it_now_is(
    desk: FlaskClient, thread: Conversation, draft: Draft, second_operator: Operator, sent: Sent
) -> None:
    drafts.approve(draft.id, by=second_operator)
    response = desk.post(f"/support/drafts/{draft.id}/approval", headers=HTMX)
    assert_region(response, "draft", changed=OTHERS, status=409)
    assert "Sam Kim sent this draft as it stood" in response.text
    assert sent(thread.id) == [BODY]


@pytest.mark.parametrize(
    ("decide", "words"),
    [
        (lambda draft, by: drafts.discard(draft.id, by=by), "Sam Kim discarded this draft"),
        (lambda draft, by: drafts.edit(draft.id, "Mine.", by=by), "Sam Kim answered in their own words"),
        (
            lambda draft, by: conversations.reply(draft.conversation_id, "By hand.", by=by),
            "Sam Kim wrote meanwhile, so this draft was set aside",
        ),
    ],
    ids=["discarded", "edited", "overtaken"],
)
def test_deciding_too_late_says_what_happened(
    desk: FlaskClient,
    draft: Draft,
    second_operator: Operator,
    decide: Callable[[Draft, Operator], object],
    words: str,
) -> None:
    decide(draft, second_operator)
    for act in ("approval", "discard"):
        response = desk.post(f"/support/drafts/{draft.id}/{act}", headers=HTMX)
        assert response.status_code == 409
        assert words in response.text


def test_a_draft_that_answers_too_little_is_not_sent(
    desk: FlaskClient, thread: Conversation, draft: Draft, customer: Customer, sent: Sent
) -> None:
    conversations.receive(thread.id, "And one more question.", by=customer)
    assert desk.post(f"/support/drafts/{draft.id}/approval", headers=HTMX).status_code == 409
    assert sent(thread.id) == []


def test_discarding_sends_nothing(desk: FlaskClient, thread: Conversation, draft: Draft, sent: Sent) -> None:
    assert_region(desk.post(f"/support/drafts/{draft.id}/discard", headers=HTMX), "draft", changed=OTHERS)
    assert status(draft) == DraftStatus.DISCARDED
    assert sent(thread.id) == []


@pytest.mark.parametrize("act", ["approval", "discard"])
def test_without_script_a_decision_leads_back_to_the_thread(desk: FlaskClient, draft: Draft, act: str) -> None:
    response = desk.post(f"/support/drafts/{draft.id}/{act}")
    assert (response.status_code, response.location) == (303, f"/support/{draft.conversation_id}")
    again = desk.post(f"/support/drafts/{draft.id}/{act}")
    assert again.status_code == 409
    assert "<html" in again.text


def test_another_tenants_draft_is_not_there(desk: FlaskClient, draft: Draft, sent: Sent) -> None:
    for act in ("approval", "discard"):
        assert desk.post(f"/support/drafts/{draft.id}/{act}", headers={"X-Tenant": "acme"}).status_code == 404
    assert status(draft) == DraftStatus.PENDING


class TestEditing:
    def test_the_draft_moves_into_the_composer_after_what_was_typed(
        self, desk: FlaskClient, thread: Conversation, draft: Draft
    ) -> None:
        form = {"draft_id": str(draft.id), "content": "My words."}
        response = desk.post(f"/support/{thread.id}/composer", data=form, headers=HTMX)
        assert_region(response, "composer")
        assert f">My words.\n\n{BODY}</textarea>" in response.text
        assert f'name="draft_id" value="{draft.id}"' in response.text
        assert status(draft) == DraftStatus.PENDING

    def test_without_script_it_has_an_address(self, desk: FlaskClient, thread: Conversation, draft: Draft) -> None:
        assert f">{BODY}</textarea>" in desk.get(f"/support/{thread.id}?draft={draft.id}").text

    def test_sending_it_in_other_words_settles_the_draft(
        self, desk: FlaskClient, thread: Conversation, draft: Draft, sent: Sent
    ) -> None:
        form = {"draft_id": str(draft.id), "content": "Four days.", "seen_sequence": "1", "client_id": "a"}
        assert desk.post(f"/support/{thread.id}/messages", data=form, headers=HTMX).status_code == 200
        assert sent(thread.id) == ["Four days."]
        assert status(draft) == DraftStatus.EDITED

    def test_a_draft_decided_meanwhile_keeps_the_words_and_lets_them_go_on_their_own(
        self, desk: FlaskClient, thread: Conversation, draft: Draft, second_operator: Operator, sent: Sent
    ) -> None:
        drafts.discard(draft.id, by=second_operator)
        form = {"draft_id": str(draft.id), "content": "Four days.", "seen_sequence": "1"}
        response = desk.post(f"/support/{thread.id}/messages", data=form, headers=HTMX)
        assert response.status_code == 409
        assert ">Four days.</textarea>" in response.text
        assert 'name="draft_id"' not in response.text
        assert sent(thread.id) == []
        assert desk.post(f"/support/{thread.id}/messages", data=form | {"draft_id": ""}).status_code == 303
        assert sent(thread.id) == ["Four days."]

    def test_a_thread_that_moved_refuses_it_and_shows_what_is_new(
        self, desk: FlaskClient, thread: Conversation, draft: Draft, customer: Customer, sent: Sent
    ) -> None:
        conversations.receive(thread.id, "Forget it.", by=customer)
        form = {"draft_id": str(draft.id), "content": "Four days.", "seen_sequence": "1"}
        response = desk.post(f"/support/{thread.id}/messages", data=form, headers=HTMX)
        assert response.status_code == 409
        assert "Forget it." in response.text
        assert ">Four days.</textarea>" in response.text
        assert sent(thread.id) == []
        assert status(draft) == DraftStatus.SUPERSEDED

    def test_a_draft_that_waits_no_more_keeps_what_was_typed(
        self, desk: FlaskClient, thread: Conversation, draft: Draft, operator: Operator
    ) -> None:
        drafts.discard(draft.id, by=operator)
        form = {"draft_id": str(draft.id), "content": "My words."}
        response = desk.post(f"/support/{thread.id}/composer", data=form, headers=HTMX)
        assert "waits no more" in response.text
        assert ">My words.</textarea>" in response.text


def test_a_word_to_operators_cannot_be_sent(
    desk: FlaskClient, thread: Conversation, propose: Propose, sent: Sent
) -> None:
    escalation = propose(thread, kind=DraftKind.ESCALATION)
    card = desk.get(f"/support/{thread.id}/draft").text
    assert "Needs a person" in card
    assert "Approve" not in card
    assert "Discard" in card
    assert desk.post(f"/support/drafts/{escalation.id}/approval", headers=HTMX).status_code == 409
    assert sent(thread.id) == []


def test_a_draft_the_policy_keeps_back_is_shown_when_asked_for(
    desk: FlaskClient, thread: Conversation, propose: Propose
) -> None:
    propose(thread, decision=Decision.DRAFT_ONLY)
    page = desk.get(f"/support/{thread.id}").text
    assert "A draft is ready if you want one" in page
    assert "A refund takes five days." not in page
    shown = desk.get(f"/support/{thread.id}/draft?show=1", headers=HTMX)
    assert_region(shown, "draft")
    assert "A refund takes five days." in shown.text
    assert f'hx-get="/support/{thread.id}/draft?show=1"' in shown.text  # a refetch keeps it shown


def test_a_draft_is_shown_as_text(desk: FlaskClient, thread: Conversation, draft: Draft) -> None:
    with transaction() as db:
        waiting = db.get_one(Draft, draft.id)
        waiting.body = "<script>alert(1)</script>"
        waiting.sentences = [{"text": "<script>alert(1)</script>", "evidence": []}]
        waiting.summary = "<script>alert(2)</script>"
        waiting.evidence = [
            waiting.evidence[0] | {"title": "<script>alert(3)</script>", "content": "<script>4</script>"}
        ]
    page = desk.get(f"/support/{thread.id}").text
    assert "&lt;script&gt;alert(3)" in page
    for number in range(1, 5):
        assert f"<script>alert({number})" not in page
    assert "<script>4" not in page


def test_every_waiting_draft_has_a_place_in_the_list_of_them(
    desk: FlaskClient, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask_cairnloop.dashboard import drafts as screen

    monkeypatch.setattr(screen, "SIZE", 0)
    assert "Show more" not in desk.get(f"/support/drafts?after={draft.id}").text
    monkeypatch.setattr(screen, "SIZE", 1)
    page = desk.get("/support/drafts").text
    assert "A refund takes five days." in page

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import SYSTEM, Customer, Operator, conversations, drafts
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


class TestDoubts:
    @pytest.fixture
    def doubted(self, thread: Conversation, draft: Draft) -> Draft:
        """A reply with one sentence that its evidence does not carry."""
        with transaction() as db:
            waiting = db.get_one(Draft, draft.id)
            doubt = {"supported": False, "doubt": "“€5” is not in the cited passages."}
            said = {"text": "You get €5 on top.", "evidence": [waiting.evidence[0]["id"]]} | doubt
            waiting.sentences = [*waiting.sentences, said]
            waiting.body += "\n\nYou get €5 on top."
        return draft

    def test_a_sentence_in_doubt_is_marked_with_its_doubt_in_words(
        self, desk: FlaskClient, thread: Conversation, doubted: Draft
    ) -> None:
        card = desk.get(f"/support/{thread.id}/draft", headers=HTMX).text
        assert "Check before sending" in card
        assert "“€5” is not in the cited passages." in card
        marked = card.split('<mark class="cl-doubted">')[1].split("</mark>")[0]
        assert "You get €5 on top." in marked
        assert "#warning" in marked  # a shape, not a colour alone
        assert card.count("cl-doubted") == 1
        assert "Check before sending" in desk.get("/support/inbox").text

    def test_it_offers_editing_instead_of_approval_and_the_server_refuses(
        self, desk: FlaskClient, thread: Conversation, doubted: Draft, sent: Sent
    ) -> None:
        card = desk.get(f"/support/{thread.id}/draft", headers=HTMX).text
        assert "Approve" not in card
        assert "Edit</button>" in card
        response = desk.post(f"/support/drafts/{doubted.id}/approval", headers=HTMX)
        assert_region(response, "draft", changed=OTHERS, status=409)
        assert "does not carry every sentence" in response.text
        assert (status(doubted), sent(thread.id)) == (DraftStatus.PENDING, [])


class TestAskingForAnother:
    def test_it_takes_the_card_away_and_says_that_one_is_on_its_way(
        self, desk: FlaskClient, thread: Conversation, draft: Draft, run_jobs: Callable[[], int]
    ) -> None:
        response = desk.post(f"/support/{thread.id}/draft", headers=HTMX)
        assert_region(response, "draft", changed=("inbox-list", "nav"))
        assert "A draft is on its way" in response.text
        assert "Approve" not in response.text
        assert status(draft) == DraftStatus.SUPERSEDED
        late = desk.post(f"/support/drafts/{draft.id}/approval", headers=HTMX)
        assert late.status_code == 409
        assert "Ada Osei asked for another draft" in late.text
        run_jobs()
        newest = drafts.pending_for(thread.id)
        assert newest is not None
        assert "on its way" not in desk.get(f"/support/{thread.id}/draft", headers=HTMX).text

    def test_it_is_offered_where_none_waits(
        self, desk: FlaskClient, thread: Conversation, draft: Draft, operator: Operator, run_jobs: Callable[[], int]
    ) -> None:
        run_jobs()
        waiting = drafts.pending_for(thread.id)
        assert waiting is not None
        drafts.discard(waiting.id, by=operator)
        assert "No draft waits for this question" in desk.get(f"/support/{thread.id}").text
        response = desk.post(f"/support/{thread.id}/draft")
        assert (response.status_code, response.location) == (303, f"/support/{thread.id}")
        assert "A draft is on its way" in desk.get(f"/support/{thread.id}").text

    def test_it_is_refused_where_nobody_waits(
        self, desk: FlaskClient, thread: Conversation, draft: Draft, operator: Operator
    ) -> None:
        conversations.resolve(thread.id, by=operator)
        assert "No draft waits" not in desk.get(f"/support/{thread.id}").text
        response = desk.post(f"/support/{thread.id}/draft", headers=HTMX)
        assert_region(response, "draft", status=409)
        assert "Nothing waits for an answer" in response.text
        assert desk.post(f"/support/{thread.id}/draft", headers={"X-Tenant": "acme"}).status_code == 404


class TestWhatBecameOfThem:
    def test_former_drafts_stay_readable(
        self, desk: FlaskClient, thread: Conversation, draft: Draft, second_operator: Operator
    ) -> None:
        assert 'id="earlier-drafts"' not in desk.get(f"/support/{thread.id}/draft", headers=HTMX).text
        drafts.discard(draft.id, by=second_operator, reason="Wrong plan <b>")
        page = desk.get(f"/support/{thread.id}").text
        for words in ("Earlier drafts", "Discarded", "Sam Kim", "Wrong plan &lt;b&gt;", f"/support/drafts/{draft.id}"):
            assert words in page, words
        whole = desk.get(f"/support/drafts/{draft.id}").text
        assert "How long refunds take" in whole
        assert "Approve" not in whole
        assert f"/support/drafts/{draft.id}" in desk.get(f"/support/{thread.id}/drafts").text
        for hidden in (f"/support/drafts/{draft.id}", f"/support/{thread.id}/drafts"):
            assert desk.get(hidden, headers={"X-Tenant": "acme"}).status_code == 404

    def test_the_list_of_them_comes_in_pages(
        self,
        desk: FlaskClient,
        thread: Conversation,
        propose: Propose,
        operator: Operator,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from flask_cairnloop.dashboard import drafts as screen

        made = []
        for _ in range(2):
            made.append(propose(thread).id)
            drafts.discard(made[-1], by=operator)
        monkeypatch.setattr(screen, "SIZE", 1)
        first = desk.get(f"/support/{thread.id}/drafts").text
        assert f"/support/drafts/{made[1]}" in first
        assert f"/support/{thread.id}/drafts?before={made[1]}" in first
        second = desk.get(f"/support/{thread.id}/drafts?before={made[1]}").text
        assert f"/support/drafts/{made[0]}" in second
        assert "Show more" not in second

    def test_a_reason_is_kept_and_has_its_limit(self, desk: FlaskClient, thread: Conversation, draft: Draft) -> None:
        address = f"/support/drafts/{draft.id}/discard"
        refused = desk.post(address, data={"reason": "x" * 501}, headers=HTMX)
        assert_region(refused, "draft", changed=OTHERS, status=422)
        assert "500 are allowed" in refused.text
        assert desk.post(address, data={"reason": " Not ours "}, headers=HTMX).status_code == 200
        session().expire_all()
        assert drafts.get_draft(draft.id, visible_to=Operator(id="x", name="X")).discard_reason == "Not ours"


class TestHandingOver:
    def test_it_is_marked_wherever_the_conversation_stands(
        self, desk: FlaskClient, thread: Conversation, customer: Customer
    ) -> None:
        pages = (f"/support/{thread.id}/header", "/support/inbox", "/support/", "/support/inbox?person=1")
        for page in pages:
            assert "Asked for a person" not in desk.get(page).text.replace(">Asked for a person</label>", ""), page
        conversations.hand_over(thread.id, by=customer)
        for page in pages:
            assert "Asked for a person" in desk.get(page).text, page
        assert 'href="/support/inbox?person=1"' in desk.get("/support/").text

    def test_an_operator_lifts_it(self, desk: FlaskClient, thread: Conversation, customer: Customer) -> None:
        conversations.hand_over(thread.id, by=customer)
        lift = "Let drafts be sent automatically again"
        assert lift in desk.get(f"/support/{thread.id}").text
        response = desk.post(f"/support/{thread.id}/automation", headers=HTMX)
        assert_region(response, "header", changed=("draft", "inbox-list"))
        assert lift not in desk.get(f"/support/{thread.id}").text
        assert desk.post(f"/support/{thread.id}/automation").status_code == 303
        assert desk.post(f"/support/{thread.id}/automation", headers={"X-Tenant": "acme"}).status_code == 404

    def test_what_was_sent_automatically_says_so(
        self, desk: FlaskClient, thread: Conversation, operator: Operator
    ) -> None:
        conversations.reply(thread.id, "By hand.", by=operator)
        assert "Sent automatically" not in desk.get(f"/support/{thread.id}").text
        conversations.reply(thread.id, "By itself.", by=SYSTEM)
        assert "Sent automatically" in desk.get(f"/support/{thread.id}").text

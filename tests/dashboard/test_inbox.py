from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import engine
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.draft_generator import DraftKind
from tests.dashboard.conftest import HTMX, Ask, Propose, assert_region


@pytest.fixture
def many(ask: Ask) -> list[Conversation]:
    return [ask(f"Question {n}", by=Customer(f"c{n}", f"Customer {n}"), subject=f"Subject {n}") for n in range(56)]


def rows(text: str) -> list[str]:
    return re.findall(r'<li class="cl-row[^"]*" id="conversation-(\d+)"', text)


def test_a_row_can_be_decided_on_without_opening_it(
    desk: FlaskClient, thread: Conversation, operator: Operator, propose: Propose
) -> None:
    conversations.set_priority(thread.id, "high", by=operator)
    conversations.tag(thread.id, ["billing"], by=operator)
    propose(thread)
    page = desk.get("/support/inbox").text
    for word in ("Mina Park", "An invoice", "Where is my invoice?", "High", "billing", "Draft ready", "New", "Unread"):
        assert word in page
    assert f'href="/support/{thread.id}"' in page


def test_a_row_says_who_wrote_last(desk: FlaskClient, thread: Conversation, operator: Operator) -> None:
    conversations.reply(thread.id, "It is in your mail.", by=operator)
    page = desk.get("/support/inbox?view=all").text
    assert "<b>Ada Osei:</b> It is in your mail." in page
    assert "Awaiting customer" in page


@pytest.mark.parametrize(
    ("kind", "decision", "mark"),
    [
        (DraftKind.ESCALATION, Decision.REQUIRE_APPROVAL, "Needs a person"),
        (DraftKind.CLARIFICATION, Decision.REQUIRE_APPROVAL, "Draft ready"),
        (DraftKind.REPLY, Decision.DRAFT_ONLY, None),
    ],
)
def test_the_mark_tells_what_kind_of_draft_waits(
    desk: FlaskClient, thread: Conversation, propose: Propose, kind: DraftKind, decision: Decision, mark: str | None
) -> None:
    propose(thread, kind=kind, decision=decision)
    page = desk.get("/support/inbox").text
    assert [word for word in ("Needs a person", "Draft ready") if word in page] == ([mark] if mark else [])


def test_the_views_divide_the_conversations(desk: FlaskClient, ask: Ask, operator: Operator) -> None:
    waiting = ask(by=Customer("a", "Ann"))
    answered = ask(by=Customer("b", "Bea"))
    done = ask(by=Customer("c", "Cem"))
    conversations.reply(answered.id, "Here.", by=operator)
    conversations.resolve(done.id, by=operator)
    shown = {
        view: set(rows(desk.get(f"/support/inbox?view={view}").text)) for view in ("needs_reply", "resolved", "all")
    }
    assert shown == {
        "needs_reply": {str(waiting.id)},
        "resolved": {str(done.id)},
        "all": {str(waiting.id), str(answered.id), str(done.id)},
    }


def test_the_filter_stands_in_the_address(desk: FlaskClient, ask: Ask, operator: Operator) -> None:
    plain, tagged = ask(by=Customer("a", "Ann")), ask(by=Customer("b", "Bea"))
    conversations.tag(tagged.id, ["billing"], by=operator)
    assert set(rows(desk.get("/support/inbox").text)) == {str(plain.id), str(tagged.id)}
    narrowed = desk.get("/support/inbox?tag=Billing")
    assert rows(narrowed.text) == [str(tagged.id)]
    assert f'href="/support/{tagged.id}?tag=billing"' in narrowed.text  # the conversation keeps its list beside it
    assert "No conversation matches" in desk.get("/support/inbox?tag=nothing").text


@pytest.mark.parametrize("query", ["view=everything", "sort=best", "priority=extreme", "shown=many", "cursor=nonsense"])
def test_an_address_that_means_nothing_is_refused_rather_than_guessed(desk: FlaskClient, query: str) -> None:
    assert desk.get(f"/support/inbox?{query}").status_code == 422


def test_a_list_grows_without_losing_or_repeating_a_row(desk: FlaskClient, many: list[Conversation]) -> None:
    first = desk.get("/support/inbox")
    assert len(rows(first.text)) == 50
    more = re.search(r'hx-get="(/support/inbox/list\?[^"]*shown=100[^"]*)"', first.text)
    assert more is not None
    grown = desk.get(more.group(1).replace("&amp;", "&"), headers=HTMX)
    assert_region(grown, "inbox-list")
    assert rows(grown.text) == [str(each.id) for each in reversed(many)]
    assert rows(first.text) == rows(grown.text)[:50]


def test_the_page_after_the_longest_list_begins_where_it_ended(
    desk: FlaskClient, many: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask_cairnloop.dashboard import inbox

    monkeypatch.setattr(inbox, "LONGEST", 50)
    first = desk.get("/support/inbox").text
    following = re.search(r'href="(/support/inbox\?cursor=[^"]+)">Older conversations', first)
    assert following is not None
    second = desk.get(following.group(1)).text
    assert rows(first) + rows(second) == [str(each.id) for each in reversed(many)]
    assert "Back to the beginning" in second


def test_the_page_asks_for_its_list_alone(desk: FlaskClient, thread: Conversation) -> None:
    assert_region(desk.get("/support/inbox?view=all", headers=HTMX), "inbox-list")
    assert_region(desk.get("/support/inbox/list?view=all", headers=HTMX), "inbox-list")


def test_counts_stop_at_five_hundred(desk: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "counts", lambda **_: dict.fromkeys(conversations.InboxView, 501))
    page = desk.get("/support/inbox").text
    assert page.count("500+") >= 3
    assert "501" not in page


def test_the_inbox_costs_at_most_eight_statements_however_many_rows(
    desk: FlaskClient, many: list[Conversation]
) -> None:
    desk.get("/support/inbox")
    count = 0

    def tick(*_: object) -> None:
        nonlocal count
        count += 1

    bind: Engine = engine()
    event.listen(bind, "before_cursor_execute", tick)
    response = desk.get("/support/inbox")
    event.remove(bind, "before_cursor_execute", tick)
    assert len(rows(response.text)) == 50
    assert count <= 8


def test_an_empty_inbox_says_what_will_come(desk: FlaskClient) -> None:
    assert "Nobody is waiting for you" in desk.get("/support/inbox").text
    assert "The first one begins when a customer writes" in desk.get("/support/inbox?view=all").text


def test_what_customers_write_is_shown_as_text(desk: FlaskClient, ask: Ask) -> None:
    ask("<script>alert(1)</script>", by=Customer("x", "<img src=x onerror=alert(1)>"), subject="<svg onload=alert(1)>")
    page = desk.get("/support/inbox").text
    assert "&lt;script&gt;alert(1)" in page
    for payload in ("<script>alert", "<img src=x", "<svg onload"):
        assert payload not in page

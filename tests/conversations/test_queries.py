from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from flask_cairnloop import Customer, InvalidInput, Operator, conversations
from flask_cairnloop.conversations import InboxFilter, InboxSort, InboxView, Priority
from flask_cairnloop.core.current import at

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def fill(number: int) -> list[int]:
    threads = []
    for index in range(number):
        with at(START + timedelta(minutes=index)):
            threads.append(conversations.receive_from(Customer(ref=f"c{index}"), f"Question {index}").conversation_id)
    return threads


@pytest.mark.parametrize("sort", list(InboxSort))
def test_pages_hold_every_row_once_in_order(app: Flask, operator: Operator, sort: InboxSort) -> None:
    threads = fill(23)
    seen: list[int] = []
    cursor = None
    while True:
        page = conversations.inbox(InboxFilter(sort=sort), visible_to=operator, cursor=cursor, limit=5)
        seen += [thread.id for thread in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == (threads[::-1] if sort == InboxSort.NEWEST else threads)


def test_rows_of_one_instant_are_told_apart(app: Flask, operator: Operator) -> None:
    with at(START):
        threads = [conversations.receive_from(Customer(ref=f"c{i}"), "x").conversation_id for i in range(7)]
    first = conversations.inbox(InboxFilter(), visible_to=operator, limit=4)
    rest = conversations.inbox(InboxFilter(), visible_to=operator, cursor=first.next_cursor, limit=4)
    assert [t.id for t in [*first.items, *rest.items]] == threads[::-1]


def test_views_and_counts_agree(app: Flask, operator: Operator) -> None:
    first, second, third, *_ = fill(5)
    conversations.resolve(first, by=operator)
    conversations.reply(second, "Done", by=operator)
    conversations.archive(third, by=operator)
    counts = conversations.counts(visible_to=operator)
    assert counts == {InboxView.NEEDS_REPLY: 2, InboxView.RESOLVED: 1, InboxView.ALL: 5}
    for view, number in counts.items():
        assert len(conversations.inbox(InboxFilter(view=view), visible_to=operator).items) == number


def test_filters_narrow_the_list(app: Flask, operator: Operator) -> None:
    first, second, *_ = fill(4)
    conversations.tag(first, ["billing"], by=operator)
    conversations.set_priority(second, Priority.URGENT, by=operator)
    assert [t.id for t in conversations.inbox(InboxFilter(tag="billing"), visible_to=operator).items] == [first]
    urgent = conversations.inbox(InboxFilter(priority=Priority.URGENT), visible_to=operator)
    assert [t.id for t in urgent.items] == [second]


def test_another_tenants_rows_are_never_listed(app: Flask, operator: Operator) -> None:
    conversations.receive_from(Customer(ref="x", tenant="other"), "Elsewhere")
    assert conversations.inbox(InboxFilter(view=InboxView.ALL), visible_to=operator).items == []
    stranger = Operator(id="eve", name="Eve", tenant="other")
    assert len(conversations.inbox(InboxFilter(), visible_to=stranger).items) == 1


@pytest.mark.parametrize("cursor", ["x", "!!!", "YWJj", "MjAyNi0wMS0wMSA1", "é"])
def test_a_forged_cursor_is_refused(app: Flask, operator: Operator, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        conversations.inbox(InboxFilter(), visible_to=operator, cursor=cursor)


def test_a_long_thread_is_read_in_pieces(app: Flask, customer: Customer, operator: Operator) -> None:
    thread_id = conversations.receive_from(customer, "1").conversation_id
    for number in range(2, 61):
        conversations.receive(thread_id, str(number), by=customer)
    newest = conversations.timeline(thread_id, visible_to=operator)
    assert [m.sequence for m in newest] == list(range(11, 61))
    older = conversations.timeline(thread_id, visible_to=operator, before=11)
    assert [m.sequence for m in older] == list(range(1, 11))
    assert [m.sequence for m in conversations.timeline(thread_id, visible_to=customer, after=58)] == [59, 60]
    assert [m.sequence for m in conversations.timeline(thread_id, visible_to=customer, after=0, limit=3)] == [1, 2, 3]


def test_the_longest_waiting_comes_next(app: Flask, operator: Operator) -> None:
    first, second, _ = fill(3)
    assert conversations.next_waiting(second, visible_to=operator) == first
    assert conversations.next_waiting(first, visible_to=operator) == second


def test_unanswered_messages_are_those_since_the_last_answer(
    app: Flask, customer: Customer, operator: Operator
) -> None:
    thread_id = conversations.receive_from(customer, "Old").conversation_id
    conversations.reply(thread_id, "Answer", by=operator)
    conversations.receive_from(customer, "New one")
    conversations.add_note(thread_id, "Aside", by=operator)
    conversations.receive_from(customer, "New two")
    assert [m.content for m in conversations.unanswered(thread_id)] == ["New one", "New two"]

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from flask_cairnloop.conversations import Message, MessageRole
from flask_cairnloop.dashboard.thread import by_day

START = datetime(2026, 5, 12, 21, 50, tzinfo=UTC)


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    with Flask("thread").test_request_context(headers={"Cookie": "cl_zone=Europe/Berlin"}):
        yield


def said(minutes: int, author: str = "mina", role: MessageRole = MessageRole.USER) -> Message:
    return Message(author_id=author, role=role, content="…", created_at=START + timedelta(minutes=minutes))


def firsts(*messages: Message) -> list[bool]:
    return [entry.first for day in by_day(messages) for entry in day.entries]


def test_consecutive_messages_of_one_author_stand_together() -> None:
    assert firsts(said(0), said(1), said(2)) == [True, False, False]


def test_another_author_role_or_a_pause_begins_a_new_group() -> None:
    note = said(2, "ada", MessageRole.INTERNAL_NOTE)
    answer = said(3, "ada", MessageRole.AGENT)
    assert firsts(said(0), said(1, "tom"), note, answer, said(4), said(14)) == [True] * 6


def test_days_are_the_operators_own() -> None:
    days = by_day([said(0), said(9), said(11)])  # 23:50, 23:59 and 00:01 in Berlin
    assert [(day.date.day, len(day.entries)) for day in days] == [(12, 2), (13, 1)]


def test_a_day_begins_a_group() -> None:
    assert firsts(said(9), said(11)) == [True, True]


def test_an_empty_thread_has_no_days() -> None:
    assert by_day([]) == ()

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_cairnloop import Operator, audit, conversations
from flask_cairnloop.audit import AuditFilter
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import transaction
from flask_cairnloop.dashboard.deeds import WORDS, deed
from flask_cairnloop.governance import ActionEventType

SOURCES = Path(__file__).parents[2] / "flask_cairnloop"


def test_the_page_tells_who_did_what(desk: FlaskClient, thread: Conversation, operator: Operator) -> None:
    conversations.rename(thread.id, "Invoice of May", by=operator)
    page = desk.get("/support/audit-log").text
    for words in ("Subject changed", "Customer wrote", "Conversation opened", "ada", "mina"):
        assert words in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=conversation.rename", {"conversation.rename"}),
        ("actor=ada", {"conversation.rename"}),
        ("actor=nobody", set()),
        ("since=2100-01-01", set()),
        ("until=2000-01-01", set()),
        ("conversation=999", set()),
    ],
)
def test_filters_narrow_it_in_the_database(
    desk: FlaskClient, thread: Conversation, operator: Operator, query: str, expected: set[str]
) -> None:
    conversations.rename(thread.id, "Invoice of May", by=operator)
    rows = list(csv.DictReader(io.StringIO(desk.get(f"/support/audit-log.csv?{query}").text)))
    assert {row["action"] for row in rows} == expected
    page = desk.get(f"/support/audit-log?{query}")
    assert ("Nothing like this happened" in page.text) == (not expected)


@pytest.mark.parametrize("query", ["conversation=x", "proposal=-1", "since=soon", "until=2026-13-01"])
def test_a_filter_that_makes_no_sense_is_named(desk: FlaskClient, query: str) -> None:
    answer = desk.get(f"/support/audit-log?{query}")
    assert answer.status_code == 422
    assert "needs a" in answer.text


def test_pages_follow_each_other_without_a_gap(desk: FlaskClient, app: Flask, operator: Operator) -> None:
    with transaction():
        for number in range(120):
            audit.record("test.deed", by=operator, subject="test", subject_id=number)
    seen: list[int] = []
    last: int | None = None
    while found := audit.list_events(visible_to=operator, before=last, limit=50):
        seen += [event.subject_id for event in found]
        last = found[-1].id
    assert seen == list(reversed(range(120)))
    assert "Show older" in desk.get("/support/audit-log").text
    rows = list(csv.DictReader(io.StringIO(desk.get("/support/audit-log.csv").text)))
    assert len(rows) == 120


def test_an_export_is_text_to_a_spreadsheet(desk: FlaskClient, app: Flask) -> None:
    with transaction():
        audit.record("test.deed", by=Operator(id="=cmd()", name="Eve"), subject="test", subject_id=1)
    (row,) = csv.DictReader(io.StringIO(desk.get("/support/audit-log.csv").text))
    assert row["actor_id"] == "'=cmd()"


def test_another_tenant_sees_nothing(desk: FlaskClient, thread: Conversation) -> None:
    assert "Nothing has happened yet" in desk.get("/support/audit-log", headers={"X-Tenant": "other"}).text


def test_a_tool_narrows_it(app: Flask, operator: Operator) -> None:
    with transaction():
        audit.record("action.approved", by=operator, subject="tool_proposal", subject_id=7, tool="refund")
        audit.record("action.approved", by=operator, subject="tool_proposal", subject_id=8, tool="reship")
    for wanted in (AuditFilter(tool="refund"), AuditFilter(proposal_id=7)):
        assert [event.subject_id for event in audit.list_events(wanted, visible_to=operator)] == [7]


def test_everything_that_is_recorded_has_words() -> None:
    recorded = {f"action.{event}" for event in ActionEventType}
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                words = node.args[0].value
                if name in {"record", "_record", "_note"} and isinstance(words, str) and "." in words:
                    recorded.add(words)
    assert len(recorded) > 30
    assert recorded - WORDS.keys() == set()
    assert deed("some.other_thing") == "Some: other thing"

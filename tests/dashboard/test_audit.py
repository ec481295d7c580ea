from __future__ import annotations

import ast
import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from flask_cairnloop import Auditor, HostFailure, Operator, audit, conversations
from flask_cairnloop.audit import AuditFilter
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import transaction
from flask_cairnloop.dashboard.deeds import WORDS, deed
from flask_cairnloop.governance import ActionEventType
from flask_cairnloop.host.people import Actor

#: What the host's auditor answers next.
ANSWERS: list[Callable[..., Any]] = []
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


class HostsOwn(Auditor):
    """An app with events of its own; what it does next stands in ``ANSWERS``."""

    def audit(self, session: Session, action: str, actor: Actor, metadata: Mapping[str, Any]) -> None:
        """It keeps no copy of ours."""

    def list_events(self, **opts: Any) -> Any:
        return ANSWERS[-1](**opts)


def _raise(**_: object) -> None:
    raise RuntimeError("the warehouse is down")


def _endless(*, limit: int, operator: Operator) -> Iterator[dict[str, object]]:
    return ({"No.": f"row {number}.", "for": operator.id, "limit": limit} for number in itertools.count())


def _breaking(**_: object) -> Iterator[dict[str, object]]:
    yield {"fine": 1}
    raise RuntimeError("the cursor is gone")


class TestTheHostsOwnEvents:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_AUDITOR": HostsOwn, "CAIRNLOOP_EMBEDDER": None}

    @pytest.fixture(autouse=True)
    def answers(self) -> Iterator[None]:
        yield
        ANSWERS.clear()

    def test_they_are_listed_beside_ours_and_no_more_than_fifty(self, desk: FlaskClient, thread: Conversation) -> None:
        ANSWERS.append(_endless)
        page = desk.get("/support/audit-log").text
        for words in ("Your app's own events".replace("'", "&#39;"), "row 0.", "row 49.", "Customer wrote"):
            assert words in page or words.replace("&#39;", "'") in page
        assert "row 50." not in page

    def test_markup_in_them_is_text(self, desk: FlaskClient) -> None:
        ANSWERS.append(lambda **_: [{"<b>who</b>": "<script>alert(1)</script>", "when": None, 7: {"a": 1}}])
        page = desk.get("/support/audit-log").text
        assert "&lt;script&gt;alert(1)" in page
        assert "<b>who</b>" not in page

    @pytest.mark.parametrize(
        "answer",
        [_raise, _breaking, lambda **_: None, lambda **_: 5, lambda **_: ["x"], lambda **_: HostFailure("no")],
        ids=["raises", "breaks off", "nothing", "a number", "texts", "refuses"],
    )
    def test_where_they_cannot_be_read_ours_still_stand(
        self, desk: FlaskClient, thread: Conversation, answer: Callable[..., Any]
    ) -> None:
        ANSWERS.append(answer)
        answered = desk.get("/support/audit-log")
        assert answered.status_code == 200
        assert "own audit events could not be read just now" in answered.text
        assert "Customer wrote" in answered.text

    def test_an_app_without_any_shows_no_heading(self, desk: FlaskClient) -> None:
        ANSWERS.append(lambda **_: ())
        page = desk.get("/support/audit-log").text
        assert "own events" not in page
        assert "own audit events" not in page


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

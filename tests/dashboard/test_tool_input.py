"""Whatever is typed into a tool's form is proposed or refused: no text breaks the page."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import Operator, governance
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.dashboard import tool_forms
from flask_cairnloop.governance import ProposalStatus
from flask_cairnloop.host.tool import ALLOW, Tool
from tests.dashboard.conftest import HTMX

OUR_OWN = [
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "NaN",
    "-Infinity",
    "1e999",
    "9" * 5_000,
    "[" * 5_000,
    '{"a": NaN}',
    '{"a": {"a": [1e999]}}',
    "{{ 7*7 }}{% raw %}",
    "'; DROP TABLE cairnloop.cairnloop_tool_proposals; --",
    "<script>alert(1)</script>",
    "٣",
    "\u202eright to left",
    "👩‍👩‍👧‍👦" * 40,
    "x" * 70_000,
]


class Everything(Tool, risk_tier="low_write", sensitive=("pin",)):
    """An input of every kind."""

    words: str
    whole: int | None = None
    part: float | None = None
    day: date | None = None
    moment: datetime | None = None
    flag: bool = False
    tags: list[str] | None = None
    more: dict[str, Any] | None = None
    pin: str = ""

    @classmethod
    def scope(cls) -> set[str]:
        return set()

    def authorize(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        return ALLOW

    def preview(self) -> str:
        return f"Does {self.words}."

    def run(self, actor_id: str, context: Mapping[str, Any]) -> None:
        raise AssertionError("nobody approved this")


@pytest.fixture
def host_settings() -> dict[str, object]:
    return {"CAIRNLOOP_TOOLS": (Everything,), "CAIRNLOOP_EMBEDDER": None}


def strings() -> list[str]:
    """Our own, and those of ``CAIRNLOOP_DATA``: about twenty of them, or all with ``CAIRNLOOP_TORTURE=full``."""
    folder = os.environ.get("CAIRNLOOP_DATA")
    place = Path(folder, "security", "naughty_strings.json") if folder else None
    outside = json.loads(place.read_text(encoding="utf-8")) if place and place.exists() else []
    return OUR_OWN + (outside if os.environ.get("CAIRNLOOP_TORTURE") == "full" else outside[:: len(outside) // 20 or 1])


def test_every_naughty_string_is_proposed_or_refused(
    desk: FlaskClient, thread: Conversation, operator: Operator
) -> None:
    fields = [f"input.{name}" for name in Everything.model_fields]
    proposed = refused = 0
    for string in strings():
        typed = string.encode("utf-8", "surrogatepass")
        for names in (["input.words"], fields):
            data = {"tool": "everything", "input.words": b"x"} | dict.fromkeys(names, typed)
            answer = desk.post(f"/support/{thread.id}/actions", data=data, headers=HTMX)
            assert answer.status_code in (200, 413, 422), string[:80]
            proposed, refused = proposed + (answer.status_code == 200), refused + (answer.status_code != 200)
            assert "<script>alert(1)" not in answer.text
    assert proposed >= 10
    assert refused >= 15
    assert desk.get("/support/approvals").status_code == 200
    assert desk.get(f"/support/{thread.id}").status_code == 200
    assert "<script>alert(1)" not in desk.get("/support/approvals").text


@pytest.mark.parametrize("field", ["part", "more"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"deep": [float("-inf")]}])
def test_a_number_that_is_none_is_refused_at_its_field(
    thread: Conversation, operator: Operator, field: str, value: Any
) -> None:
    given = {"n": value} if field == "more" else value
    made = governance.propose("everything", {"words": "x", field: given}, by=operator)
    assert made.status == ProposalStatus.NEEDS_INPUT
    assert next(iter(made.errors)).split(".")[0] == field


def test_what_is_typed_wrong_is_told_and_not_logged(
    desk: FlaskClient, thread: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    data = {"tool": "everything", "input.words": "x", "input.whole": "my-secret-pin"}
    answer = desk.post(f"/support/{thread.id}/actions", data=data, headers=HTMX)
    assert answer.status_code == 422
    assert "my-secret-pin" not in caplog.text
    assert "ERROR" not in caplog.text


def test_inputs_are_called_what_the_tool_calls_them() -> None:
    schema = {"charge_id": {"title": "Charge Id"}, "n": {"title": "How many"}, "bare_one": {}}
    assert [tool_forms.label(name, each) for name, each in schema.items()] == ["Charge id", "How many", "Bare one"]

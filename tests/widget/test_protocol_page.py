"""docs/widget-protocol.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from flask_cairnloop.assets import folder
from flask_cairnloop.widget import frames, limits, session, socket, wire

PAGE = (Path(__file__).parents[2] / "docs" / "widget-protocol.md").read_text()
FILES = folder("static") / "cairnloop" / "widget"


def section(name: str) -> str:
    return re.split(r"^#+ ", PAGE.split(f"{name}\n", 1)[1], maxsplit=1, flags=re.M)[0]


def first_cells(name: str) -> list[str]:
    """The first column of the section's first table, without its head."""
    rows = re.split(r"^\|(?: --- \|)+$", section(name), flags=re.M)[1].splitlines()
    return [row.split("|")[1].strip(" `") for row in rows if row.startswith("|")]


@pytest.mark.parametrize(
    ("name", "union"), [("### From the client", frames.Incoming), ("### From the server", frames.Outgoing)]
)
def test_every_frame_is_described_with_its_fields(name: str, union: object) -> None:
    kinds = {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(union)}
    assert sorted(first_cells(name)) == sorted(kinds)
    for word, kind in kinds.items():
        row = next(line for line in section(name).splitlines() if line.startswith(f"| `{word}`"))
        for field in set(kind.model_fields) - {"type"}:
            assert f"`{field}`" in row, f"{word}.{field}"


def test_every_field_of_a_message_is_described() -> None:
    assert all(f"`{field}`" in section("### From the server") for field in frames.Said.model_fields)


def test_every_error_code_is_described() -> None:
    assert sorted(first_cells("### Error codes")) == sorted(frames.ErrorCode)


def test_every_close_code_is_described() -> None:
    own = {
        value
        for module in (session, socket)
        for name, value in vars(module).items()
        if name.startswith("CLOSE_") and isinstance(value, int)
    }
    ours = own | {wire.POLICY_VIOLATION, wire.MESSAGE_TOO_BIG, 1000, 1007}
    assert {int(code) for code in first_cells("### Close codes")} == ours


def test_the_limits_are_those_of_the_code() -> None:
    assert frames.LARGEST_FRAME == 16 * 1024
    assert frames.LARGEST_MESSAGE == 1024 * 1024
    for number in (wire.QUEUED, limits.SOCKETS, session.FIRST_PAGE, session.PAGE, socket.HELLO_WITHIN, wire.SILENCE):
        assert re.search(rf"\b{number:g}\b", PAGE), number
    assert re.search(rf"\b{socket.PING_EVERY:g}\b", PAGE)
    assert limits.FRAMES_PER_MESSAGE == 10


def test_every_attribute_and_property_of_the_element_is_described() -> None:
    script = (FILES / "widget.js").read_text()
    asked_for = set(re.findall(r'(?:get|has|toggle)Attribute\("([a-z-]+)"', script))
    styled = set(re.findall(r":host\S*\[([a-z]+)=", (FILES / "widget.css").read_text()))
    assert set(first_cells("## Two tags")) == asked_for | styled
    used = set(re.findall(r"--cl-widget-[a-z-]+", (FILES / "widget.css").read_text()))
    assert set(re.findall(r"--cl-widget-[a-z-]+", PAGE)) == used


def test_what_is_kept_in_the_browser_is_kept_as_long_as_the_page_says() -> None:
    assert "const KEPT = 7 * 24 * 3600 * 1000" in (FILES / "outbox.js").read_text()
    assert "at most seven\ndays" in PAGE

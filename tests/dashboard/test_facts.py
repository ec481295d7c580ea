from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from flask_cairnloop.dashboard import facts
from flask_cairnloop.dashboard.facts import Fact


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Team", "Team"),
        ("", "—"),
        (None, "—"),
        (True, "Yes"),
        (False, "No"),
        (0, "0"),
        (Decimal("48.00"), "48.00"),
        (date(2026, 5, 12), "12 May 2026"),
        (datetime(2026, 5, 12, 9, 41), "12 May 2026, 09:41"),
        ([], "None"),
        (["a", None, True], "a, —, Yes"),
        ({"x"}, "x"),
        ({}, "None"),
    ],
)
def test_any_plain_value_has_words(value: Any, shown: str) -> None:
    assert facts.read({"plan": value}) == (Fact("Plan", shown),)


def test_a_moment_with_a_zone_stays_a_moment() -> None:
    moment = datetime(2026, 5, 12, tzinfo=UTC)
    assert facts.read({"seen": moment}) == (Fact("Seen", moment),)


@pytest.mark.parametrize(
    ("key", "label"),
    [("last_charge", "Last charge"), ("Active plan", "Active plan"), ("", "Other"), (7, "7"), (None, "None")],
)
def test_keys_become_labels(key: Any, label: str) -> None:
    assert facts.read({key: 1})[0].label == label


def test_mappings_nest() -> None:
    assert facts.read({"plan": {"seats": {"paid": 8}}}) == (
        Fact("Plan", facts=(Fact("Seats", facts=(Fact("Paid", "8"),)),)),
    )


def test_a_list_of_mappings_is_numbered() -> None:
    assert facts.read({"charges": [{"amount": 48}, {"amount": 9}]}) == (
        Fact("Charges", facts=(Fact("1", facts=(Fact("Amount", "48"),)), Fact("2", facts=(Fact("Amount", "9"),)))),
    )


def test_what_never_ends_is_cut() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    depth, level = 0, facts.read(endless)
    while level[0].facts:
        depth, level = depth + 1, level[0].facts
    assert depth < 10
    assert level[0].value == "Nested too deeply to show"
    assert len(facts.read({str(number): number for number in range(1000)})) == facts.LONGEST + 1
    assert len(str(facts.read({"text": "x" * 100_000})[0].value)) == facts.TEXT

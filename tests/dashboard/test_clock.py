from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from flask_cairnloop.core.current import at
from flask_cairnloop.dashboard import clock

NOW = datetime(2026, 5, 12, 22, 30, tzinfo=UTC)


@pytest.fixture
def berlin() -> Iterator[None]:
    with Flask("clock").test_request_context(headers={"Cookie": "cl_zone=Europe/Berlin"}), at(NOW):
        yield


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-5), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=23), "23 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=6, hours=23), "6 d"),
        (timedelta(days=7), "6 May"),
        (timedelta(days=365), "13 May 2025"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_how_long_ago(ago: timedelta, words: str) -> None:
    assert clock.relative(NOW - ago) == words


@pytest.mark.usefixtures("berlin")
def test_moments_stand_in_the_operators_zone() -> None:
    assert clock.clock(NOW) == "00:30"
    assert clock.exact(NOW) == "Wed 13 May 2026, 00:30"
    assert clock.today() == date(2026, 5, 13)


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "x" * 5000, "/etc/localtime"])
def test_a_zone_there_is_none_of_means_utc(zone: str) -> None:
    with Flask("clock").test_request_context(headers={"Cookie": f"cl_zone={zone}"}):
        assert clock.clock(NOW) == "22:30"


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (date(2026, 5, 13), "Today"),
        (date(2026, 5, 12), "Yesterday"),
        (date(2026, 5, 10), "Sunday 10 May"),
        (date(2026, 5, 1), "1 May 2026"),
        (date(2026, 5, 14), "14 May 2026"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_days_are_named_as_people_name_them(of: date, words: str) -> None:
    assert clock.day(of) == words

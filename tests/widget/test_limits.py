"""How much one customer may ask of a process."""

from __future__ import annotations

import time

import pytest

from flask_cairnloop.widget import limits
from flask_cairnloop.widget.limits import SOCKETS, Bucket, Customers
from flask_cairnloop.widget.origin import allowed

MINA, TOM = ("", "mina"), ("", "tom")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    return moment


def test_a_minutes_worth_may_come_at_once_and_then_evenly(clock: list[float]) -> None:
    bucket = Bucket(60)
    assert [bucket.take() for _ in range(60)] == [0.0] * 60
    assert bucket.take() == pytest.approx(1.0)
    clock[0] += 1.0
    assert bucket.take() == 0.0
    assert bucket.take() > 0
    clock[0] += 3600
    assert [bucket.take() for _ in range(60)] == [0.0] * 60
    assert bucket.take() > 0, "quiet hours are not saved up"


def test_one_customer_does_not_use_up_anothers_share(clock: list[float]) -> None:
    customers = Customers(2)
    assert [customers.take(MINA) for _ in range(2)] == [0.0, 0.0]
    assert customers.take(MINA) > 0
    assert customers.take(TOM) == 0.0
    assert customers.take(("acme", "mina")) == 0.0, "another tenant's mina is somebody else"


def test_customers_at_rest_are_forgotten_and_busy_ones_are_not(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FORGET_ABOVE", 100)
    customers = Customers(1)
    for number in range(100):
        customers.take(("", f"old {number}"))
    clock[0] += 60
    customers.take(MINA)
    for number in range(200):
        customers.take(("", f"new {number}"))
    assert customers.take(MINA) > 0
    assert customers.take(("", "new 0")) > 0
    assert len(customers._buckets) <= 202, "those that had rested a minute are gone"


def test_a_customer_holds_so_many_sockets_and_gives_them_back() -> None:
    customers = Customers(60)
    places = [customers.place() for _ in range(SOCKETS)]
    taken = [place.__enter__() for place in places]
    assert all(place.take(MINA) for place in taken)
    with customers.place() as one_more:
        assert not one_more.take(MINA)
        assert one_more.take(TOM)
    assert taken[0].take(MINA), "the same customer again needs no second place"
    places[0].__exit__(None, None, None)
    with customers.place() as next_one:
        assert next_one.take(MINA)


@pytest.mark.parametrize(
    ("origin", "host", "others", "answer"),
    [
        ("https://app.example", "app.example", (), True),
        ("https://APP.example", "app.example:443", (), True),
        ("http://app.example:8000", "app.example:8000", (), True),
        ("http://app.example:8000", "app.example:9000", (), False),
        ("https://evil.example", "app.example", (), False),
        ("https://app.example.evil.example", "app.example", (), False),
        ("https://shop.example", "app.example", ("https://shop.example",), True),
        ("https://shop.example.evil.example", "app.example", ("https://shop.example",), False),
        ("null", "app.example", (), False),
        (None, "app.example", (), False),
        ("", "app.example", (), False),
        (None, "app.example", ("*",), True),
        ("https://evil.example", "app.example", ("*",), True),
    ],
)
def test_pages_of_other_origins_stay_outside(
    origin: str | None, host: str, others: tuple[str, ...], answer: bool
) -> None:
    assert allowed(origin, host, others) is answer

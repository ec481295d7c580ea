from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from flask_cairnloop.core.limits import TimeLimitExceeded, time_limit


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No alarm of one test rings in another."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def nested(seconds: float) -> None:
    """A block in a block of its own, and then a long wait."""
    with time_limit(5):
        time.sleep(seconds)
    time.sleep(5)


def test_a_block_is_cut_when_its_time_is_over() -> None:
    started = time.monotonic()
    with pytest.raises(TimeLimitExceeded), time_limit(0.05):
        time.sleep(5)
    assert time.monotonic() - started < 2


def test_foreign_code_does_not_swallow_the_cut_by_accident() -> None:
    def swallow() -> None:
        try:
            time.sleep(5)
        except Exception:
            pytest.fail("the cut was taken for a failure")

    with pytest.raises(TimeLimitExceeded), time_limit(0.05):
        swallow()


def test_a_block_in_time_is_left_alone_and_no_alarm_rings_later() -> None:
    with time_limit(0.05):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    time.sleep(0.08)


def test_what_the_block_raises_passes_and_the_handler_stands_again() -> None:
    rang: list[int] = []

    def ring(number: int, frame: object) -> None:
        rang.append(number)

    signal.signal(signal.SIGALRM, ring)
    with pytest.raises(KeyError), time_limit(5):
        raise KeyError
    assert signal.getsignal(signal.SIGALRM) is ring
    with pytest.raises(TimeLimitExceeded), time_limit(0.02):
        time.sleep(5)
    assert signal.getsignal(signal.SIGALRM) is ring
    assert rang == []


def test_a_limit_further_out_keeps_counting() -> None:
    started = time.monotonic()
    with pytest.raises(TimeLimitExceeded), time_limit(0.2):
        nested(0.1)
    assert 0.15 < time.monotonic() - started < 2


def test_a_limit_that_ran_out_meanwhile_cuts_at_once() -> None:
    with pytest.raises(TimeLimitExceeded), time_limit(0.02):
        nested(0.05)


def test_a_cut_inside_leaves_the_limit_outside_standing() -> None:
    with time_limit(5):
        with pytest.raises(TimeLimitExceeded), time_limit(0.02):
            time.sleep(5)
        left, _ = signal.getitimer(signal.ITIMER_REAL)
    assert 3 < left <= 5


def test_outside_the_main_thread_a_block_runs_unlimited() -> None:
    done: list[bool] = []

    def work() -> None:
        with time_limit(0.01):
            time.sleep(0.05)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5)
    assert done == [True]

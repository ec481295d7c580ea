from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from flask_cairnloop.knowledge import Change, ChangeKind, compare

LINES = st.lists(st.sampled_from(["", "one", "two words", "three little words", "four", "a b c d e"]), max_size=14)


def rebuilt(changes: list[Change], *, without: ChangeKind) -> str:
    return "\n".join(line.text for change in changes if change.kind != without for line in change.lines)


@given(LINES, LINES)
def test_the_changes_lead_from_the_old_text_to_the_new_one(before: list[str], after: list[str]) -> None:
    old, new = "\n".join(before), "\n".join(after)
    changes = compare(old, new)
    if old == new:
        assert changes == []
        return
    assert rebuilt(changes, without=ChangeKind.REMOVED) == new
    assert rebuilt(changes, without=ChangeKind.ADDED) == old
    for change in changes:
        for line in change.lines:
            assert line.old is None or old.split("\n")[line.old - 1] == line.text
            assert line.new is None or new.split("\n")[line.new - 1] == line.text


def test_the_words_that_differ_are_marked() -> None:
    removed, added = compare("Refunds take five days.", "Refunds take ten days.")
    assert [span.text for span in removed.lines[0].spans if span.changed] == ["five"]
    assert [span.text for span in added.lines[0].spans if span.changed] == ["ten"]


def test_a_line_that_has_little_in_common_is_not_picked_apart() -> None:
    removed, _ = compare("Refunds take five days.", "The shop opens at nine.")
    assert len(removed.lines[0].spans) == 1


def test_long_unchanged_stretches_are_folded() -> None:
    lines = [f"line {number}" for number in range(60)]
    changes = compare("\n".join(lines), "\n".join([*lines[:30], "new", *lines[30:]]))
    assert [change.kind.value for change in changes] == ["folded", "same", "added", "same", "folded"]
    assert [len(change.lines) for change in changes] == [27, 3, 1, 3, 27]


def test_the_longest_articles_are_compared_in_a_second() -> None:
    chance = random.Random(7)
    old = "\n".join(f"line {number} of many" for number in range(9_000))
    new = "\n".join(f"line {number * 7} of much" for number in range(9_000))
    letters = [" ".join(chance.choices("abcdefgh", k=50)) for _ in range(3_900)]
    few = ["".join(chance.choices(["", "x", "y"])) for _ in range(4_000)]
    pairs = [
        (old, new),
        ("x" * 200_000, "y" * 200_000),
        ("a b " * 50_000, "b a " * 50_000),
        ("\n" * 199_000 + "b", "a" + "\n" * 199_000),
        ("\n".join(letters[:1950]), "\n".join(letters[1950:])),
        ("\n".join(few[:2000]), "\n".join(few[2000:])),
    ]
    for before, after in pairs:
        started = time.process_time()
        changes = compare(before, after)
        assert time.process_time() - started < 6, "about a second on an idle machine"
        assert rebuilt(changes, without=ChangeKind.REMOVED) == after

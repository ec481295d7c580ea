"""What a host says about a customer, as headings, labels and values: any mapping it returns can be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

DEEPEST = 6  # levels of nesting shown
LONGEST = 60  # entries shown at one level
TEXT = 2_000  # characters of one value


@dataclass(frozen=True)
class Fact:
    """A label with one value, or with facts of its own."""

    label: str
    value: str | datetime | None = None
    facts: tuple[Fact, ...] = ()


def read(found: Mapping[Any, Any]) -> tuple[Fact, ...]:
    """The mapping as facts."""
    return tuple(_facts(found.items(), depth=1))


def _facts(items: Iterable[tuple[Any, Any]], *, depth: int) -> Iterable[Fact]:
    for number, (key, value) in enumerate(items):
        if number == LONGEST:
            yield Fact("…", "More was supplied than fits here")
            return
        yield _fact(label(key), value, depth)


def _fact(name: str, value: Any, depth: int) -> Fact:
    if isinstance(value, Mapping):
        nested: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple | set | frozenset):
        if not any(isinstance(each, Mapping | list | tuple) for each in value):
            return Fact(name, ", ".join(text(each) for each in value) or "None")
        nested = ((str(place), each) for place, each in enumerate(value, start=1))
    else:
        return Fact(name, value if isinstance(value, datetime) and value.tzinfo else text(value))
    if depth == DEEPEST:
        return Fact(name, "Nested too deeply to show")
    return Fact(name, facts=tuple(_facts(nested, depth=depth + 1))) if nested else Fact(name, "None")


def label(key: Any) -> str:
    """A key as an operator reads it: "last_charge" is "Last charge"."""
    words = str(key).replace("_", " ").strip()
    return words[:1].upper() + words[1:200] if words else "Other"


def text(value: Any) -> str:
    """A plain value in words."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return f"{value.day} {value:%b %Y, %H:%M}"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    return str(value)[:TEXT]

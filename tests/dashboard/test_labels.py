from __future__ import annotations

import importlib
import pkgutil
import re
from enum import StrEnum
from pathlib import Path

import pytest

import flask_cairnloop
from flask_cairnloop.assets import folder
from flask_cairnloop.dashboard.display import Display
from flask_cairnloop.dashboard.forms import ComposerKind
from flask_cairnloop.dashboard.labels import LABELS, Tone

#: Words no operator reads: a form's and a stylesheet's own.
UNSEEN = {ComposerKind, Tone}
#: Words of the parser, of the claim gate and of the command line, which no screen shows.
ELSEWHERE = {"BlockKind", "FactKind", "Fate", "Written"}


def kinds() -> list[type[StrEnum]]:
    """Every StrEnum of the package."""
    for module in pkgutil.walk_packages(flask_cairnloop.__path__, "flask_cairnloop."):
        if not module.name.endswith("__main__") and ".embedded" not in module.name:
            importlib.import_module(module.name)
    found = [kind for kind in StrEnum.__subclasses__() if kind.__module__.startswith("flask_cairnloop.")]
    return sorted(set(found) - UNSEEN, key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("kind", sorted(LABELS, key=lambda kind: kind.__name__))
def test_every_member_has_its_words(kind: type[StrEnum]) -> None:
    assert set(LABELS[kind]) == set(kind)
    for label in LABELS[kind].values():
        assert label.word.strip() == label.word != ""


def test_every_status_an_operator_may_meet_is_in_the_table() -> None:
    records = ("conversations", "drafts", "governance.models", "knowledge", "host", "retrieval")
    records += ("core.jobs", "dashboard.labels")
    met = [kind for kind in kinds() if kind.__module__.removeprefix("flask_cairnloop.").startswith(records)]
    assert {kind.__name__ for kind in met} - {kind.__name__ for kind in LABELS} - ELSEWHERE == set()


def test_every_icon_stands_in_the_sprite() -> None:
    root = Path(folder("static")) / "cairnloop"
    symbols = set(re.findall(r'<symbol id="([\w-]+)"', (root / "icons.svg").read_text()))
    named = {label.icon for labels in LABELS.values() for label in labels.values() if label.icon}
    for template in (Path(folder("templates")) / "cairnloop").rglob("*.html"):
        named |= set(re.findall(r'icon\("([\w-]+)"\)', template.read_text()))
        named |= set(re.findall(r'empty\("([\w-]+)"', template.read_text()))
    assert named - symbols == set()


def test_every_tone_has_a_colour() -> None:
    chips = (Path(folder("static")) / "cairnloop/css/components/chip.css").read_text()
    assert [tone for tone in Tone if f".cl-tone-{tone.value} " not in chips] == []


@pytest.mark.parametrize(
    ("number", "shown"), [(None, "–"), (0, "0"), (7, "7"), (500, "500"), (501, "500+"), (9_000, "500+")]
)
def test_counts_are_bounded_and_an_unread_one_is_no_zero(number: int | None, shown: str) -> None:
    assert Display().count(number) == shown


@pytest.mark.parametrize(("name", "initials"), [("Ada Osei", "AO"), ("ada", "A"), ("Ana de la Cruz", "AC"), (" ", "?")])
def test_initials(name: str, initials: str) -> None:
    assert Display().initials(name) == initials

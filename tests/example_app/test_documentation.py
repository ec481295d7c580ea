"""What the pages for readers say is true of the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

import flask_cairnloop
from flask_cairnloop.config import Settings, keys

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Variables of the environment that are no settings of an app.
VARIABLES = {"CAIRNLOOP_CHROMIUM", "CAIRNLOOP_BROWSER", "CAIRNLOOP_DATA", "CAIRNLOOP_TORTURE"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_settings_that_exist(page: Path) -> None:
    # the misspelt one is the example of a fault
    named = set(re.findall(r"CAIRNLOOP_[A-Z_]+[A-Z]", page.read_text())) - {"CAIRNLOOP_URLPREFIX"}
    assert named - VARIABLES <= set(keys())


def test_every_setting_is_described_once_with_its_default() -> None:
    rows = re.findall(r"^\| `(CAIRNLOOP_\w+)` \| (.+?) \|", (ROOT / "docs" / "configuration.md").read_text(), re.M)
    defaults = {f"CAIRNLOOP_{each.name.upper()}": each.default for each in fields(Settings)}

    assert sorted(name for name, _ in rows) == sorted(defaults)
    for name, said in rows:
        if said.startswith("`"):
            assert said.strip("`") in {str(defaults[name]), f"{defaults[name]}0"}, name


def test_the_names_of_the_original_are_here_or_said_to_be_coming() -> None:
    here, coming = (ROOT / "docs" / "coming-from-elixir.md").read_text().split("## Named, and coming")

    for name in ("ContextProvider", "AutomationPolicy", "Embedder", "DraftGenerator", "Auditor", "HostFailure", "Tool"):
        assert f"`{name}" in here
        assert hasattr(flask_cairnloop, name)
    for name in ("Notifier", "SLAPolicyProvider"):
        assert f"`{name}`" in coming
        assert not hasattr(flask_cairnloop, name), f"{name} has arrived: move its row"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_only_to_pages_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target

"""The widget's files: small, kept long, served to everybody."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_cairnloop.assets import folder

FILES = folder("static") / "cairnloop" / "widget"
SCRIPTS = sorted(FILES.glob("*.js"))


def test_all_scripts_together_are_at_most_fifteen_kilobytes_compressed() -> None:
    assert len(SCRIPTS) > 3
    assert sum(len(gzip.compress(script.read_bytes())) for script in SCRIPTS) <= 15 * 1024


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_parses_text_as_html_or_code(script: Path) -> None:
    source = script.read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc", source)
    assert not re.search(r"""from\s+["'](?!\./)""", source), "imports are relative"


def test_the_stylesheet_asks_for_nothing_from_elsewhere() -> None:
    assert not re.search(r"@import|url\(", (FILES / "widget.css").read_text())


def test_the_entry_names_the_present_version_and_is_kept_for_minutes(client: FlaskClient) -> None:
    entry = client.get("/support/widget/widget.js")
    assert entry.mimetype == "text/javascript"
    assert entry.cache_control.max_age == 300
    name = re.fullmatch(r'import "\./(assets/[0-9a-f]{12}/widget\.js)";\n', entry.text)
    assert name is not None
    with client.get(f"/support/widget/{name[1]}") as script:
        assert script.text == (FILES / "widget.js").read_text()
        assert script.mimetype in {"text/javascript", "application/javascript"}
        assert script.cache_control.immutable
        assert script.cache_control.max_age == 31_536_000
    again = client.get("/support/widget/widget.js", headers={"If-None-Match": entry.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", [path.name for path in FILES.iterdir()])
def test_every_file_is_served_to_anybody(client: FlaskClient, name: str) -> None:
    with client.get(f"/support/widget/assets/other/{name}") as answer:
        assert answer.status_code == 200
        assert not answer.cache_control.immutable, "an address of another version is not kept"


@pytest.mark.parametrize("name", ["../cairnloop.css", "../../widget.css", "nothing.js", "..%2f..%2fpyproject.toml", ""])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/support/widget/assets/other/{name}").status_code in {404, 308}


def test_the_version_follows_the_contents(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flask_cairnloop.widget import assets

    for path in FILES.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(assets, "_root", lambda: tmp_path)
    monkeypatch.setattr(app, "debug", True)
    before = assets.assets_version()
    (tmp_path / "view.js").write_text("// changed")
    assert assets.assets_version() != before


def test_a_page_that_asks_without_upgrading_is_told_so(client: FlaskClient) -> None:
    assert client.get("/support/widget/socket").status_code == 400

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flask_cairnloop.assets import folder

ROOT = Path(folder("templates")) / "cairnloop"
TEMPLATES = sorted(path for path in ROOT.rglob("*.html"))
STYLES = sorted((Path(folder("static")) / "cairnloop/css").rglob("*.css"))
SCRIPTS = sorted((Path(folder("static")) / "cairnloop/js").rglob("*.js"))


def name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
class TestEveryTemplate:
    def test_begins_by_saying_what_it_needs(self, path: Path) -> None:
        assert path.read_text().startswith("{#- ")

    def test_keeps_its_budget(self, path: Path) -> None:
        assert len(path.read_text().splitlines()) <= 80

    def test_has_no_inline_style_script_or_handler(self, path: Path) -> None:
        source = path.read_text()
        assert not re.search(r"\sstyle\s*=", source)
        assert not re.search(r"<style\b", source)
        assert not re.search(r"\son\w+\s*=", source)
        assert not re.search(r"<script\b(?![^>]*\bsrc=)", source)

    def test_asks_the_browser_to_evaluate_nothing(self, path: Path) -> None:
        source = path.read_text()
        assert "hx-on" not in source
        assert not re.search(r'hx-\w+="js:', source)
        assert not re.search(r'hx-trigger="[^"]*\[', source)
        assert "javascript:" not in source

    def test_never_trusts_a_value_to_be_markup(self, path: Path) -> None:
        assert not re.search(r"\|\s*safe\b", path.read_text())
        assert "autoescape false" not in path.read_text()

    def test_uses_only_our_classes(self, path: Path) -> None:
        for classes in re.findall(r'class="([^"{]*)', path.read_text()):
            assert [each for each in classes.split() if not each.startswith(("cl-", "is-"))] == []

    def test_names_routes_so_that_a_second_mount_keeps_its_own(self, path: Path) -> None:
        endpoints = re.findall(r"url_for\(\s*['\"]([^'\"]+)", path.read_text())
        assert [each for each in endpoints if not each.startswith(".")] == []

    def test_every_form_works_without_script(self, path: Path) -> None:
        for form in re.findall(r"<form\b[^>]*>", path.read_text(), re.DOTALL):
            if 'method="dialog"' not in form:
                assert "action=" in form
                assert "method=" in form


@pytest.mark.parametrize("path", STYLES, ids=name)
class TestEveryStylesheet:
    def test_uses_only_our_classes(self, path: Path) -> None:
        source = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        names = re.findall(r"(?<![\w)])\.([a-zA-Z][\w-]*)", re.sub(r'"[^"]*"', "", source))
        assert [each for each in names if not each.startswith(("cl-", "is-", "htmx-"))] == []

    def test_takes_its_colours_from_the_tokens(self, path: Path) -> None:
        if path.name != "tokens.css":
            assert re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text()) == []

    def test_loads_nothing_from_elsewhere(self, path: Path) -> None:
        assert "http" not in path.read_text()
        assert "@import" not in path.read_text()


def test_every_class_a_template_uses_has_a_rule_and_every_rule_a_use() -> None:
    styled = set(re.findall(r"\.(cl-[\w-]+)", "".join(path.read_text() for path in STYLES)))
    markup = "".join(path.read_text() for path in [*TEMPLATES, *SCRIPTS])
    built = {f"cl-{kind}" for kind in re.findall(r"cl-((?:tone|message|draft|action|avatar)-+)", markup)}
    unused = {each for each in styled if each not in markup and not each.startswith(tuple(built))}
    assert unused == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_every_behaviour_is_short_and_needs_no_eval(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= 60
    for forbidden in ("eval(", "new Function", "innerHTML", "document.write", "insertAdjacentHTML"):
        assert forbidden not in source


def test_every_behaviour_named_in_a_template_is_registered() -> None:
    used = set(" ".join(re.findall(r'data-cl="([^"]+)"', "".join(path.read_text() for path in TEMPLATES))).split())
    registry = (Path(folder("static")) / "cairnloop/js/cairnloop.js").read_text()
    line = re.search(r"const behaviours = \{(.+?)\};", registry, re.DOTALL)
    assert line is not None
    registered = {part.split(":")[0].strip().strip('"') for part in line.group(1).split(",")}
    assert used == registered

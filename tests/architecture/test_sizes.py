from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "flask_cairnloop").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[0]
            start = first.end_lineno if _is_docstring(first) else node.lineno
            assert start is not None
            assert node.end_lineno is not None
            assert node.end_lineno - start <= 40, f"{node.name} is too long"


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 80


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_but_the_transaction_commits(path: Path) -> None:
    if path.name in {"database.py"} and path.parent.name == "core":
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    commits = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"]
    assert commits == []


def test_settings_are_read_in_one_place() -> None:
    readers = [path for path in MODULES if "app.config" in _code(path)]
    assert [path.name for path in readers] == ["extension.py"]


def _code(path: Path) -> str:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and _is_docstring(node.body[0]):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)

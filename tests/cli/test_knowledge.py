from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from flask_cairnloop import Operator, knowledge
from flask_cairnloop.cli import cairnloop
from tests.support.embedders import WordEmbedder


@pytest.fixture
def host_settings() -> dict[str, object]:
    return {"CAIRNLOOP_EMBEDDER": WordEmbedder()}


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(cairnloop, ["kb", *map(str, arguments)])


def write(folder: Path, **pages: str) -> None:
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text)


def test_a_knowledge_base_arrives_in_one_command(app: Flask, operator: Operator, tmp_path: Path) -> None:
    write(tmp_path, huts="# Huts\n\nEvery hut has water.", ridge_paths="Closed in strong wind.")
    result = run(app, "import", tmp_path)
    assert (result.exit_code, result.stdout) == (0, "added     huts.md\nadded     ridge_paths.md\n2 added\n")
    titles = {article.title for article in knowledge.list_articles(visible_to=operator)}
    assert titles == {"Huts", "Ridge paths"}
    assert run(app, "import", tmp_path).stdout == "2 unchanged\n"


def test_files_that_cannot_be_taken_are_named_at_the_end(app: Flask, tmp_path: Path) -> None:
    write(tmp_path, good="Every hut has water.", empty=" \n", huge="x" * 200_001)
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    (tmp_path / "out.md").symlink_to("/etc/hostname")
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    result = run(app, "import", tmp_path)
    assert result.exit_code == 1
    assert result.stdout == "added     good.md\n5 failed, 1 added\n"
    for line in (
        "failed    empty.md: content: cannot be empty",
        "failed    gone.md: file: is no regular file",
        "failed    huge.md: content: is 200,001 characters long; 200,000 are allowed",
        "failed    latin.md: file: is not UTF-8 text",
        "failed    out.md: file: is a link that leads out of the folder",
    ):
        assert line in result.stderr


def test_a_dry_run_changes_nothing(app: Flask, operator: Operator, tmp_path: Path) -> None:
    write(tmp_path, huts="Every hut has water.")
    assert (
        "Nothing was changed; this would happen:\nadded     huts.md\n"
        in run(app, "import", tmp_path, "--dry-run").stdout
    )
    assert knowledge.list_articles(visible_to=operator) == []


def test_an_empty_folder_archives_nothing(app: Flask, operator: Operator, tmp_path: Path) -> None:
    write(tmp_path, huts="Every hut has water.")
    run(app, "import", tmp_path)
    (tmp_path / "huts.md").unlink()
    result = run(app, "import", tmp_path, "--prune")
    assert result.exit_code == 1
    assert "no Markdown files" in result.stderr
    (article,) = knowledge.list_articles(visible_to=operator)
    assert article.status == knowledge.ArticleStatus.PUBLISHED


def test_what_is_exported_comes_back_unchanged(app: Flask, tmp_path: Path) -> None:
    write(tmp_path, huts="# Huts\n\nEvery hut has water.", wind="# Wind\n\nClosed.")
    run(app, "import", tmp_path, "--tenant", "north")
    folder = tmp_path / "out" / "again"
    result = run(app, "export", folder, "--tenant", "north")
    assert (result.exit_code, result.stdout) == (0, "2 written\n")
    assert (folder / "huts.md").read_text() == "# Huts\n\nEvery hut has water.\n"
    assert run(app, "import", folder, "--tenant", "north").stdout == "2 unchanged\n"
    assert run(app, "export", folder, "--tenant", "north").stdout == "2 unchanged\n"
    assert run(app, "export", folder / "other").stdout == "nothing to do\n"


def test_an_export_leaves_other_files_alone(app: Flask, tmp_path: Path) -> None:
    write(tmp_path, huts="Every hut has water.")
    run(app, "import", tmp_path)
    folder = tmp_path / "out"
    folder.mkdir()
    write(folder, huts="My own notes.")
    result = run(app, "export", folder)
    assert result.exit_code == 1
    assert "foreign   huts.md: another file stands there" in result.stderr
    assert (folder / "huts.md").read_text() == "My own notes."
    assert run(app, "export", folder, "--force").stdout == "1 written\n"
    assert "Every hut has water." in (folder / "huts.md").read_text()

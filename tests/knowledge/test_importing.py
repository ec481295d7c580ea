from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_cairnloop import Operator, knowledge
from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.core.database import session
from flask_cairnloop.knowledge import Article, ArticleStatus, Export, Fate, Import, Outcome, Revision, Written


def bring(folder: Path, **options: bool) -> list[Outcome]:
    run = Import(folder, **options)  # type: ignore[arg-type]
    files = run.files()
    return [*(run.bring(found) for found in files), *run.missing(files)]


def fates(folder: Path, **options: bool) -> list[Fate]:
    return [outcome.fate for outcome in bring(folder, **options)]


def the_article(operator: Operator) -> Article:
    session().expire_all()
    (article,) = knowledge.list_articles(visible_to=operator)
    return article


def live_words(operator: Operator) -> str | None:
    live = knowledge.live_revision(the_article(operator).id, visible_to=operator)
    return live.content if live else None


@pytest.fixture
def page(app: Flask, tmp_path: Path) -> Path:
    place = tmp_path / "paths" / "ridge-paths.md"
    place.parent.mkdir()
    place.write_text("# Ridge paths\n\nClosed in strong wind.\n")
    assert fates(tmp_path) == [Fate.ADDED]
    return place


@pytest.fixture
def folder(page: Path, tmp_path: Path) -> Path:
    return tmp_path


def test_a_file_becomes_a_published_article_known_by_its_path(folder: Path, operator: Operator) -> None:
    article = the_article(operator)
    assert (article.title, article.path) == ("Ridge paths", "paths/ridge-paths.md")
    assert article.status == ArticleStatus.PUBLISHED
    live = knowledge.live_revision(article.id, visible_to=operator)
    assert live is not None
    assert (live.content, live.author_name) == ("Closed in strong wind.", "Import")


def test_importing_again_changes_nothing_at_all(folder: Path, operator: Operator) -> None:
    def written() -> tuple[int | None, int | None]:
        counts = (select(func.count()).select_from(kind) for kind in (Revision, AuditEvent))
        return tuple(session().scalar(count) for count in counts)  # type: ignore[return-value]

    before = written()
    assert fates(folder) == [Fate.UNCHANGED]
    assert written() == before


def test_changed_words_become_the_next_version(page: Path, folder: Path, operator: Operator) -> None:
    page.write_text("# Ridge paths\n\nOpen again.\n")
    assert fates(folder) == [Fate.CHANGED]
    assert live_words(operator) == "Open again."
    page.write_text("# Ridge paths\n\nClosed again.\n")
    assert fates(folder, publishing=False) == [Fate.CHANGED]
    assert live_words(operator) == "Open again."
    assert fates(folder) == [Fate.CHANGED]
    assert live_words(operator) == "Closed again."


def test_a_changed_heading_is_a_new_title(page: Path, folder: Path, operator: Operator) -> None:
    page.write_text("# Crests\n\nClosed in strong wind.\n")
    assert fates(folder) == [Fate.CHANGED]
    assert the_article(operator).title == "Crests"


def test_a_title_given_in_the_desk_stays(page: Path, folder: Path, operator: Operator) -> None:
    knowledge.rename_article(the_article(operator).id, "Crests", by=operator)
    assert fates(folder) == [Fate.UNCHANGED]
    assert the_article(operator).title == "Crests"
    assert fates(folder, forced=True) == [Fate.CHANGED]
    assert the_article(operator).title == "Ridge paths"


def test_words_written_in_the_desk_are_not_overwritten(page: Path, folder: Path, operator: Operator) -> None:
    knowledge.save_draft(the_article(operator).id, "Ask a guide.", by=operator)
    assert fates(folder) == [Fate.UNCHANGED], "the file says nothing new"
    page.write_text("# Ridge paths\n\nOpen again.\n")
    (outcome,) = bring(folder)
    assert (outcome.fate, outcome.reason) == (Fate.CONFLICT, "Ada Osei changed the words in the desk")
    assert live_words(operator) == "Closed in strong wind."
    assert fates(folder, forced=True) == [Fate.CHANGED]
    assert live_words(operator) == "Open again."


def test_what_an_operator_took_back_is_not_published_again(page: Path, folder: Path, operator: Operator) -> None:
    knowledge.unpublish(the_article(operator).id, by=operator)
    assert fates(folder) == [Fate.UNCHANGED]
    page.write_text("# Ridge paths\n\nOpen again.\n")
    assert bring(folder) == [Outcome("paths/ridge-paths.md", Fate.CHANGED, "as a draft")]
    assert the_article(operator).status == ArticleStatus.DRAFT


def test_an_operators_draft_of_the_same_words_is_theirs_to_publish(
    page: Path, folder: Path, operator: Operator
) -> None:
    knowledge.save_draft(the_article(operator).id, "Open again.", by=operator)
    page.write_text("# Ridge paths\n\nOpen again.\n")
    assert fates(folder) == [Fate.UNCHANGED]
    assert live_words(operator) == "Closed in strong wind."


def test_an_article_without_its_file_is_named_and_archived_when_asked(
    page: Path, folder: Path, operator: Operator
) -> None:
    (folder / "other.md").write_text("Other words.")
    text = page.read_text()
    page.unlink()
    assert fates(folder) == [Fate.ADDED, Fate.MISSING]
    assert fates(folder, pruning=True) == [Fate.UNCHANGED, Fate.ARCHIVED]
    assert fates(folder, pruning=True) == [Fate.UNCHANGED]
    page.write_text(text)
    assert fates(folder) == [Fate.UNCHANGED, Fate.CHANGED], "what a prune archived comes back with its file"


def test_an_article_archived_in_the_desk_stays_there(page: Path, folder: Path, operator: Operator) -> None:
    knowledge.archive_article(the_article(operator).id, by=operator)
    assert fates(folder) == [Fate.UNCHANGED]
    page.write_text("# Ridge paths\n\nOpen again.\n")
    assert fates(folder) == [Fate.CONFLICT]
    assert fates(folder, forced=True) == [Fate.CHANGED]
    assert live_words(operator) == "Open again."


def test_pruning_spares_what_was_changed_in_the_desk(page: Path, folder: Path, operator: Operator) -> None:
    knowledge.save_draft(the_article(operator).id, "Ask a guide.", by=operator)
    page.unlink()
    assert fates(folder, pruning=True) == [Fate.CONFLICT]
    assert the_article(operator).status == ArticleStatus.PUBLISHED


def test_a_rehearsal_tells_the_same_and_changes_nothing(page: Path, folder: Path, operator: Operator) -> None:
    page.write_text("# Crests\n\nOpen again.\n")
    (folder / "other.md").write_text("Other words.")
    told = bring(folder, rehearsing=True)
    assert live_words(operator) == "Closed in strong wind."
    assert bring(folder) == told


def test_two_imports_at_once_make_one_article(app: Flask, tmp_path: Path, operator: Operator) -> None:
    for number in range(6):
        (tmp_path / f"page{number}.md").write_text(f"Words {number}.")
    start = threading.Barrier(3)
    outcomes: list[Outcome] = []

    def attempt() -> None:
        with app.app_context():
            start.wait()
            outcomes.extend(bring(tmp_path))

    threads = [threading.Thread(target=attempt) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.fate for outcome in outcomes) == [Fate.ADDED] * 6 + [Fate.UNCHANGED] * 12
    assert len(knowledge.list_articles(visible_to=operator)) == 6


def test_another_tenants_article_of_the_same_path_is_another(folder: Path, operator: Operator) -> None:
    run = Import(folder, tenant="north")
    assert [run.bring(found).fate for found in run.files()] == [Fate.ADDED]
    assert the_article(operator).tenant == ""


def test_links_in_a_ring_and_pipes_are_refused_like_any_unfit_file(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "ring.md").symlink_to(tmp_path / "ring.md")
    os.mkfifo(tmp_path / "pipe.md")
    assert [(each.fate, each.reason) for each in bring(tmp_path)] == [(Fate.FAILED, "file: is no regular file")] * 2


def test_a_folder_that_cannot_be_read_stops_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refuse(place: Path | str) -> object:
        if str(place).endswith("paths"):
            raise PermissionError(13, "Permission denied", str(place))
        return real(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        Import(folder, pruning=True).files()


def test_hidden_files_and_linked_folders_are_passed_over(app: Flask, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "a.md").write_text("x")
    (root / ".draft.md").write_text("x")
    (root / "notes.txt").write_text("x")
    (root / "UP.MARKDOWN").write_text("Loud words.")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("x")
    (root / "linked").symlink_to(outside)
    assert [found.path for found in Import(root).files()] == ["UP.MARKDOWN"]


def test_an_export_never_leaves_its_folder(app: Flask, tmp_path: Path, operator: Operator) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / "linked").symlink_to(outside)
    (inside / "file.md").symlink_to(outside / "file.md")
    for path in ("linked/a.md", "../b.md", "/tmp/c.md", "file.md"):
        article = knowledge.create_article("Page", by=operator)
        article.path = path
        knowledge.save_draft(article.id, "Words.", by=operator)
        knowledge.publish(article.id, by=operator)
    fates = {each.path: each.fate for each in Export(inside).run()}
    assert fates == {
        "linked/a.md": Written.FAILED,
        "../b.md": Written.FAILED,
        "/tmp/c.md": Written.FAILED,
        "file.md": Written.FOREIGN,
    }
    assert list(outside.iterdir()) == []


def test_an_exported_article_is_known_by_its_file_from_then_on(app: Flask, tmp_path: Path, operator: Operator) -> None:
    article = knowledge.create_article("Éclairs & more: “why?”", by=operator)
    knowledge.save_draft(article.id, "# Another heading\n\nWords.", by=operator)
    knowledge.publish(article.id, by=operator)
    (written,) = Export(tmp_path).run()
    assert written.path == f"eclairs-more-why-{article.id}.md"
    assert the_article(operator).path == written.path
    assert fates(tmp_path) == [Fate.UNCHANGED]


def test_an_export_brings_its_own_files_up_to_date(folder: Path, operator: Operator) -> None:
    article = the_article(operator)
    knowledge.save_draft(article.id, "Open again.", by=operator)
    knowledge.publish(article.id, by=operator)
    assert [each.fate for each in Export(folder).run()] == [Written.WRITTEN]
    assert (folder / "paths" / "ridge-paths.md").read_text() == "# Ridge paths\n\nOpen again.\n"
    assert [each.name for each in (folder / "paths").iterdir()] == ["ridge-paths.md"]

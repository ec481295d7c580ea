"""The real thing: Trailmark served by gunicorn, a worker process, and a Chromium."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine, text

from flask_cairnloop.embedded import Servers
from tests.conftest import database_url

FLASK = [sys.executable, "-m", "flask", "--app", "example_app"]
WEB = [sys.executable, "-m", "gunicorn", "-c", "example_app/serving.py", "example_app:create_app()"]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Trailmark:
    """A running Trailmark."""

    url: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def trailmark(
    backing: Servers, administration: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trailmark]:
    """Trailmark with its seeded month, its worker and its web server."""
    name, logs = f"journey_{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("trailmark")
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    port = _free_port()
    environment = os.environ | {
        "DATABASE_URL": database_url(backing, name),
        "CAIRNLOOP_REDIS_URL": backing.redis_url,
        "CAIRNLOOP_QUEUE": name,
        "CAIRNLOOP_DRAFT_DELAY": "0.5",
        "SECRET_KEY": uuid.uuid4().hex,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    for step in ("db upgrade", "cairnloop db upgrade", "trailmark seed", "cairnloop worker --burst"):
        subprocess.run([*FLASK, *step.split()], cwd=ROOT, env=environment, check=True, timeout=120, capture_output=True)
    with ExitStack() as stack:
        for label, command in (("worker", [*FLASK, "cairnloop", "worker"]), ("web", WEB)):
            stack.enter_context(_running(command, environment, logs / f"{label}.log"))
        _wait_for(f"http://127.0.0.1:{port}/")
        yield Trailmark(f"http://127.0.0.1:{port}", environment)


@pytest.fixture
def window(chrome: Browser, trailmark: Trailmark) -> Iterator[Callable[..., Page]]:
    """Open a browser of its own, signed in as somebody; whatever its console complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(person: str, path: str, **options: object) -> Page:
        context = chrome.new_context(base_url=trailmark.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(f"{person}: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto("/login")
        page.get_by_role("button", name=person).click()
        page.wait_for_load_state()
        page.goto(path)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _running:
    """A process that ends with the block."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError(url)

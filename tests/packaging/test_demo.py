"""``make demo``: one command starts everything, Ctrl-C stops everything, and nothing is lost in between."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from flask_cairnloop import embedded

ROOT = Path(__file__).parents[2]


class Running:
    """A started demo, with what it has said so far."""

    def __init__(self, data: Path, log: Path, port: int) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "example_app.demo", "--data", str(data)],
                cwd=ROOT,
                env=os.environ | {"PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def address(self, seconds: float = 90) -> str:
        """The address it prints once it answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"http://127\.0\.0\.1:\d+", self.said):
                return found[0]
            time.sleep(0.1)
        raise AssertionError(f"The demo did not start:\n{self.said}")

    def processes(self) -> list[psutil.Process]:
        """Everything it started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def ended(self, seconds: float = 40) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(seconds)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A folder the servers' account may pass through; one for all, since filling it takes a while."""
    with tempfile.TemporaryDirectory(prefix="cairnloop-") as place:
        Path(place).chmod(0o711)
        yield Path(place) / "demo"
        embedded.erase(Path(place) / "demo" / "servers")


def conversations(page: str) -> int:
    return len(re.findall(r"/support/\d+\b", page))


def test_a_busy_port_is_said_aloud_ctrl_c_leaves_nothing_running_and_the_second_start_reuses_the_data(
    data: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        first = Running(data, tmp_path / "first.log", port)
        address = first.address()
    assert address != f"http://127.0.0.1:{port}"
    assert f"Port {port} is busy" in first.said
    with urllib.request.urlopen(f"{address}/") as answer:
        assert answer.status == 200
        page = answer.read().decode()
    assert conversations(page) > 0, "the start page links to seeded conversations"
    started = first.processes()
    assert len(started) >= 6  # the servers' owner, both servers, web, worker, scheduler
    os.killpg(first.process.pid, signal.SIGINT)
    assert first.ended() == 0
    _, left = psutil.wait_procs(started, timeout=10)
    assert left == []
    assert [line for line in first.said.splitlines() if "Traceback" in line] == []

    second = Running(data, tmp_path / "second.log", port)
    with urllib.request.urlopen(f"{second.address()}/") as answer:
        assert conversations(answer.read().decode()) == conversations(page)
    refused = Running(data, tmp_path / "third.log", port)
    assert refused.ended() == 1
    assert "already running" in refused.said

    started = second.processes()
    web = next(child for child in started if "gunicorn" in " ".join(child.cmdline()))
    web.kill()
    assert second.ended() == 1
    assert "The web process ended by itself" in second.said
    _, left = psutil.wait_procs(started, timeout=10)
    assert left == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_nothing_outlives_a_demo_that_is_killed(data: Path, tmp_path: Path) -> None:
    demo = Running(data, tmp_path / "demo.log", 5050)
    demo.address()
    started = demo.processes()
    demo.process.kill()
    demo.ended()
    _, left = psutil.wait_procs(started, timeout=40)
    assert left == []

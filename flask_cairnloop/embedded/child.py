"""One server process: started so that it cannot outlive us, watched, and stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.embedded.place import Account

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class ServerFailed(CairnloopError):
    """A server could not be started or stopped by itself."""


class Child:
    """A running server. ``stop_signal`` asks it to end; it also gets it when this process dies (on Linux)."""

    def __init__(self, name: str, command: list[str], *, log: Path, account: Account | None, stop_signal: int) -> None:
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=log.parent,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a terminal's Ctrl-C reaches the owner, which stops us in order
                preexec_fn=die_with_parent(stop_signal),
                **identity(account),
            )

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait for a server that has just been started, or say why it did not start."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise ServerFailed(f"{self.name} did not start. It said:\n{self.last_words()}")
            if time.monotonic() > deadline:
                self.stop()
                raise ServerFailed(f"{self.name} was not ready after {seconds:.0f} seconds.\n{self.last_words()}")
            time.sleep(0.02)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def stop(self, seconds: float = 60.0) -> None:
        """Ask it to end and wait; end it by force when it does not."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


class Identity(TypedDict):
    """The arguments by which ``subprocess`` runs something as another account."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def identity(account: Account | None) -> Identity:
    """What ``subprocess`` needs to run something as this account."""
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def environment() -> dict[str, str]:
    """Our environment without what would redirect PostgreSQL's programs, and in plain English for the logs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def free_port(preferred: int | None = None) -> int:
    """A free port of the loopback interface: the preferred one if nobody has taken it meanwhile."""
    for port in (preferred or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerFailed("No port of 127.0.0.1 is free.")


def die_with_parent(number: int) -> Callable[[], None]:
    """A ``preexec_fn``: on Linux, the child gets this signal when we die, even by SIGKILL."""
    owner = os.getpid()

    def ask_the_kernel() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != owner:  # it died before we could ask
                os.kill(os.getpid(), signal.SIGKILL)

    return ask_the_kernel

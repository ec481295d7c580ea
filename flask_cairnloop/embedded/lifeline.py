"""Borrow the two servers for a while: start their owner and hold the pipe whose closing stops it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask_cairnloop.embedded import binaries
from flask_cairnloop.embedded.child import ServerFailed

__all__ = ["ServerFailed", "Servers", "servers"]


@dataclass(frozen=True)
class Servers:
    """The addresses of a running PostgreSQL and Redis, where their data is, and the processes behind them."""

    database_url: str
    redis_url: str
    data: str
    owner_pid: int
    postgres_pid: int
    redis_pid: int


@contextmanager
def servers(directory: Path, *, durable: bool = True) -> Iterator[Servers]:
    """Run both servers in ``directory`` for the length of a ``with`` block.

    The owner is a process of its own, which ends when this one does, however this one ends. ``durable=False`` trades
    safety against a power cut for speed, as tests want.
    """
    binaries.find()
    command = [sys.executable, "-m", "flask_cairnloop.embedded", "--data", str(directory), "--while-stdin-open"]
    if not durable:
        command.append("--throwaway")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints:
        owner = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,  # a terminal's Ctrl-C is ours to handle; the servers outlive our own clean-up
        )
        try:
            yield _addresses(owner, complaints)
        finally:
            owner.communicate()  # closes its standard input


def _addresses(owner: subprocess.Popen[str], complaints: IO[str]) -> Servers:
    assert owner.stdout is not None
    line = owner.stdout.readline()
    if line:
        return Servers(**json.loads(line))
    owner.wait()
    complaints.seek(0)
    raise ServerFailed(complaints.read().strip())

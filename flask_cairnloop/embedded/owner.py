"""The owner: the one process that starts both servers in a data directory and stops them when it ends."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from flask_cairnloop.embedded import binaries, place, postgres, redis_server
from flask_cairnloop.embedded.child import Child, ServerFailed, free_port
from flask_cairnloop.embedded.place import Place

_ATTEMPTS = 3
_SECONDS = 120.0  # a crash recovery may take its time


@dataclass(frozen=True)
class State:
    """What stays the same from one start to the next, so that addresses do too."""

    password: str
    postgres_port: int | None = None
    redis_port: int | None = None


class Owner:
    """Both servers, running."""

    def __init__(self, where: Place, *, durable: bool, say: Callable[[str], None]) -> None:
        self.where = where
        self.durable = durable
        self.say = say
        self.programs = place.reachable(binaries.find(), where.account)
        self.state = _read_state(where.state)
        self.children: list[Child] = []

    def start(self) -> None:
        """Start both and remember their ports."""
        data = self.where.data / "postgres"
        if not data.exists():
            self.say("Creating the database cluster")
        postgres.create(
            self.programs.postgres, data, self.state.password, account=self.where.account, durable=self.durable
        )
        self.say("Starting PostgreSQL and Redis")
        postgres_port = self._bring_up(self._start_postgres, postgres.is_ready, self.state.postgres_port)
        redis_port = self._bring_up(self._start_redis, redis_server.is_ready, self.state.redis_port)
        self.state = State(self.state.password, postgres_port, redis_port)
        _write_state(self.where.state, self.state)

    def stop(self) -> None:
        """Stop both cleanly."""
        for child in reversed(self.children):
            child.stop()

    def dead(self) -> Child | None:
        """A server that has ended by itself."""
        return next((child for child in self.children if child.process.poll() is not None), None)

    def addresses(self) -> dict[str, str | int]:
        """What an application needs to use them, and the process ids for whoever tests their end."""
        assert self.state.postgres_port is not None
        assert self.state.redis_port is not None
        first, second = self.children
        return {
            "database_url": postgres.database_url(self.state.password, self.state.postgres_port),
            "redis_url": redis_server.redis_url(self.state.password, self.state.redis_port),
            "data": str(self.where.data),
            "owner_pid": os.getpid(),
            "postgres_pid": first.process.pid,
            "redis_pid": second.process.pid,
        }

    def _start_postgres(self, port: int) -> Child:
        data, account = self.where.data / "postgres", self.where.account
        log = self.where.data / "postgres.log"
        return postgres.start(self.programs.postgres, data, port, log, account=account, durable=self.durable)

    def _start_redis(self, port: int) -> Child:
        log = self.where.data / "redis.log"
        return redis_server.start(self.programs.redis, port, self.state.password, log, account=self.where.account)

    def _bring_up(self, start: Callable[[int], Child], ready: Callable[[str, int], bool], preferred: int | None) -> int:
        for attempt in range(1, _ATTEMPTS + 1):
            port = free_port(preferred if attempt == 1 else None)
            child = start(port)
            self.children.append(child)
            try:
                child.wait_until(lambda port=port: ready(self.state.password, port), seconds=_SECONDS)  # type: ignore[misc]
            except ServerFailed:
                # somebody else may have taken the port between our look and the server's
                if attempt == _ATTEMPTS or "Address already in use" not in child.last_words():
                    raise
                self.children.remove(child)
            else:
                return port
        raise AssertionError("unreachable")


@contextmanager
def owning(directory: Path, *, durable: bool, say: Callable[[str], None]) -> Iterator[Owner]:
    """Run both servers in ``directory`` for the length of a ``with`` block; one owner at a time."""
    binaries.find()
    where = place.prepare(directory)
    with _sole_owner(where.directory):
        place.sweep()
        if where.is_elsewhere:
            say(f"{where.directory} is closed to the servers' account; their data is kept in {where.data}")
        owner = Owner(where, durable=durable, say=say)
        try:
            owner.start()
            yield owner
        finally:
            owner.stop()
            if where.is_elsewhere and not durable:
                place.erase_data(where.directory)


def erase(directory: Path) -> None:
    """Delete a data directory and everything that belongs to it. Its servers must not be running."""
    if not (directory / "servers.json").exists():
        return
    with _sole_owner(directory):
        place.erase_data(directory)
        shutil.rmtree(directory)


@contextmanager
def _sole_owner(directory: Path) -> Iterator[None]:
    lock = os.open(directory / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(lock, 20, 0).decode().strip() or "unknown"
            raise ServerFailed(f"The servers of {directory} are already running, owned by process {pid}.") from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)


def _read_state(path: Path) -> State:
    with suppress(FileNotFoundError):
        return State(**json.loads(path.read_text(encoding="utf-8")))
    state = State(secrets.token_hex(24))
    _write_state(path, state)  # before the cluster is made with this password
    return state


def _write_state(path: Path, state: State) -> None:
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(state), file)
    fresh.replace(path)

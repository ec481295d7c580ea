"""The ambient things: this app's settings, its shared objects, and the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, TypeVar, cast

from flask import Flask, current_app
from werkzeug.local import LocalProxy

if TYPE_CHECKING:
    from flask_cairnloop.config import Settings

T = TypeVar("T")
EXTENSION = "cairnloop"


@dataclass
class State:
    """What one Flask app holds for us, at ``app.extensions["cairnloop"]``."""

    settings: Settings
    #: Objects made once per app on first use (a Redis client, the hub), by name.
    shared: dict[str, object] = field(default_factory=dict)
    #: The blueprints' names by their mount, in order of registration.
    mounts: dict[str, str] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)  # one shared object may need another

    def once(self, name: str, make: Callable[[], T]) -> T:
        """The shared object of that name, made by ``make`` the first time."""
        found = self.shared.get(name)
        if found is None:
            with self._lock:
                found = self.shared.get(name)
                if found is None:
                    found = self.shared[name] = make()
        return cast("T", found)


def state(app: Flask | None = None) -> State:
    """This app's state. Raises ``RuntimeError`` where ``Cairnloop(app)`` was never called."""
    found = (app or current_app).extensions.get(EXTENSION)
    if found is None:
        raise RuntimeError("Flask-Cairnloop is not set up on this app. Call Cairnloop(app) first.")
    return cast("State", found)


settings: Settings = cast("Settings", LocalProxy(lambda: state().settings))

_fixed: ContextVar[datetime | None] = ContextVar("cairnloop_now", default=None)


def now() -> datetime:
    """The moment, timezone-aware, in UTC. The one clock of the whole package."""
    return _fixed.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Hold the clock at ``moment`` (aware) inside the block: for tests and for backdated seed data."""
    if moment.tzinfo is None:
        raise ValueError("at() needs an aware datetime")
    token = _fixed.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)

"""The live stream: names of changed regions, never data, from the process that committed to every page and socket.

A topic is what a listener watches (``conversation:12``, ``tenant:``); a region is what changed in it. One Redis
subscription and one hub per process wake all of its listeners. Where Redis is down, or a message was lost, probes
re-read version numbers from the rows, so a listener is late, never wrong.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from flask_cairnloop.core import redis
from flask_cairnloop.core.current import settings, state
from flask_cairnloop.core.database import after_commit, notes

if TYPE_CHECKING:
    from redis.client import PubSub

log = logging.getLogger("flask_cairnloop.live")
CHANNEL = "cairnloop:live"
RESYNC = "cl-resync"
PROBE_EVERY = 15.0  # seconds
QUEUED = 200  # changes a listener may leave unread before they are folded into one resync

#: Given the topics served, a probe returns a version for those it knows; a changed version wakes the topic.
Probe = Callable[[Iterable[str]], Mapping[str, object]]
_probes: list[Probe] = []


def probe(function: Probe) -> Probe:
    """Register a probe."""
    if function not in _probes:
        _probes.append(function)
    return function


def changed(topic: str, *regions: str) -> None:
    """Say, once the current transaction is committed, that these regions of ``topic`` changed."""
    pending: dict[str, set[str]] | None = notes().get("live")
    if pending is None:
        collected: dict[str, set[str]] = {}
        pending = notes()["live"] = collected
        after_commit(lambda: publish(collected))
    pending.setdefault(topic, set()).update(regions)


def publish(changes: Mapping[str, Iterable[str]]) -> None:
    """Send the names of changed regions, by topic, to every process."""
    if not changes:
        return
    message = json.dumps({topic: sorted(regions) for topic, regions in changes.items()})
    arrived = redis.hints().send(lambda pipeline: pipeline.publish(_channel(), message))
    if not arrived and (own := cast("Hub | None", state().shared.get(_hub_name()))):
        own.deliver(json.loads(message))


def _channel() -> str:
    return f"{CHANNEL}:{settings.queue}"


def _hub_name() -> str:
    return f"hub:{os.getpid()}"


def hub() -> Hub:
    """This process's hub, started on first use."""
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
    return state().once(_hub_name(), lambda: Hub(app, _channel(), settings.redis_url))


class Subscription:
    """What one listener has not read yet. Use as a context manager or ``close()`` it."""

    def __init__(self, hub: Hub, topics: Iterable[str], wake: Callable[[], None] | None) -> None:
        self.topics = frozenset(topics)
        self._hub = hub
        self._event = threading.Event()
        self._wake = wake
        self._lock = threading.Lock()
        self._changes: dict[tuple[str, str], None] = {}

    def put(self, topic: str, regions: Iterable[str]) -> None:
        """Queue changes and wake the listener."""
        with self._lock:
            for region in regions:
                self._changes[topic, region] = None
            if len(self._changes) > QUEUED:
                self._changes = {(topic, RESYNC): None}
        self._event.set()
        if self._wake is not None:
            self._wake()

    def drain(self) -> list[tuple[str, str]]:
        """Take everything queued: ``(topic, region)`` pairs, each once, in order of arrival."""
        with self._lock:
            self._event.clear()
            changes, self._changes = list(self._changes), {}
        return changes

    def wait(self, timeout: float) -> list[tuple[str, str]]:
        """Sleep up to ``timeout`` seconds for a change, then ``drain()``."""
        self._event.wait(timeout)
        return self.drain()

    def watch(self, topics: Iterable[str]) -> None:
        """Watch these topics instead."""
        self._hub.move(self, frozenset(topics))

    def close(self) -> None:
        """Stop listening."""
        self._hub.drop(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Hub:
    """One per process: reads the Redis channel and wakes the listeners of each topic."""

    def __init__(self, app: Flask, channel: str, url: str) -> None:
        self._app = app
        self._channel = channel
        self._url = url
        self._lock = threading.Lock()
        self._listeners: dict[str, set[Subscription]] = defaultdict(set)
        self._versions: dict[str, object] = {}
        self._stop = threading.Event()
        self.connected = False
        self._threads = [
            threading.Thread(target=loop, name=f"cairnloop-{name}", daemon=True)
            for name, loop in (("live", self._listen), ("probe", self._probe))
        ]
        for thread in self._threads:
            thread.start()

    def subscribe(self, topics: Iterable[str], wake: Callable[[], None] | None = None) -> Subscription:
        """Listen to ``topics``. ``wake`` is called from the hub's thread and must not block."""
        subscription = Subscription(self, topics, wake)
        with self._lock:
            for topic in subscription.topics:
                self._listeners[topic].add(subscription)
        return subscription

    def move(self, subscription: Subscription, topics: frozenset[str]) -> None:
        """Change what a subscription listens to."""
        with self._lock:
            self._remove(subscription)
            subscription.topics = topics
            for topic in topics:
                self._listeners[topic].add(subscription)

    def drop(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        with self._lock:
            self._remove(subscription)

    def _remove(self, subscription: Subscription) -> None:
        for topic in subscription.topics:
            listeners = self._listeners.get(topic)
            if listeners is not None:
                listeners.discard(subscription)
                if not listeners:
                    del self._listeners[topic]
                    self._versions.pop(topic, None)

    def deliver(self, changes: Mapping[str, Iterable[str]]) -> None:
        """Wake the listeners of each topic."""
        for topic, regions in changes.items():
            with self._lock:
                listeners = list(self._listeners.get(topic, ()))
            for listener in listeners:
                listener.put(topic, regions)

    def resync(self) -> None:
        """Tell every listener to read everything again."""
        with self._lock:
            topics = list(self._listeners)
        self.deliver({topic: [RESYNC] for topic in topics})

    def close(self) -> None:
        """Stop the threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=3)

    def _listen(self) -> None:
        from redis.exceptions import RedisError

        pause = 0.1
        while not self._stop.is_set():
            connection = redis.connect(self._url, timeout=None)
            try:
                with redis.listen(connection) as channel:
                    channel.subscribe(self._channel)
                    self._read(channel)
            except (RedisError, OSError, ValueError) as failure:
                if self.connected:
                    log.warning("the live stream lost redis: %s", failure)
                pause = 0.2 if self.connected else min(pause * 2, 5.0)
                self.connected = False
                self._stop.wait(pause)
            finally:
                connection.close()

    def _read(self, channel: PubSub) -> None:
        while not self._stop.is_set():
            message: dict[str, Any] | None = channel.get_message(timeout=1.0)
            if message is None:
                continue
            if message["type"] == "message":
                self.deliver(json.loads(message["data"]))
            elif message["type"] == "subscribe":  # only now is anything heard: what was said before is read again
                self.connected = True
                self.resync()

    def _probe(self) -> None:
        while not self._stop.wait(PROBE_EVERY):
            if not self.connected:
                self.resync()
            started = time.monotonic()
            try:
                self._compare_versions()
            except SQLAlchemyError as failure:
                log.warning("could not re-read versions after %.1f s: %s", time.monotonic() - started, failure)

    def _compare_versions(self) -> None:
        with self._lock:
            topics = list(self._listeners)
        if not topics:
            return
        with self._app.app_context():
            found = {topic: version for ask in _probes for topic, version in ask(topics).items()}
        for topic, version in found.items():
            known = self._versions.get(topic)
            self._versions[topic] = version
            if known is not None and known != version:
                self.deliver({topic: [RESYNC]})

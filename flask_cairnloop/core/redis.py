"""This app's Redis, and the manners for when it is not there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from flask_cairnloop.core.current import State, settings, state

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline, PubSub

log = logging.getLogger("flask_cairnloop.redis")
TIMEOUT = 2.0  # seconds for one call
PAUSE = 3.0  # seconds without a try after a failure, so a dead Redis does not slow every request


def connect(url: str, *, timeout: float | None = TIMEOUT) -> Redis:
    """A client for ``url``; ``timeout`` is seconds per call, None for blocking reads."""
    from redis import Redis

    return Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=TIMEOUT)


def client() -> Redis:
    """The app's shared client."""
    return state().once("redis", lambda: connect(settings.redis_url))


def listen(connection: Redis) -> PubSub:
    """A subscription on ``connection``; it reports messages, and before them that Redis has taken it up."""
    return cast("PubSub", connection.pubsub())  # type: ignore[no-untyped-call]


class Hints:
    """Sends what only hints at rows (wake-ups, names of changed regions); a failure costs a delay, never a change."""

    def __init__(self) -> None:
        self.silent_until = 0.0

    @property
    def paused(self) -> bool:
        """Whether Redis failed moments ago and is left alone."""
        return time.monotonic() < self.silent_until

    def send(self, fill: Callable[[Pipeline], object]) -> bool:
        """Call ``fill(pipeline)`` and execute it. Returns whether it arrived."""
        if self.paused:
            return False
        from redis.exceptions import RedisError

        try:
            pipeline: Pipeline = client().pipeline(transaction=False)
            fill(pipeline)
            pipeline.execute()
        except (RedisError, OSError) as failure:
            self.silent_until = time.monotonic() + PAUSE
            log.warning("redis is unreachable, going on without it: %s", failure)
            return False
        return True


def hints(at: State | None = None) -> Hints:
    """The app's sender of hints."""
    return (at or state()).once("hints", Hints)

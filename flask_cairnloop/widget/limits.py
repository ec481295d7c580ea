"""How much one socket and one customer may ask of a process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

SOCKETS = 50  # open at once for one customer
FRAMES_PER_MESSAGE = 10  # typing, seen and pings that go with each message
FORGET_ABOVE = 10_000  # customers remembered before those at rest are forgotten

Key = tuple[str, str]


class Bucket:
    """Holds one minute's worth and fills up evenly."""

    def __init__(self, per_minute: int) -> None:
        self.size = float(per_minute)
        self._level = self.size
        self._at = time.monotonic()

    @property
    def full(self) -> bool:
        """Whether it has been at rest for a minute."""
        self._fill()
        return self._level >= self.size

    def take(self) -> float:
        """Take one. Returns 0, or the seconds after which there will be one."""
        self._fill()
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) * 60 / self.size

    def _fill(self) -> None:
        moment = time.monotonic()
        self._level = min(self.size, self._level + (moment - self._at) * self.size / 60)
        self._at = moment


class Customers:
    """What each customer has left in this process, and how many sockets they hold."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[Key, Bucket] = {}
        self._forget_above = FORGET_ABOVE
        self._sockets: Counter[Key] = Counter()
        self._lock = Lock()

    def take(self, customer: Key) -> float:
        """One message. Returns 0, or the seconds to wait."""
        with self._lock:
            if customer not in self._buckets:
                self._forget()
                self._buckets[customer] = Bucket(self._per_minute)
            return self._buckets[customer].take()

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A place for one socket, taken once its customer is known and given back at the end."""
        place = Place(self._sockets, self._lock)
        try:
            yield place
        finally:
            place.leave()

    def _forget(self) -> None:
        if len(self._buckets) >= self._forget_above:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.full}
            self._forget_above = max(FORGET_ABOVE, 2 * len(self._buckets))


class Place:
    """One socket among those of its customer."""

    def __init__(self, sockets: Counter[Key], lock: Lock) -> None:
        self._sockets = sockets
        self._lock = lock
        self._taken: Key | None = None

    def take(self, customer: Key) -> bool:
        """Whether there is room; the same customer again keeps the place."""
        with self._lock:
            if self._taken == customer:
                return True
            if self._sockets[customer] >= SOCKETS:
                return False
            self._sockets[customer] += 1
            self._taken = customer
            return True

    def leave(self) -> None:
        """Give it back."""
        with self._lock:
            if self._taken is not None:
                self._sockets[self._taken] -= 1
                if not self._sockets[self._taken]:
                    del self._sockets[self._taken]
                self._taken = None

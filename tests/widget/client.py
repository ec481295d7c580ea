"""A customer's side of the websocket, frame by frame."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit

from simple_websocket import Client, ConnectionClosed

WITHIN = 10.0  # seconds


class Widget:
    """One connection. Frames that a test did not wait for stay in ``heard``."""

    def __init__(self, url: str, **headers: str) -> None:
        own = f"http://{urlsplit(url).hostname}"  # this client library names the host without its port
        self.socket = Client.connect(url, headers={"Origin": own} | headers)
        self.heard: list[dict[str, Any]] = []
        self.messages: dict[int, dict[str, Any]] = {}

    def say(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def hello(self, token: str, *, after: int | None = None, conversation: int | None = None) -> dict[str, Any]:
        self.say(type="hello", token=token, after=after, conversation=conversation)
        return self.hear("ready")

    def send(self, content: str, client_id: str | None = None) -> str:
        client_id = client_id or uuid.uuid4().hex
        self.say(type="send", client_id=client_id, content=content)
        return client_id

    def sent(self, content: str, client_id: str | None = None) -> dict[str, Any]:
        """Send and wait for the acknowledgement."""
        client_id = self.send(content, client_id)
        return self.hear("ack", client_id=client_id)

    def hear(self, kind: str, within: float = WITHIN, **fields: Any) -> dict[str, Any]:
        """The next frame of this type with these fields; others are kept."""
        until = time.monotonic() + within
        for place, frame in enumerate(self.heard):
            if frame["type"] == kind and fields.items() <= frame.items():
                return self.heard.pop(place)
        while (left := until - time.monotonic()) > 0:
            frame = self._next(left)
            if frame is None:
                continue
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame
            self.heard.append(frame)
        raise AssertionError(f"no {kind} {fields} within {within} s; heard {[f['type'] for f in self.heard]}")

    def _next(self, timeout: float) -> dict[str, Any] | None:
        data = self.socket.receive(timeout=timeout)
        if data is None:
            return None
        frame: dict[str, Any] = json.loads(data)
        if frame["type"] == "messages":
            self.messages |= {message["sequence"]: message for message in frame["messages"]}
        return frame

    def texts(self, until: str, within: float = WITHIN) -> list[str]:
        """What stands in the thread, read until a message says ``until``."""
        end = time.monotonic() + within
        while until not in [message["content"] for message in self.messages.values()]:
            assert time.monotonic() < end, f"never read {until!r}, only {self.messages}"
            if frame := self._next(0.2):
                self.heard.append(frame)
        return [self.messages[sequence]["content"] for sequence in sorted(self.messages)]

    def closed(self, within: float = WITHIN) -> int:
        """Wait for the server to hang up; returns the close code."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            try:
                data = self.socket.receive(timeout=0.2)
            except ConnectionClosed as end:
                return int(end.reason)
            if data is not None:
                self.heard.append(json.loads(data))
        raise AssertionError("the server did not hang up")

    def cut(self) -> None:
        """Lose the connection without a goodbye."""
        self.socket.connected = False
        self.socket.sock.close()

    def close(self) -> None:
        if self.socket.connected:
            self.socket.close()
        self.socket.thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ConnectionClosed, OSError):
            self.close()

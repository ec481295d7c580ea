"""One websocket as the widget needs it: whole sends, bounded input, one wait for frames and wake-ups, a clean end."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock
from typing import Any

from pydantic import BaseModel
from simple_websocket import ConnectionClosed, Server
from wsproto.events import Ping
from wsproto.utilities import LocalProtocolError

from flask_cairnloop.widget.frames import LARGEST_MESSAGE

QUEUED = 64  # frames that may wait to be handled
SILENCE = 75.0  # seconds without a byte, our pings' answers included, after which the other side is gone
LINGER = 3.0  # seconds for the other side to read our last words and hang up
LINGER_BYTES = 8 * LARGEST_MESSAGE
CHUNK = 64 * 1024

POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009


class WholeSends:
    """A socket whose ``send`` leaves nothing behind and which two threads may use.

    The websocket library calls ``send`` once, where gevent may send a part; and its reading thread answers pings while
    ours sends frames. Each chunk has the socket's timeout to itself, so a slow reader is served and a dead one is not.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._lock = Lock()

    def send(self, data: bytes, flags: int = 0) -> int:
        """Send all of it."""
        whole = memoryview(data)
        with self._lock:
            for start in range(0, len(whole), CHUNK):
                self._sock.sendall(whole[start : start + CHUNK], flags)
        return len(whole)

    def close(self) -> None:
        """Close once the other side has; closing over unread input would destroy the close code on its way."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            until, left = time.monotonic() + LINGER, LINGER_BYTES
            while left > 0 and (remaining := until - time.monotonic()) > 0:
                self._sock.settimeout(remaining)
                received = len(self._sock.recv(CHUNK))
                if not received:
                    break
                left -= received
        self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Queue(list[Any]):
    """Frames that wait to be handled; one too many ends the connection."""

    def __init__(self, ws: Any) -> None:
        super().__init__()
        self._ws = ws

    def append(self, frame: Any) -> None:
        if len(self) >= QUEUED:
            with suppress(ConnectionClosed, LocalProtocolError, OSError):
                self._ws.close(POLICY_VIOLATION, f"More than {QUEUED} frames are waiting")
            raise LocalProtocolError("too many frames")  # the library's reading thread stops on this
        super().append(frame)


class Line:
    """The connection to one customer."""

    def __init__(self, ws: Server) -> None:
        self._ws = ws
        ws.sock = WholeSends(ws.sock)
        ws.sock.settimeout(SILENCE)
        ws.max_message_size = LARGEST_MESSAGE
        self._early, ws.input_buffer = ws.input_buffer, _Queue(ws)
        self._ended = False
        self.wake = ws.event.set

    @property
    def connected(self) -> bool:
        """Whether the other side is still there."""
        return bool(self._ws.connected) and not self._ended

    def wait(self, seconds: float) -> bool:
        """Sleep until a frame arrives, somebody calls ``wake`` or the connection ends. False when nothing did."""
        woken = bool(self._ws.event.wait(seconds))
        self._ws.event.clear()
        return woken

    def received(self) -> Iterator[str | bytes]:
        """Take what has arrived, oldest first; also what arrived before the connection ended."""
        for waiting in (self._early, self._ws.input_buffer):
            while waiting and not self._ended:
                frame = waiting.pop(0)
                if isinstance(frame, str) and len(frame.encode()) > LARGEST_MESSAGE:
                    self.end(MESSAGE_TOO_BIG, "Message is too big")
                    return
                yield frame

    def say(self, *frames: BaseModel) -> None:
        """Send frames. A connection that has ended takes them silently: whoever comes back asks again."""
        for frame in frames:
            with suppress(ConnectionClosed, LocalProtocolError, OSError):
                self._ws.send(frame.model_dump_json())

    def ping(self) -> None:
        """Keep proxies awake, and make the other side show that it lives."""
        with suppress(LocalProtocolError, OSError):
            self._ws.sock.send(self._ws.ws.send(Ping()))

    def end(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye and let the other side hang up first."""
        self._ended = True
        with suppress(ConnectionClosed, LocalProtocolError, OSError):
            self._ws.close(code, reason)
        self._ws.thread.join(LINGER)
        with suppress(OSError):
            self._ws.sock.shutdown(socket.SHUT_RDWR)
        self._ws.thread.join(LINGER)

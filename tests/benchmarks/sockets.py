"""A websocket client that costs little, so that a benchmark measures the server."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
from typing import Any, Self

MASK = b"\0\0\0\0"  # masking with zeros is valid and free


class Socket:
    """One connection speaking JSON text frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, port: int, path: str = "/support/widget/socket") -> Self:
        """Open a connection and shake hands."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}"]
        lines += ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode(errors="replace"))
        return cls(reader, writer)

    def say(self, **frame: Any) -> None:
        """Send one frame."""
        body = json.dumps(frame).encode()
        short = len(body) < 126
        size = struct.pack("!BB", 0x81, 0x80 | len(body)) if short else struct.pack("!BBH", 0x81, 0xFE, len(body))
        self._writer.write(size + MASK + body)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next frame of this type; others are skipped, an error is raised."""
        while True:
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
            body = await self._reader.readexactly(size)
            if first & 0x0F == 9:
                self._writer.write(struct.pack("!BB", 0x8A, 0x80 | size) + MASK + body)
            if first & 0x0F != 1:
                continue
            frame: dict[str, Any] = json.loads(body)
            if frame["type"] == kind:
                return frame
            if frame["type"] == "error":
                raise RuntimeError(frame)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

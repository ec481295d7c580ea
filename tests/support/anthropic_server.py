"""A server that speaks Anthropic's Messages interface over real HTTP, and misbehaves as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
USAGE = {
    "input_tokens": 21,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 900,
    "output_tokens": 60,
}


@dataclass
class Answer:
    """What to send: a status with a body, after ``pause`` seconds; ``cut`` closes half-way, ``trickle`` never ends."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    cut: bool = False
    trickle: bool = False


def message(content: list[Body], stop_reason: str = "tool_use") -> Answer:
    """A whole message as the interface sends it."""
    return Answer(
        {
            "id": "msg_01",
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": USAGE,
        }
    )


def handed_in(tool_input: Any, stop_reason: str = "tool_use") -> Answer:
    """A message that calls the drafting tool with this input."""
    return message([{"type": "tool_use", "id": "toolu_01", "name": "propose_draft", "input": tool_input}], stop_reason)


def draft(*sentences: tuple[str, Sequence[int]], kind: str = "reply", missing: str = "") -> Answer:
    """A well-formed draft."""
    said = [{"text": text, "evidence": list(numbers)} for text, numbers in sentences]
    return handed_in({"kind": kind, "sentences": said, "missing": missing, "confidence": 0.9})


def error(status: int, kind: str, **headers: str) -> Answer:
    """An error as the interface sends it; its words are a stranger's and must not be shown."""
    body = {"type": "error", "error": {"type": kind, "message": "words of a stranger"}, "request_id": "req_01"}
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


class AnthropicServer:
    """Answers with ``script(body)``; keeps every request's path, headers and body."""

    def __init__(self) -> None:
        self.script: Callable[[Body], Answer] = lambda body: message([{"type": "text", "text": "?"}], "end_turn")
        self.requests: list[Body] = []
        self.headers: list[dict[str, str]] = []
        #: Set when the test ends, so that nothing hangs longer.
        self.over = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End every hang and stop."""
        self.over.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


def _handler(server: AnthropicServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/v1/messages"
            server.requests.append(body)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            with suppress(OSError):  # the other side may have given up
                self._send(server.script(body))

        def _send(self, answer: Answer) -> None:
            server.over.wait(answer.pause)
            data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data) + (10**6 if answer.trickle else 0)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if answer.cut:
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
                return
            while answer.trickle and not server.over.wait(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    return Handler


@contextmanager
def anthropic_server() -> Iterator[AnthropicServer]:
    """A running server."""
    server = AnthropicServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()

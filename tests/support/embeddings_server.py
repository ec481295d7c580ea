"""A server that speaks OpenAI's and Voyage's embedding formats over real HTTP, and misbehaves as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.embedders import WordEmbedder

Data = list[dict[str, Any]]


@dataclass
class Fault:
    """One bad answer: a status, or a spoiled body. ``hang`` is in seconds; ``cut`` closes half-way."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    spoil: Callable[[Data], Any] | None = None
    hang: float = 0.0
    cut: bool = False
    trickle: bool = False


class Endpoint:
    """What was asked, and what goes wrong next. Vectors are those of ``WordEmbedder``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[Fault] = []
        self.released = threading.Event()

    def answer(self, asked: dict[str, Any]) -> Data:
        dimension = asked.get("dimensions") or asked.get("output_dimension") or 8
        vectors = WordEmbedder(dimension=dimension).embed(asked["input"])
        return [
            {"object": "embedding", "index": place, "embedding": vector}
            for place, vector in reversed(list(enumerate(vectors)))
        ]


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """One running server."""
    here: Endpoint

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            here.asked.append(asked | {"path": self.path})
            here.headers.append({name.lower(): value for name, value in self.headers.items()})
            fault = here.faults.pop(0) if here.faults else Fault()
            with suppress(OSError):
                _send(self, here, asked, fault)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield here
    here.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def _send(handler: BaseHTTPRequestHandler, here: Endpoint, asked: dict[str, Any], fault: Fault) -> None:
    if fault.hang:
        here.released.wait(fault.hang)
    data = here.answer(asked)
    whole = fault.spoil(data) if fault.spoil else {"object": "list", "data": data, "model": asked["model"]}
    body = fault.body if fault.body is not None else json.dumps(whole).encode()
    handler.send_response(fault.status)
    for name, value in fault.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if fault.trickle:
        for byte in body:
            handler.wfile.write(bytes([byte]))
            if here.released.wait(0.05):
                return
    handler.wfile.write(body[: len(body) // 2] if fault.cut else body)
    if fault.cut:
        handler.wfile.flush()
        handler.connection.close()

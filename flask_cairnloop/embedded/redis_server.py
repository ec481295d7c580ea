"""Redis: started and asked whether it is ready. It keeps nothing on disk, because nothing in it is the truth."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from flask_cairnloop.embedded.child import Child
from flask_cairnloop.embedded.place import Account


def start(program: Path, port: int, password: str, log: Path, *, account: Account | None) -> Child:
    """Start the server on a loopback port. Its settings go through a pipe, so the password is on no command line."""
    child = Child("Redis", [str(program), "-"], log=log, account=account, stop_signal=signal.SIGTERM)
    settings = (
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        "tcp-backlog 128\nmaxclients 1000\ndaemonize no\n"
    )
    assert child.process.stdin is not None
    child.process.stdin.write(settings.encode())
    child.process.stdin.close()
    return child


def is_ready(password: str, port: int) -> bool:
    """Whether it answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            answer = b""
            while piece := connection.recv(200):
                answer += piece
    except OSError:
        return False
    return b"+PONG" in answer


def redis_url(password: str, port: int) -> str:
    """The address redis-py takes."""
    return f"redis://:{password}@127.0.0.1:{port}/0"

"""The whole demo in one command: ``python -m example_app.demo`` (``make demo``).

Starts PostgreSQL and Redis in ``.demo/``, migrates, seeds, then runs the background worker and the web server until
Ctrl-C. A second start finds everything as it was left; ``--reset`` begins anew.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flask_cairnloop import embedded
from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.embedded.child import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".demo"
PORT = 5050
FLASK = [sys.executable, "-m", "flask", "--app", "example_app"]
SECONDS_TO_ANSWER = 60.0
SECONDS_TO_STOP = 10.0


class DemoFailed(Exception):
    """A part of the demo did not start, or ended by itself. The message says which and shows its last lines."""


class Stopped(BaseException):
    """Somebody pressed Ctrl-C, or asked us to end in another way."""


def main() -> int:
    """Run the demo until it is stopped. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m example_app.demo", description=__doc__)
    parser.add_argument("--reset", action="store_true", help="delete the demo's data first")
    reset = parser.parse_args().reset
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        if reset:
            say("Deleting the demo's data")
            embedded.erase(HOME / "servers")
        _run()
    except Stopped:
        say("Stopped. The data stays in .demo/; `make demo` goes on with it, `make demo-reset` starts clean.")
    except (CairnloopError, DemoFailed) as failure:
        print(failure, file=sys.stderr, flush=True)
        return 1
    return 0


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)


def _run() -> None:
    HOME.mkdir(exist_ok=True)
    with ExitStack() as stack:
        say("[1/5] Starting PostgreSQL and Redis")
        running = stack.enter_context(embedded.servers(HOME / "servers"))
        port = choose_port(int(os.environ.get("PORT") or PORT))
        environment = os.environ | {
            "DATABASE_URL": running.database_url,
            "CAIRNLOOP_REDIS_URL": running.redis_url,
            "SECRET_KEY": os.environ.get("SECRET_KEY") or _kept_secret(),
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }
        say("[2/5] Bringing the tables up to date")
        _finish("db upgrade", [*FLASK, "db", "upgrade"], environment)
        _finish("cairnloop db upgrade", [*FLASK, "cairnloop", "db", "upgrade"], environment)
        say("[3/5] Filling in customers, articles and conversations")
        _finish("seed", [*FLASK, "trailmark", "seed"], environment)
        say("[4/5] Starting the background worker")
        worker = stack.enter_context(_child("worker", [*FLASK, "cairnloop", "worker"], environment))
        say("[5/5] Starting the web server")
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "example_app/serving.py", "example_app:create_app()"]
        web = stack.enter_context(_child("web", gunicorn, environment))
        children = {"worker": worker, "web": web}
        _wait_for_answer(f"http://127.0.0.1:{port}/", children)
        _welcome(f"http://127.0.0.1:{port}")
        while True:
            time.sleep(0.3)
            _check(children)
            if not (_lives(running.postgres_pid) and _lives(running.redis_pid)):
                raise DemoFailed(f"PostgreSQL or Redis ended by itself. Their logs are in {HOME / 'servers'}.")


def choose_port(wanted: int) -> int:
    """The wanted port, or the next free one, said aloud."""
    for port in range(wanted, min(wanted + 100, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != wanted:
            say(f"      Port {wanted} is busy: using {port}")
        return port
    raise DemoFailed(f"No port between {wanted} and {wanted + 99} is free. Choose another: PORT=8000 make demo")


def _welcome(address: str) -> None:
    say(
        f"\nTrailmark is running.\n"
        f"  {address}/          start here: a guided walk, one click signs you in\n"
        f"  {address}/chat      the customer's window\n"
        f"  {address}/support   the operators' desk\n"
        f"Ctrl-C stops everything."
    )


def _finish(name: str, command: list[str], environment: dict[str, str]) -> None:
    """Run one step to its end; its output is shown only when it fails."""
    log = HOME / f"{name.replace(' ', '-')}.log"
    with _child(name, command, environment, log) as step:
        step.wait()
    if step.returncode != 0:
        raise DemoFailed(f"flask {name} failed:\n{_last_lines(log)}")


@contextmanager
def _child(
    name: str, command: list[str], environment: dict[str, str], log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, which ends with us. It is not in the terminal's group: we stop things in order."""
    with (log or HOME / f"{name}.log").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for_answer(url: str, children: dict[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    problem: object = None
    while time.monotonic() < deadline:
        _check(children)
        try:
            with urllib.request.urlopen(url, timeout=20):
                return
        except urllib.error.HTTPError as error:
            raise DemoFailed(f"The first page answered {error.code}:\n{_last_lines(HOME / 'web.log')}") from None
        except OSError as error:
            problem = error
            time.sleep(0.2)
    raise DemoFailed(f"The web server did not answer: {problem}\n{_last_lines(HOME / 'web.log')}")


def _check(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, process in children.items():
        if process.poll() is not None:
            log = HOME / f"{name}.log"
            raise DemoFailed(f"The {name} process ended by itself (code {process.returncode}):\n{_last_lines(log)}")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _last_lines(log: Path, count: int = 20) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def _kept_secret() -> str:
    path = HOME / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _stop(number: int, frame: object) -> None:
    for later in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(later, signal.SIG_IGN)  # stopping is under way; it takes a moment
    say("\nStopping")
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())

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
PORT = 5050
FLASK = [sys.executable, "-m", "flask", "--app", "example_app"]
WORKER = [*FLASK, "cairnloop", "worker"]
WEB = [sys.executable, "-m", "gunicorn", "-c", "example_app/serving.py", "example_app:create_app()"]
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
    parser.add_argument("--data", type=Path, default=ROOT / ".demo", metavar="DIR", help="where to keep it")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        if options.reset:
            say("Deleting the demo's data")
            embedded.erase(options.data / "servers")
        Demo(options.data.absolute()).run()
    except Stopped:
        say("Stopped. The data stays; `make demo` goes on with it, `make demo-reset` starts clean.")
    except (CairnloopError, DemoFailed) as failure:
        print(failure, file=sys.stderr, flush=True)
        return 1
    return 0


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)


class Demo:
    """Its servers, its processes and their logs, all in one directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def run(self) -> None:
        """Start everything, say where, and stay until stopped or until a part ends by itself."""
        self.home.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            say("[1/5] Starting PostgreSQL and Redis")
            running = stack.enter_context(embedded.servers(self.home / "servers"))
            if Path(running.data) != self.home / "servers":
                say(f"      Their account may not enter this folder: the data is in {running.data}")
            environment = self._environment(running)
            say("[2/5] Bringing the tables up to date")
            self._finish("db upgrade", environment)
            self._finish("cairnloop db upgrade", environment)
            say("[3/5] Filling in customers, articles and conversations")
            self._finish("trailmark seed", environment)
            say("[4/5] Starting the background worker")
            stack.enter_context(self._keep("worker", WORKER, environment))
            say("[5/5] Starting the web server")
            stack.enter_context(self._keep("web", WEB, environment))
            address = f"http://127.0.0.1:{environment['PORT']}"
            self._wait_for_answer(f"{address}/")
            _welcome(address)
            while True:
                time.sleep(0.3)
                self._check()
                if not (_lives(running.postgres_pid) and _lives(running.redis_pid)):
                    raise DemoFailed(f"PostgreSQL or Redis ended by itself. Their logs are in {running.data}.")

    def _environment(self, running: embedded.Servers) -> dict[str, str]:
        return os.environ | {
            "DATABASE_URL": running.database_url,
            "CAIRNLOOP_REDIS_URL": running.redis_url,
            "SECRET_KEY": os.environ.get("SECRET_KEY") or self._kept_secret(),
            "HOST": "127.0.0.1",
            "PORT": str(choose_port(int(os.environ.get("PORT") or PORT))),
        }

    def _kept_secret(self) -> str:
        path = self.home / "secret_key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32), encoding="utf-8")
        return path.read_text(encoding="utf-8")

    def _finish(self, step: str, environment: dict[str, str]) -> None:
        """Run one ``flask`` command to its end; its output is shown only when it fails."""
        log = self._log(step)
        with _child([*FLASK, *step.split()], environment, log) as process:
            process.wait()
        if process.returncode != 0:
            raise DemoFailed(f"flask {step} failed:\n{_last_lines(log)}")

    @contextmanager
    def _keep(self, name: str, command: list[str], environment: dict[str, str]) -> Iterator[None]:
        with _child(command, environment, self._log(name)) as process:
            self.children[name] = process
            yield

    def _wait_for_answer(self, url: str) -> None:
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while time.monotonic() < deadline:
            self._check()
            try:
                with urllib.request.urlopen(url, timeout=20):
                    return
            except urllib.error.HTTPError as error:
                raise DemoFailed(f"The first page answered {error.code}:\n{_last_lines(self._log('web'))}") from None
            except OSError:  # not listening yet
                time.sleep(0.2)
        raise DemoFailed(f"The web server did not answer:\n{_last_lines(self._log('web'))}")

    def _check(self) -> None:
        for name, process in self.children.items():
            if process.poll() is not None:
                said = _last_lines(self._log(name))
                raise DemoFailed(f"The {name} process ended by itself (code {process.returncode}). It said:\n{said}")

    def _log(self, name: str) -> Path:
        return self.home / f"{name.replace(' ', '-')}.log"


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


@contextmanager
def _child(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, which ends with us. It is not in the terminal's group: we stop things in order."""
    with log.open("wb") as output:
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


def _stop(number: int, frame: object) -> None:
    for later in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(later, signal.SIG_IGN)  # stopping is under way; it takes a moment
    say("\nStopping")
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())

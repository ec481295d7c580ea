"""``python -m flask_cairnloop.embedded``: own the two servers until told to stop."""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
from pathlib import Path

from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.embedded.owner import Owner, erase, owning


class _Stop(BaseException):
    """A signal asked us to end, whatever we were doing."""


def main() -> int:
    """Start both, print one line of JSON with their addresses, and stay."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        if options.erase:
            erase(options.data)
            return 0
        with owning(options.data, durable=not options.throwaway, say=_say) as owner:
            print(json.dumps(owner.addresses()), flush=True)
            return _stay(owner, while_stdin_open=options.while_stdin_open)
    except _Stop:
        return 0
    except (CairnloopError, OSError) as failure:
        _say(str(failure))
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m flask_cairnloop.embedded",
        description="Run PostgreSQL with pgvector and Redis in a data directory. Their addresses are printed as one "
        "line of JSON once both answer. Ctrl-C or SIGTERM stops them.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where their data is kept")
    parser.add_argument("--throwaway", action="store_true", help="faster, and the data does not survive a power cut")
    parser.add_argument("--while-stdin-open", action="store_true", help="also stop when standard input is closed")
    parser.add_argument("--erase", action="store_true", help="delete the data instead of starting anything")
    return parser.parse_args()


def _stay(owner: Owner, *, while_stdin_open: bool) -> int:
    watched = [sys.stdin.fileno()] if while_stdin_open else []
    while True:
        readable, _, _ = select.select(watched, [], [], 0.5)
        if readable and not os.read(readable[0], 1024):
            return 0
        if dead := owner.dead():
            _say(f"{dead.name} ended by itself. It said:\n{dead.last_words()}")
            return 1


def _stop(number: int, frame: object) -> None:
    for later in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(later, signal.SIG_IGN)  # stopping is already under way
    raise _Stop


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

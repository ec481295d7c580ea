"""``python -m flask_cairnloop.minilm install``: as ``flask cairnloop embedder install``, without an app."""

from __future__ import annotations

import argparse
import sys

from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.minilm import weights


def main(arguments: list[str] | None = None) -> int:
    """Install the model or say how it stands. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flask_cairnloop.minilm", description=__doc__)
    parser.add_argument("command", choices=["install", "status"])
    parser.add_argument("--directory", help="default: CAIRNLOOP_MODEL_DIR, else the user's cache")
    parser.add_argument("--force", action="store_true", help="fetch again even where the files are right")
    chosen = parser.parse_args(arguments)
    if chosen.command == "status":
        files = weights.status(chosen.directory)
        for file in files:
            print(f"{file.state:8} {file.path}")
        return 0 if all(file.state == "ok" for file in files) else 1
    try:
        weights.install(chosen.directory, say=lambda line: print(line, flush=True), force=chosen.force)
    except CairnloopError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

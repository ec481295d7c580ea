"""Where the data lies and who owns it.

PostgreSQL refuses to run as root. Started by root, the servers run as an unprivileged account instead, and whatever
that account cannot reach (a project under root's home, say) is kept in a private folder of
``/var/lib/flask-cairnloop``. The permissions of folders that are not ours are never touched.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask_cairnloop.embedded.binaries import Binaries, EmbeddedUnavailable

ACCOUNTS = ("postgres", "nobody")
ELSEWHERE = Path("/var/lib/flask-cairnloop")


@dataclass(frozen=True)
class Account:
    """The account the servers run as; ``None`` stands for the account we run as ourselves."""

    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """Whether this account can pass through a folder and all above it, asked of the system itself."""
        return self._succeeds(["test", "-x", str(folder)])

    def can_run(self, program: Path) -> bool:
        """Whether this account can run a program, its libraries included."""
        return self._succeeds([str(program), "--version"])

    def _succeeds(self, command: list[str]) -> bool:
        try:
            asked = subprocess.run(
                command, user=self.uid, group=self.gid, extra_groups=[], cwd="/", capture_output=True, check=False
            )
        except PermissionError:
            return False
        return asked.returncode == 0


@dataclass(frozen=True)
class Place:
    """The folder asked for, the folder the data is in, and the account that owns it."""

    directory: Path
    data: Path
    account: Account | None

    @property
    def state(self) -> Path:
        """The file that keeps the password and the ports from one start to the next."""
        return self.directory / "servers.json"

    @property
    def is_elsewhere(self) -> bool:
        """Whether the data could not stay in the folder asked for."""
        return self.data != self.directory


def prepare(directory: Path) -> Place:
    """The place for a data directory, created where it does not exist."""
    directory = directory.absolute()
    if not directory.exists():
        directory.mkdir(parents=True, mode=0o755)
        directory.chmod(0o711)  # whatever the umask: the account passes through, nobody looks around
    account = _account()
    if account is None or account.may_enter(directory):
        return Place(directory, directory, account)
    data = elsewhere(directory)
    _private(data)
    (data / "for").write_text(str(directory), encoding="utf-8")
    return Place(directory, data, account)


def elsewhere(directory: Path) -> Path:
    """The private folder that stands in for a directory the unprivileged account cannot reach."""
    return ELSEWHERE / hashlib.sha256(os.fsencode(directory.absolute())).hexdigest()[:16]


def reachable(binaries: Binaries, account: Account | None) -> Binaries:
    """The programs, copied once to where the unprivileged account can run them if it cannot run them here."""
    tested = (binaries.postgres / "bin" / "postgres", binaries.postgres / "bin" / "initdb", binaries.redis)
    if account is None or all(account.can_run(program) for program in tested):
        return binaries
    made = tested[0].stat()
    home = ELSEWHERE / "programs" / f"{made.st_size:x}-{made.st_mtime_ns:x}"
    if not home.is_dir():
        fresh = home.with_name(f"{home.name}.{os.getpid()}")
        _private(fresh)
        _copy(binaries, fresh)
        _publish(fresh, home)
    return _copied(binaries, home)


def _copied(binaries: Binaries, home: Path) -> Binaries:
    package = binaries.postgres.parent
    return Binaries(home / package.name / binaries.postgres.name, home / binaries.redis.name)


def _copy(binaries: Binaries, home: Path) -> None:
    """Copy the programs; PostgreSQL's look for their libraries in a folder beside their package."""
    target, package = _copied(binaries, home), binaries.postgres.parent
    shutil.copytree(binaries.postgres, target.postgres, symlinks=True)
    shutil.copy2(binaries.redis, target.redis)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    for made in (target.postgres.parent, home):
        made.chmod(0o755)


def erase_data(where: Path) -> None:
    """Delete what stands in for a directory, if anything does."""
    if elsewhere(where).is_dir():
        shutil.rmtree(elsewhere(where))


def sweep() -> None:
    """Delete the data that stands in for directories which no longer exist."""
    for data in _stand_ins():
        if not Path((data / "for").read_text(encoding="utf-8")).exists():
            shutil.rmtree(data, ignore_errors=True)


def _stand_ins() -> Iterator[Path]:
    if os.geteuid() == 0 and ELSEWHERE.is_dir():
        yield from (mark.parent for mark in ELSEWHERE.glob("*/for"))


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    known = " or ".join(ACCOUNTS)
    raise EmbeddedUnavailable(f"Root may not run PostgreSQL, and there is no account named {known} to run it as.")


def _private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    for made in (folder, *folder.parents):
        if made == ELSEWHERE.parent:
            break
        made.chmod(0o711)


def _publish(fresh: Path, home: Path) -> None:
    try:
        fresh.rename(home)
    except OSError:  # another start published the same copy first
        shutil.rmtree(fresh)

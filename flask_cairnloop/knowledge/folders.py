"""A folder of Markdown files, read with care: nothing outside of it, nothing too large, nothing twice."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask_cairnloop.core.errors import InvalidInput
from flask_cairnloop.knowledge.drafting import CONTENT_LENGTH
from flask_cairnloop.knowledge.files import PATH_LENGTH, SUFFIXES, Page, parse

LARGEST = 4 * CONTENT_LENGTH + 10_000  # bytes; what is larger cannot hold words few enough


@dataclass(frozen=True)
class Found:
    """A Markdown file: where it lies, and what it is known by, relative to the folder."""

    path: str
    place: Path


def find_files(folder: Path) -> list[Found]:
    """The Markdown files under ``folder``, by path. Hidden ones, and folders that are links, are passed over.

    Raises ``OSError`` for a folder that cannot be read, since its files would seem to be gone.
    """
    found = [
        Found(unicodedata.normalize("NFC", place.relative_to(folder).as_posix()), place)
        for place in _walk(folder)
        if place.suffix.lower() in SUFFIXES
    ]
    return sorted(found, key=lambda each: each.path)


def read_page(folder: Path, found: Found) -> Page:
    """What a file says. Raises ``InvalidInput`` that says why it is not taken, ``OSError`` where it cannot be read."""
    path = check_path(found.path)
    if not lies_in(folder, found.place):
        raise InvalidInput({"file": "is a link that leads out of the folder"})
    if not found.place.is_file():
        raise InvalidInput({"file": "is no regular file"})
    with found.place.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InvalidInput({"file": f"is too large; {CONTENT_LENGTH:,} characters are allowed"})
    try:
        return parse(path, data.decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidInput({"file": "is not UTF-8 text"}) from None


def lies_in(folder: Path, place: Path) -> bool:
    """Whether ``place`` is inside of ``folder`` when all links are followed."""
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder))  # resolve() raises on links in a ring


def check_path(path: str) -> str:
    """``path`` itself. Raises ``InvalidInput`` for one that is absolute, leaves its folder or cannot be stored."""
    steps = path.split("/")
    if path.startswith("/") or any(step in {"", ".", ".."} for step in steps) or "\\" in path:
        raise InvalidInput({"path": "is not inside the folder"})
    if len(path) > PATH_LENGTH:
        raise InvalidInput({"path": f"is longer than {PATH_LENGTH} characters"})
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in path):
        raise InvalidInput({"path": "has characters that cannot be stored"})
    return path


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise error

    for above, folders, names in os.walk(folder, onerror=refuse, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(above, name) for name in names if not name.startswith("."))

"""The Chromium that browser tests drive: found, or brought here by ``python -m tests.support.chromium``.

Order: ``CAIRNLOOP_CHROMIUM``, one on the machine, Debian's (where we may run apt), Playwright's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BUNDLES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MINUTES_15 = 900


def find() -> Path | None:
    """A Chromium that starts, or nothing."""
    chosen = os.environ.get("CAIRNLOOP_CHROMIUM")
    candidates = iter([chosen]) if chosen else _candidates()
    return next((Path(candidate) for candidate in candidates if _starts(candidate)), None)


def is_required() -> bool:
    """Whether a missing browser is an error: ``CAIRNLOOP_BROWSER=required``."""
    return os.environ.get("CAIRNLOOP_BROWSER") == "required"


def install(say: Callable[[str], object] = print) -> Path | None:
    """Find a Chromium, bringing one here if there is none."""
    found = find()
    if found or "CAIRNLOOP_CHROMIUM" in os.environ:
        return found
    for bring in (_from_debian, _from_playwright):
        bring(say)
        if found := find():
            return found
    return None


def main() -> int:
    """Have a Chromium; say which, or what will be missing without one."""
    found = install(lambda line: print(line, flush=True))
    if found:
        print(f"Browser tests drive {found}", flush=True)
        return 0
    print(
        "\n*** No Chromium could be found or installed: EVERY TEST MARKED `browser` (tests/journeys) IS SKIPPED. ***\n"
        "*** Install one, or name one: CAIRNLOOP_CHROMIUM=/path/to/chromium                                    ***\n",
        file=sys.stderr,
        flush=True,
    )
    return 1 if is_required() else 0


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    yield from filter(os.path.exists, BUNDLES)
    if own := _playwright_path():
        yield own


def _starts(candidate: str) -> bool:
    """Whether it is more than a name: Ubuntu's ``chromium-browser`` may only advertise a snap."""
    try:
        asked = subprocess.run([candidate, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and b"Chrom" in asked.stdout


def _playwright_path() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def _from_debian(say: Callable[[str], object]) -> None:
    root = _as_root()
    if root is None or shutil.which("apt-get") is None:
        return
    say("Installing Chromium with apt-get (a minute or two) …")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"],
    ):
        _run([*root, "apt-get", *command], say, environment)


def _from_playwright(say: Callable[[str], object]) -> None:
    say("Installing Playwright's Chromium (a minute or two) …")
    _run([sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"], say, dict(os.environ))


def _as_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def _run(command: list[str], say: Callable[[str], object], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=MINUTES_15,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        say(f"  {command[0]} did not manage: {failure}")
        return
    if done.returncode:
        say(
            f"  {' '.join(command[:3])} did not manage: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        )


if __name__ == "__main__":
    sys.exit(main())

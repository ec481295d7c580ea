"""How far a long command has come: a bar on a terminal, elsewhere a line every few seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

import click

EVERY = 5.0  # seconds between two lines


class Bar:
    """Call it with what is done and how much there is. Everything goes to standard error."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._started = self._said = time.monotonic()

    def __enter__(self) -> Bar:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Say so, if it is time."""
        if sys.stderr.isatty():
            self._draw(done, total)
        elif total and (time.monotonic() - self._said >= EVERY or done >= total):
            self._said = time.monotonic()
            click.echo(f"{self._label}: {done} of {total}{self._left(done, total)}", err=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.render_finish()

    def _draw(self, done: int, total: int) -> None:
        if self._bar is None:
            if not total:
                return
            self._bar = click.progressbar(
                length=total, label=self._label, show_eta=True, show_pos=True, show_percent=True, file=sys.stderr
            )
        self._bar.length = total
        self._bar.update(done - self._bar.pos)

    def _left(self, done: int, total: int) -> str:
        took = time.monotonic() - self._started
        return f", about {took * (total - done) / done:.0f} s left" if 0 < done < total else ""

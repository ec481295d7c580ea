"""``make bench``: run every benchmark, or those named, and print the table."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("startup", "pages", "ingest", "idle", "retrieval", "drafts", "indexing", "actions")


def main(chosen: list[str]) -> None:
    """Print one Markdown table."""
    print("| What | Measured | Target |\n| --- | --- | --- |")
    for name in chosen or NAMES:
        for row in import_module(f"tests.benchmarks.{name}").run():
            print(f"| {' | '.join(row)} |", flush=True)


main(sys.argv[1:])

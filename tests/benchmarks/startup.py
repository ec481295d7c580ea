"""What importing and mounting the desk adds to the start of a bare Flask-SQLAlchemy app."""

from __future__ import annotations

import statistics
import subprocess
import sys

SCRIPT = """
import time
start = time.perf_counter()
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
app = Flask("host")
app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
db = SQLAlchemy(app)
with app.app_context():
    db.engine
bare = time.perf_counter()
from flask_cairnloop import Cairnloop
Cairnloop(app)
print(bare - start, time.perf_counter() - bare)
"""


def run(rounds: int = 11) -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, target."""
    pairs = []
    for _ in range(rounds + 1):
        done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
        bare, added = map(float, done.stdout.split())
        pairs.append((bare, added))
    bare = statistics.median(pair[0] for pair in pairs[1:])
    added = statistics.median(pair[1] for pair in pairs[1:])
    measured = f"{added / bare:.2f}x ({added * 1e3:.0f} ms on {bare * 1e3:.0f} ms)"
    return [("Start: import and init_app against the bare Flask-SQLAlchemy app", measured, "<= 0.6x")]


if __name__ == "__main__":
    print(run())

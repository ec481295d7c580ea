"""``flask cairnloop retrieval``: the search index, and how good search is."""

from __future__ import annotations

import click
from flask.cli import AppGroup

retrieval: click.Group = AppGroup("retrieval", help="Search: its vectors, its index, its quality.")

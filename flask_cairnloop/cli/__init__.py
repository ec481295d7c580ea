"""``flask cairnloop …``"""

from __future__ import annotations

import click
from flask.cli import AppGroup

from flask_cairnloop.cli.database import database
from flask_cairnloop.cli.embedder import embedder
from flask_cairnloop.cli.knowledge import knowledge
from flask_cairnloop.cli.retrieval import retrieval
from flask_cairnloop.cli.worker import worker

cairnloop: click.Group = AppGroup("cairnloop", help="The support desk: database, worker, embedder, search, knowledge.")
cairnloop.add_command(database, "db")
cairnloop.add_command(embedder, "embedder")
cairnloop.add_command(knowledge, "kb")
cairnloop.add_command(retrieval, "retrieval")
cairnloop.add_command(worker, "worker")

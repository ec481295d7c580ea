"""A real PostgreSQL with pgvector and a real Redis, started from wheels: nothing else needs to be installed.

    with servers(Path("data")) as running:
        app.config["SQLALCHEMY_DATABASE_URI"] = running.database_url

or, from a shell, ``python -m flask_cairnloop.embedded --data data``. One owner process runs both servers as its
children and stops them when it ends. Both listen on the loopback interface only, behind a random password kept in the
data directory. Meant for development, demonstrations and tests; production points at servers of its own.
"""

from __future__ import annotations

from flask_cairnloop.embedded.binaries import EmbeddedUnavailable
from flask_cairnloop.embedded.lifeline import ServerFailed, Servers, servers
from flask_cairnloop.embedded.owner import erase

__all__ = ["EmbeddedUnavailable", "ServerFailed", "Servers", "erase", "servers"]

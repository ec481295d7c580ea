"""Which version of our tables this code needs, and whether the database has it."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from flask_cairnloop.core.current import state
from flask_cairnloop.core.database import engine
from flask_cairnloop.core.errors import NotMigrated

#: The newest revision shipped in ``migrations/``; a test holds it to the folder.
HEAD = "0005"
VERSION_TABLE = "cairnloop_version"


def current_version() -> str | None:
    """The revision the database is at; None where it was never migrated."""
    with engine().connect() as connection:
        try:
            found = connection.execute(text(f"SELECT version_num FROM cairnloop.{VERSION_TABLE}")).scalar()
        except ProgrammingError:
            return None
    return str(found) if found is not None else None


def require_migrated() -> None:
    """Raise ``NotMigrated`` unless the database is at ``HEAD``. Asked once per process when the answer is yes."""
    shared = state().shared
    if shared.get("migrated") is True:
        return
    version = current_version()
    if version != HEAD:
        at = f"is at {version}" if version else "has no Cairnloop tables"
        raise NotMigrated(f"The database {at}; this version needs {HEAD}. Run: flask cairnloop db upgrade")
    shared["migrated"] = True

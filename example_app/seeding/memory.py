"""Which texts the desk has been told already, by their key: Trailmark keeps the ids the desk gave it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from example_app.database import db
from example_app.models import Seeded
from example_app.people import TEAM
from flask_cairnloop import NotFound, Operator, joined
from flask_cairnloop.core import current

OPERATORS = {
    member.username: Operator(id=member.username, name=member.name, scopes=member.scopes) for member in TEAM.values()
}


def once(key: str, *, exists: Callable[[int], object], tell: Callable[[], int], at: datetime) -> bool:
    """Tell the desk something that it was never told, as if it were ``at``; the desk's rows and ours are one commit."""
    known = db.session.get(Seeded, key)
    if known is not None:
        try:
            exists(known.record_id)
            return False
        except NotFound:  # the desk was emptied meanwhile
            db.session.delete(known)
    with current.at(at), joined():
        db.session.add(Seeded(key=key, record_id=tell()))
    db.session.commit()
    return True

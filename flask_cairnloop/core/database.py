"""Tables, the host's session, and the one way a change is saved."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, cast

from flask import current_app
from sqlalchemy import BigInteger, DateTime, Engine, Enum, MetaData, Table, Text, event
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction

from flask_cairnloop.core.errors import TransactionDoomed

SCHEMA = "cairnloop"
log = logging.getLogger("flask_cairnloop")


class Base(DeclarativeBase):
    """The root of our tables: their own metadata in their own schema, bound to the host's engine."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map: ClassVar = {
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
        list[str]: ARRAY(Text),
    }


def choice(kind: type[StrEnum]) -> Enum:
    """A column type for ``kind``: its values as text, held by a CHECK."""
    name = "".join("_" + c.lower() if c.isupper() else c for c in kind.__name__).lstrip("_")
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        validate_strings=True,
        values_callable=lambda members: [member.value for member in members],
    )


def table(model: type[Base]) -> Table:
    """The bare table of a model, for statements that must cost little."""
    return cast("Table", model.__table__)


@dataclass
class _Unit:
    """How deep we stand in nested ``transaction()`` blocks, and what waits for the commit."""

    depth: int = 0
    joined: int = 0
    doomed: bool = False
    committed: bool = False
    waiting: list[Callable[[], None]] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)

    def forget(self) -> None:
        """Nothing was saved, so nothing follows."""
        self.waiting.clear()
        self.notes.clear()


_UNIT = "cairnloop_unit"


def session() -> Session:
    """The host's session of this app context."""
    return cast("Session", current_app.extensions["sqlalchemy"].session())


def engine() -> Engine:
    """The host's default engine."""
    return cast("Engine", current_app.extensions["sqlalchemy"].engine)


def _unit(db: Session) -> _Unit:
    unit = db.info.get(_UNIT)
    if unit is None:
        unit = db.info[_UNIT] = _Unit()
    return cast("_Unit", unit)


@contextmanager
def transaction() -> Iterator[Session]:
    """Everything inside is saved together or not at all.

    Blocks nest: the outermost one commits the host's session, the inner ones flush. An exception that crosses any
    block dooms the whole, even when it is caught further out: leaving the outermost block then raises
    ``TransactionDoomed``. Inside ``joined()`` the host commits instead.
    """
    db = session()
    unit = _unit(db)
    unit.depth += 1
    outermost = unit.depth == 1 and not unit.joined
    try:
        yield db
        if unit.doomed:
            raise TransactionDoomed
        if outermost:
            db.commit()
        else:
            db.flush()
    except BaseException:
        unit.doomed = True
        if outermost:
            db.rollback()
            unit.forget()
        raise
    finally:
        unit.depth -= 1
        if unit.depth == 0 and not unit.joined:
            unit.doomed = False
    if outermost:
        _run_waiting(unit)


@contextmanager
def joined() -> Iterator[Session]:
    """Let our verbs take part in the host's own transaction: inside, they flush, and the host commits.

    What waits for the commit (jobs to push, regions to refresh, signals) follows the host's commit, and is dropped
    by its rollback.
    """
    db = session()
    unit = _unit(db)
    if not event.contains(db, "after_transaction_end", _after_host_transaction):
        event.listen(db, "after_commit", _host_committed)
        event.listen(db, "after_transaction_end", _after_host_transaction)
    unit.joined += 1
    try:
        yield db
        if unit.doomed:
            raise TransactionDoomed
        db.flush()
    finally:
        unit.joined -= 1
        if unit.joined == 0 and unit.depth == 0:
            unit.doomed = False


def after_commit(work: Callable[[], None]) -> None:
    """Run ``work`` when the current transaction has been committed; never if it is rolled back.

    A failure of ``work`` is logged: the change is already saved.
    """
    unit = _unit(session())
    if unit.depth == 0 and not unit.joined:
        raise RuntimeError("after_commit() belongs inside transaction()")
    unit.waiting.append(work)


def notes() -> dict[str, Any]:
    """A scratch pad of the current transaction, gone when it ends either way."""
    return _unit(session()).notes


def _host_committed(db: Session) -> None:
    _unit(db).committed = True


def _after_host_transaction(db: Session, ended: SessionTransaction) -> None:
    if ended.parent is not None:
        return
    unit = _unit(db)
    if unit.depth and not unit.joined:
        return
    committed, unit.committed = unit.committed, False
    if committed:
        _run_waiting(unit)
    else:
        unit.forget()


def _run_waiting(unit: _Unit) -> None:
    work, unit.waiting = unit.waiting, []
    unit.notes.clear()
    for step in work:
        try:
            step()
        except Exception:
            log.exception("what follows a commit failed; the change itself is saved")

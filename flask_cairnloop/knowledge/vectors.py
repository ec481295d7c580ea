"""What is kept per embedding model: its vectors, and the HNSW index over them."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from flask_cairnloop.core.database import SCHEMA, engine, session, transaction
from flask_cairnloop.host.embedder import Embedder

LONGEST_VECTOR = 2_000  # numbers pgvector's HNSW indexes at full precision
LONGEST_HALF = 4_000  # and at half precision; longer vectors are compared one by one
DROPPED_AT_ONCE = 5_000
_LOCK_CLASS = 0x436D  # advisory locks of whoever builds an index
_POLL = 0.2  # seconds


@dataclass(frozen=True)
class VectorTable:
    """Where vectors of one kind of record lie. All four are names of tables and columns of ours."""

    corpus: str
    name: str
    key: str
    records: str


CHUNKS = VectorTable("articles", "cairnloop_chunk_vectors", "chunk_id", "cairnloop_chunks")
CASES = VectorTable("cases", "cairnloop_case_vectors", "case_id", "cairnloop_resolved_cases")
TABLES = (CHUNKS, CASES)


def operand(dimension: int) -> str:
    """The type vectors are compared in: what the index is made of, and a query must say to be served by it."""
    half = LONGEST_VECTOR < dimension <= LONGEST_HALF
    return f"{'halfvec' if half else 'vector'}({int(dimension)})"


def quoted(model: str) -> str:
    """A model's name as a literal for ``text()``: as a parameter it would not match the condition of its index."""
    return "'" + model.replace("'", "''").replace(":", r"\:") + "'"


def index_name(table: VectorTable, model: str) -> str:
    """What the index over a model's vectors is called."""
    return f"ix_{table.name}_{hashlib.sha256(model.encode()).hexdigest()[:12]}"


def is_indexable(dimension: int) -> bool:
    """Whether an index can hold vectors of that length."""
    return dimension <= LONGEST_HALF


def has_index(table: VectorTable, embedder: Embedder) -> bool:
    """Whether the index over an embedder's vectors stands, whole and of the right length."""
    with engine().connect() as connection:
        return _stands(connection, table, embedder)


def stored_dimension(table: VectorTable, model: str) -> int | None:
    """How many numbers a stored vector of that name has; None where there is none."""
    query = text(f"SELECT vector_dims(embedding) FROM {SCHEMA}.{table.name} WHERE model = {quoted(model)} LIMIT 1")
    with transaction() as db:
        found: int | None = db.execute(query).scalar()
    return found


def build_index(table: VectorTable, embedder: Embedder) -> bool:
    """Build the index over an embedder's vectors, while everybody reads and writes. Returns whether there is one now.

    What a killed build left is dropped and made again; a second builder waits for the first. Call it outside any
    transaction: the build waits until every older one has ended. Vectors above 4,000 numbers get none.
    """
    _require_no_transaction()
    if not is_indexable(embedder.dimension):
        return False
    name, kind = index_name(table, embedder.name), operand(embedder.dimension)
    operators = f"{kind.partition('(')[0]}_cosine_ops"
    with _alone(name) as connection:
        if not _stands(connection, table, embedder):
            connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {SCHEMA}.{name}"))
            connection.execute(
                text(
                    f"CREATE INDEX CONCURRENTLY {name} ON {SCHEMA}.{table.name}"
                    f" USING hnsw ((embedding\\:\\:{kind}) {operators}) WHERE model = {quoted(embedder.name)}"
                )
            )
    return True


def drop_others(table: VectorTable, keep: Collection[str]) -> int:
    """Forget the vectors and indexes of every model but those named. Returns how many vectors went.

    Call it outside any transaction; each few thousand vectors go in one of their own.
    """
    _require_no_transaction()
    dropped = 0
    while count := _drop_some(table, keep):
        dropped += count
    kept = {index_name(table, model) for model in keep}
    with engine().connect() as connection:
        names = [name for name in _index_names(connection, table) if name not in kept]
    for name in names:
        with _alone(name) as connection:
            connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {SCHEMA}.{name}"))
    return dropped


def _drop_some(table: VectorTable, keep: Collection[str]) -> int:
    statement = text(
        f"""
        WITH gone AS (
            DELETE FROM {SCHEMA}.{table.name} WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM {SCHEMA}.{table.name} WHERE NOT model = ANY(:keep) LIMIT {DROPPED_AT_ONCE}
                FOR UPDATE SKIP LOCKED
            )) RETURNING 1
        ) SELECT count(*) FROM gone
        """
    )
    with transaction() as db:
        return int(db.execute(statement, {"keep": list(keep)}).scalar_one())


def _index_names(connection: Connection, table: VectorTable) -> list[str]:
    query = text("SELECT indexname FROM pg_indexes WHERE schemaname = :schema AND tablename = :table ORDER BY 1")
    names = connection.scalars(query, {"schema": SCHEMA, "table": table.name})
    return [name for name in names if re.fullmatch(rf"ix_{table.name}_[0-9a-f]{{12}}", name)]


_INDEX = text(
    """
    SELECT i.indisvalid, pg_get_indexdef(i.indexrelid) FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :name
    """
)


def _stands(connection: Connection, table: VectorTable, embedder: Embedder) -> bool:
    names = {"schema": SCHEMA, "name": index_name(table, embedder.name)}
    found = connection.execute(_INDEX, names).one_or_none()
    return found is not None and found[0] and f"::{operand(embedder.dimension)})" in found[1]


@contextmanager
def _alone(name: str) -> Iterator[Connection]:
    """An autocommitting connection that alone may touch the index of that name."""
    lock = {"kind": _LOCK_CLASS, "key": int(hashlib.sha256(name.encode()).hexdigest()[:7], 16)}
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # asked again and again: waiting inside a statement would hold up the very build we wait for
        while not connection.execute(text("SELECT pg_try_advisory_lock(:kind, :key)"), lock).scalar():
            time.sleep(_POLL)
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.execute(text("SELECT pg_advisory_unlock(:kind, :key)"), lock)


def _require_no_transaction() -> None:
    if session().in_transaction():
        raise RuntimeError("an index is built outside any transaction, since it waits for those that are open")

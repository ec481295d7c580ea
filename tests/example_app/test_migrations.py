from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, Table, text

from example_app import HERE
from example_app.database import Base, db
from tests.example_app.conftest import Counts, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of Trailmark's migrations that may be written to."""
    return Path(shutil.copytree(HERE / "migrations", tmp_path / "migrations"))


@pytest.fixture
def extra_table() -> Iterator[Table]:
    """A table the host has thought of, and not yet migrated."""
    table = Table("badges", Base.metadata, Column("id", Integer, primary_key=True))
    yield table
    Base.metadata.remove(table)


def test_trailmarks_tables_are_what_its_migrations_make(app: Flask) -> None:
    run(app, "db", "check")


def test_the_check_notices_a_table_without_a_migration(app: Flask, extra_table: Table) -> None:
    assert app.test_cli_runner().invoke(args=["db", "check"]).exit_code == 1


def test_the_hosts_autogenerate_stays_quiet_about_the_desk(app: Flask, folder: Path) -> None:
    before = sorted(folder.glob("versions/*.py"))
    run(app, "db", "migrate", "--directory", str(folder))
    assert sorted(folder.glob("versions/*.py")) == before


def test_the_hosts_autogenerate_sees_the_hosts_own_changes_only(app: Flask, folder: Path, extra_table: Table) -> None:
    run(app, "db", "migrate", "--directory", str(folder), "--rev-id", "0002", "-m", "badges")

    written = (folder / "versions" / "0002_badges.py").read_text()
    assert "badges" in written
    assert "cairnloop" not in written


def test_going_back_removes_trailmarks_tables_and_leaves_the_desk(app: Flask, counts: Callable[[], Counts]) -> None:
    desk = {name for name in counts() if name.startswith("cairnloop.")}
    run(app, "db", "downgrade", "base")

    assert desk
    assert set(counts()) == desk | {"public.alembic_version"}
    run(app, "db", "upgrade")
    assert "public.customers" in counts()


def test_an_unmigrated_desk_refuses_the_seed_with_the_command_to_run(app: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA cairnloop CASCADE"))

    result = app.test_cli_runner().invoke(args=["trailmark", "seed"])

    assert result.exit_code == 1
    assert "flask cairnloop db upgrade" in result.output

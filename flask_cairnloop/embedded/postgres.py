"""PostgreSQL: made once, recovered after any kind of end, started, and asked whether it is ready."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from flask_cairnloop.embedded.child import Child, ServerFailed, environment, identity
from flask_cairnloop.embedded.place import Account

USER = DATABASE = "host"
CONNECTIONS = 300
_CAREFREE = {"fsync": "off", "full_page_writes": "off"}  # safe when a process dies, not when the power does


def create(programs: Path, data: Path, password: str, *, account: Account | None, durable: bool) -> None:
    """Make the database cluster where there is none. Half-made ones are thrown away."""
    if (data / "PG_VERSION").exists():
        return
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    secret = data.with_name("password")
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="utf-8")
    if account is not None:
        shutil.chown(fresh, account.uid, account.gid)
        shutil.chown(secret, account.uid, account.gid)
    try:
        made = subprocess.run(
            _initdb(programs, fresh, secret, durable=durable),
            cwd=data.parent,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **identity(account),
        )
    finally:
        secret.unlink()
    if made.returncode != 0:
        raise ServerFailed(f"PostgreSQL's initdb failed:\n{made.stdout}{made.stderr}")
    fresh.rename(data)


def start(programs: Path, data: Path, port: int, log: Path, *, account: Account | None, durable: bool) -> Child:
    """Start the server on a loopback port."""
    _clear_stale_lock(data)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": str(CONNECTIONS),
        "timezone": "UTC",
        "log_timezone": "UTC",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        **({} if durable else _CAREFREE),
    }
    command = [str(programs / "bin" / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return Child("PostgreSQL", command, log=log, account=account, stop_signal=signal.SIGINT)


def is_ready(password: str, port: int) -> bool:
    """Whether it answers; the first answer also makes our database."""
    try:
        with psycopg.connect(conninfo(password, port, "postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError as failure:
        if "authentication failed" in str(failure):
            raise ServerFailed("PostgreSQL's data was made with another password. Start over: --erase") from None
        return False
    return True


def conninfo(password: str, port: int, database: str) -> str:
    """What libpq needs to connect."""
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=port, user=USER, password=password, dbname=database, connect_timeout=5
    )


def database_url(password: str, port: int) -> str:
    """The address SQLAlchemy takes."""
    return f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"


def _initdb(programs: Path, data: Path, secret: Path, *, durable: bool) -> list[str]:
    options = [
        f"--pgdata={data}",
        f"--username={USER}",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
        "--set=scram_iterations=1",  # the password is random: stretching it would only slow down each connection
    ]
    return [str(programs / "bin" / "initdb"), *options, *([] if durable else ["--no-sync"])]


def _clear_stale_lock(data: Path) -> None:
    """Remove the lock of a server that was killed, once nothing of it is left.

    PostgreSQL removes it too, except where another process of the account now has the same number.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    import psutil

    left = [process for process in psutil.process_iter(["name", "cwd"]) if _belongs_to(process.info, data)]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGQUIT)
    _, stubborn = psutil.wait_procs(left, timeout=20)
    if stubborn:
        raise ServerFailed(f"An earlier PostgreSQL still uses {data} and does not end: process {stubborn[0].pid}.")
    lock.unlink(missing_ok=True)


def _belongs_to(process: Mapping[str, str | None], data: Path) -> bool:
    folder = process["cwd"]  # nothing where we may not look: then it is not our account's
    return process["name"] == "postgres" and folder is not None and Path(folder) == data.resolve()

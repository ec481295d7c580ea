"""``flask cairnloop worker``: one scheduler and any number of in-process RQ workers, watched over by this process."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, ForkProcess

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

log = logging.getLogger("flask_cairnloop.worker")
RESTART_PAUSE = 1.0  # seconds between a child's death and its replacement
GRACE = 20.0  # seconds a child may take to finish its job when asked to stop


@click.command()
@click.option("--processes", "-n", default=1, show_default=True, type=click.IntRange(1, 64), help="Worker processes.")
@click.option("--scheduler/--no-scheduler", default=True, show_default=True, help="Also run a scheduler.")
@click.option("--burst", is_flag=True, help="Stop when nothing is left to do.")
@pass_script_info
def worker(info: ScriptInfo, processes: int, scheduler: bool, burst: bool) -> None:
    """Run the desk's background work: drafts, indexing, and whatever else was promised."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if burst:
        app = info.load_app()
        with app.app_context():
            from flask_cairnloop.core import schema, work

            schema.require_migrated()
            click.echo(f"{work.run_due()} job(s) run")
        return
    roles = ["scheduler"] * scheduler + ["worker"] * processes
    Supervisor(info, roles).run()


class Supervisor:
    """Keeps one child process per role alive. It never touches database or Redis itself, so forking is safe."""

    def __init__(self, info: ScriptInfo, roles: list[str]) -> None:
        self._info = info
        self._roles = roles
        self._context: ForkContext = multiprocessing.get_context("fork")
        #: Children watch this pipe: when we are gone, however we went, it closes and they stop.
        self._lifeline, self._held = self._context.Pipe(duplex=False)
        self._children: dict[int, ForkProcess] = {}
        self._stopping = False

    def run(self) -> None:
        """Start the children and replace those that die, until told to stop."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        for slot in range(len(self._roles)):
            self._start(slot)
        while not self._stopping:
            time.sleep(0.2)
            for slot, child in list(self._children.items()):
                if not child.is_alive() and not self._stopping:
                    log.warning("%s ended with code %s; starting another", self._roles[slot], child.exitcode)
                    time.sleep(RESTART_PAUSE)
                    self._start(slot)
        self._finish()

    def _start(self, slot: int) -> None:
        child = self._context.Process(
            target=_child,
            args=(self._info, self._roles[slot], self._lifeline, self._held),
            name=f"cairnloop-{self._roles[slot]}-{slot}",
        )
        child.start()
        self._children[slot] = child

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _finish(self) -> None:
        for child in self._children.values():
            if child.pid and child.is_alive():
                os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for child in self._children.values():
            child.join(max(0.1, deadline - time.monotonic()))
            if child.is_alive():
                child.kill()


def _child(info: ScriptInfo, role: str, lifeline: Connection, held: Connection) -> None:
    held.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()
    app = info.load_app()
    with app.app_context():
        from flask_cairnloop.core import schema

        schema.require_migrated()
    (_scheduler if role == "scheduler" else _worker)(app)


def _watch(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)


def _scheduler(app: Flask) -> None:
    from flask_cairnloop.core import scheduler

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    log.info("scheduler started")
    scheduler.loop(app, stop)


def _worker(app: Flask) -> None:
    from rq import SimpleWorker
    from rq.serializers import JSONSerializer

    from flask_cairnloop.core import redis
    from flask_cairnloop.core.current import settings
    from flask_cairnloop.core.jobs import queue

    with app.app_context():
        connection = redis.connect(settings.redis_url, timeout=None)
        runner = SimpleWorker([queue()], connection=connection, serializer=JSONSerializer, log_job_description=False)
        runner.work(logging_level="WARNING", with_scheduler=False)

"""Workers killed in the middle of running approved actions whose effects lie outside any database."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_cairnloop import Operator, governance
from flask_cairnloop.core.database import session
from flask_cairnloop.governance import ApprovalStatus, ToolApproval

Processes = Callable[..., "subprocess.Popen[bytes]"]
ACTIONS = 100
KILLS = 100 if os.environ.get("CAIRNLOOP_TORTURE") == "full" else 4
ENDINGS = {ApprovalStatus.EXECUTED, ApprovalStatus.EXECUTION_FAILED, ApprovalStatus.OUTCOME_UNKNOWN}


def standing() -> Counter[ApprovalStatus]:
    rows = session().execute(select(ToolApproval.status, func.count()).group_by(ToolApproval.status))
    found = Counter({row[0]: row[1] for row in rows})
    session().rollback()
    return found


def settled() -> int:
    return sum(number for status, number in standing().items() if status in ENDINGS)


@pytest.mark.parametrize("tool", ["append_line", "append_once"])
def test_a_kill_at_any_moment_runs_nothing_twice_and_leaves_nothing_behind(
    app: Flask,
    processes: Processes,
    redis_url: str,
    operator: Operator,
    approver: Operator,
    tmp_path: Path,
    tool: str,
) -> None:
    file = tmp_path / "effects"
    for number in range(ACTIONS):
        made = governance.propose(tool, {"path": str(file), "line": str(number)}, by=operator)
        governance.approve(made.id, by=approver)
    dice = random.Random(11)

    def start() -> subprocess.Popen[bytes]:
        names = [f"tests.governance.tools.{kind}" for kind in ("AppendLine", "AppendOnce")]
        return processes(
            *("-m", "flask", "--app", "tests.support.worker_app", "cairnloop", "worker"),
            TEST_DATABASE_URL=app.config["SQLALCHEMY_DATABASE_URI"],
            TEST_REDIS_URL=redis_url,
            TEST_TOOLS=",".join(names),
        )

    supervisor = start()
    for kill in range(KILLS):
        goal = min(ACTIONS - 5, settled() + dice.randint(1, max(1, 90 // KILLS)))
        deadline = time.monotonic() + 60
        while settled() < goal and time.monotonic() < deadline:
            time.sleep(dice.uniform(0, 0.02))
        for child in psutil.Process(supervisor.pid).children(recursive=True):
            os.kill(child.pid, signal.SIGKILL)
        if kill % 3 == 2:
            supervisor.kill()
            supervisor.wait()
            supervisor = start()
    deadline = time.monotonic() + 120
    while settled() < ACTIONS and time.monotonic() < deadline:
        time.sleep(0.1)
    assert settled() == ACTIONS, standing()
    if tool == "append_once":
        assert standing() == {ApprovalStatus.EXECUTED: ACTIONS}
        assert len(list(tmp_path.glob("effects.*"))) == ACTIONS
        return
    lines = Counter(file.read_text().split())
    assert max(lines.values()) == 1, "no line twice"
    assert sum(lines.values()) >= standing()[ApprovalStatus.EXECUTED]

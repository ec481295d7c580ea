from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from flask_cairnloop import Operator, governance
from flask_cairnloop.governance import ToolProposal
from tests.governance.tools import RUNS, TOOLS, TROUBLE
from tests.support.hosts import HeaderResolver

Propose = Callable[..., ToolProposal]
STAFF: dict[str, Operator] = {}


class Staff(HeaderResolver):
    """Knows who works here now."""

    def find(self, operator_id: str, *, tenant: str = "") -> Operator | None:
        return STAFF.get(operator_id)


@pytest.fixture
def host_settings() -> dict[str, object]:
    return {"CAIRNLOOP_TOOLS": TOOLS, "CAIRNLOOP_EMBEDDER": None, "CAIRNLOOP_OPERATOR_RESOLVER": Staff}


@pytest.fixture(autouse=True)
def staff(operator: Operator, second_operator: Operator) -> dict[str, Operator]:
    """Who works here, with their scopes; nothing has run yet."""
    RUNS.clear()
    TROUBLE.clear()
    STAFF.clear()
    STAFF.update({operator.id: operator, second_operator.id: second_operator})
    return STAFF


@pytest.fixture
def approver() -> Operator:
    """Bo, who may approve refunds."""
    return Operator(id="bo", name="Bo Lind", scopes=frozenset({"support", "billing"}))


@pytest.fixture
def propose(app: Flask, operator: Operator) -> Propose:
    """Ada asks for something."""

    def ask(tool: str, *, by: Operator = operator, **params: Any) -> ToolProposal:
        return governance.propose(tool, params, by=by)

    return ask

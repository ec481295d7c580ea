"""Tools of a small shop, whose effects a test can see."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from flask_cairnloop import HostFailure
from flask_cairnloop.host.tool import ALLOW, Deny, Tool

#: What ran, as (tool, run key); emptied for each test.
RUNS: list[tuple[str, str]] = []
#: What the next run does instead of succeeding.
TROUBLE: list[BaseException] = []


class Shop(Tool):
    """What the shop's tools share: who holds the scope may use them."""

    @classmethod
    def scope(cls) -> set[str]:
        return {"support"}

    def authorize(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        return ALLOW

    def run(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        RUNS.append((self.tool_spec().name, context["run_key"]))
        if TROUBLE:
            raise TROUBLE.pop(0)
        return {"by": actor_id, "attempt": context["attempt"], "nested": {"left": "out"}}


class LookUpOrder(Shop, risk_tier="read_only"):
    order: str = Field(min_length=3)


class Carrier(StrEnum):
    POST = "post"
    COURIER = "courier"


class Reship(Shop, risk_tier="low_write", title="Send again", idempotent=True):
    order: str
    carrier: Carrier = Carrier.POST

    def preview(self) -> str:
        return f"Sends order {self.order} again by {self.carrier}."


class Refund(Shop, risk_tier="high_write", approver_scope="billing", sensitive=("card",)):
    order: str
    cents: int = Field(gt=0, le=100_000)
    card: str = ""
    api_token: str = ""


class CloseAccount(Shop, risk_tier="destructive"):
    account: str


class Undeclared(Tool, risk_tier="low_write"):
    @classmethod
    def scope(cls) -> set[str]:
        return set()

    def run(self, actor_id: str, context: Mapping[str, Any]) -> None:
        raise AssertionError("nothing allowed this")


class Picky(Shop, risk_tier="low_write"):
    order: str

    def authorize(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        answers: dict[str, Any] = {"deny": Deny("The order has left the house."), "none": None, "yes": True}
        if self.order == "raise":
            raise RuntimeError("down")
        return answers.get(self.order, ALLOW)


class AppendLine(Shop, risk_tier="low_write"):
    """Its effect is a line in a file, outside any database."""

    path: str
    line: str

    def run(self, actor_id: str, context: Mapping[str, Any]) -> str:
        with Path(self.path).open("a") as file:
            file.write(f"{self.line}\n")
        time.sleep(0.01)
        return "written"


class AppendOnce(AppendLine, risk_tier="low_write", idempotent=True):
    """The same, done once per run key."""

    def run(self, actor_id: str, context: Mapping[str, Any]) -> str:
        path = Path(self.path + "." + context["run_key"])
        path.write_text(self.line)
        time.sleep(0.01)
        return "written"


class Sleep(Shop, risk_tier="low_write", timeout=0.2):
    def run(self, actor_id: str, context: Mapping[str, Any]) -> None:
        time.sleep(30)


class SleepOften(Sleep, risk_tier="low_write", timeout=0.2, idempotent=True):
    pass


class Odd(Shop, risk_tier="low_write"):
    what: str

    def run(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        return {"none": None, "failure": HostFailure("no"), "object": object(), "long": "x" * 50_000, "nul": "a\0b"}[
            self.what
        ]


TOOLS = (LookUpOrder, Reship, Refund, CloseAccount, Undeclared, Picky, AppendLine, AppendOnce, Sleep, SleepOften, Odd)

"""Actions in every state: asked for, decided and run as the team would have done it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from example_app.database import db
from example_app.models import Seeded
from example_app.seeding.memory import OPERATORS, once
from flask_cairnloop import conversations, governance
from flask_cairnloop.core import current


@dataclass(frozen=True)
class Story:
    """One action: where and by whom it was asked for, and what was decided about it."""

    key: str
    conversation: str
    tool: str
    hours_ago: float
    by: str
    values: dict[str, Any] = field(default_factory=dict)
    decision: str = ""
    decided_by: str = "ada"
    reason: str = ""


STORIES = (
    Story("look-up", "charged-twice", "look_up_charge", 0.8, "sam", {"number": "TM-2151"}),
    Story(
        "refund-waiting",
        "charged-twice",
        "refund_charge",
        0.7,
        "sam",
        {"number": "TM-2151", "reason": "Charged twice on the same day"},
    ),
    Story("seats-done", "seat-limit", "add_seats", 1.9, "sam", {"seats": 1}, "approve"),
    Story(
        "seats-too-many", "seat-mid-month", "add_seats", 25, "sam", {"seats": 12}, "reject", reason="She asked for one."
    ),
    Story(
        "refund-later",
        "invoice-copies",
        "refund_charge",
        6,
        "sam",
        {"number": "TM-2150", "reason": "Asked for by e-mail"},
        "defer",
        reason="Finance confirms on Monday.",
    ),
    Story(
        "refund-failed",
        "leaked-key",
        "refund_charge",
        29,
        "sam",
        {"number": "TM-2138", "reason": "Goodwill after the leak"},
        "approve",
    ),
)


def seed_actions(now: datetime) -> int:
    """Tell the desk every action it does not have; how many those were."""
    return sum(_seed(story, now) for story in STORIES)


def _seed(story: Story, now: datetime) -> bool:
    at = now - timedelta(hours=story.hours_ago)
    exists = partial(governance.get_proposal, visible_to=OPERATORS[story.by])
    return once(f"action:{story.key}", exists=exists, tell=partial(_tell, story, at), at=at)


def _tell(story: Story, at: datetime) -> int:
    by, decider = OPERATORS[story.by], OPERATORS[story.decided_by]
    place = db.session.get_one(Seeded, f"conversation:{story.conversation}").record_id
    customer = conversations.get(place, visible_to=by).customer_ref
    made = governance.propose(story.tool, story.values, by=by, conversation_id=place, account_id=customer)
    with current.at(at + timedelta(minutes=7)):
        if story.decision == "approve":
            governance.approve(made.id, by=decider)
        elif story.decision == "reject":
            governance.reject(made.id, by=decider, reason=story.reason)
        elif story.decision == "defer":
            governance.defer(made.id, by=decider, reason=story.reason)
    return made.id

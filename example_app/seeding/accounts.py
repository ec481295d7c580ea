"""Trailmark's own rows: plans, customers, and what belongs to them."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from example_app.database import Base, db
from example_app.models import ApiKey, Charge, Customer, Plan, Run

SOURCE = Path(__file__).parents[1] / "content" / "accounts.toml"
Row = TypeVar("Row", bound=Base)


def seed_accounts() -> None:
    """Add what is not there yet; rows that exist stay as they are."""
    told = tomllib.loads(SOURCE.read_text())
    now = datetime.now(UTC)
    plans = {each["key"]: _ensure(Plan, {"key": each["key"]}, **each) for each in told["plan"]}
    for each in told["customer"]:
        _customer(each, plans[each["plan"]], now)
    db.session.commit()


def _customer(told: dict[str, Any], plan: Plan, now: datetime) -> None:
    plain = ("username", "name", "email", "company", "status", "seats", "seats_used", "billing_email")
    facts = {name: told[name] for name in plain}
    facts |= {"plan_id": plan.id, "joined_on": (now - timedelta(days=told["joined_days"])).date()}
    owner = _ensure(Customer, {"ref": told["ref"]}, **facts).id
    for charge in told["charges"]:
        day = (now - timedelta(days=charge.pop("days"))).date()
        _ensure(Charge, {"number": charge.pop("number")}, customer_id=owner, charged_on=day, **charge)
    for key in told["keys"]:
        expires = key.pop("expires_in_days", None)
        moments = {
            "created_at": now - timedelta(days=key.pop("days")),
            "expires_at": now + timedelta(days=expires) if expires else None,
            "last_used_at": now - timedelta(hours=key.pop("used_hours")),
        }
        _ensure(ApiKey, {"prefix": key.pop("prefix")}, customer_id=owner, **moments, **key)
    for run in told["runs"]:
        finished = now - timedelta(hours=run.pop("hours"))
        natural = {"customer_id": owner, "pipeline": run.pop("pipeline"), "number": run.pop("number")}
        _ensure(Run, natural, finished_at=finished, **run)


def _ensure(model: type[Row], natural: dict[str, Any], **facts: Any) -> Row:
    """The row with this natural key, added where it is missing."""
    found = db.session.scalars(select(model).filter_by(**natural)).unique().one_or_none()
    if found is None:
        found = model(**(natural | facts))
        db.session.add(found)
        db.session.flush()
    return found

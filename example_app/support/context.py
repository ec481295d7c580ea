"""What operators see beside a conversation: the facts Trailmark's own tables hold about this customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from example_app.database import db
from example_app.models import Customer
from example_app.words import STATUSES, day, money
from flask_cairnloop import ContextProvider

Section = dict[str, Any]


class TrailmarkContext(ContextProvider):
    def get_context(self, actor_id: str, **opts: Any) -> Mapping[str, Section]:
        customer = db.session.scalars(select(Customer).where(Customer.ref == actor_id)).one_or_none()
        if customer is None:
            return {}
        sections = {
            "Active plan": _plan(customer),
            "Recent charges": _charges(customer),
            "Pipelines": _runs(customer),
            "Keys and tokens": _keys(customer),
            "User details": _details(customer),
        }
        return {title: section for title, section in sections.items() if section}


def _plan(customer: Customer) -> Section:
    return {
        "Tier": customer.plan.name,
        "Status": STATUSES[customer.status],
        "Seats": f"{customer.seats_used} of {customer.seats} used",
        "Customer since": day(customer.joined_on),
    }


def _charges(customer: Customer) -> Section:
    return {
        each.number: f"{money(each.amount_cents)} {STATUSES[each.status].lower()}, {day(each.charged_on)}"
        for each in customer.charges[:3]
    }


def _runs(customer: Customer) -> Section:
    return {f"#{run.number} {run.pipeline}": f"{STATUSES[run.status]}: {run.note}" for run in customer.runs[:3]}


def _keys(customer: Customer) -> Section:
    return {
        key.name: f"{key.prefix}…" + (f", expires {day(key.expires_at)}" if key.expires_at else "")
        for key in customer.api_keys
    }


def _details(customer: Customer) -> Section:
    return {
        "Name": customer.name,
        "Company": customer.company,
        "E-mail": customer.email,
        "Invoices go to": customer.billing_email,
    }

"""What the support team may ask Trailmark to do: look something up, add seats, pay money back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from sqlalchemy import select

from example_app.database import db
from example_app.models import Charge, Customer
from example_app.words import STATUSES, day, money
from flask_cairnloop import ALLOW, Deny, HostFailure, Tool

SUPPORT = "support"
BILLING = "billing"


class _OfThisCustomer(Tool):
    """Only where the conversation belongs to somebody Trailmark knows."""

    @classmethod
    def scope(cls) -> set[str]:
        return {SUPPORT}

    def authorize(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        return ALLOW if _customer(context) is not None else Deny("This conversation belongs to no customer of ours.")


class LookUpCharge(
    _OfThisCustomer,
    risk_tier="read_only",
    title="Look up a charge",
    description="What was charged, when, and what became of it.",
):
    number: str = Field(title="Invoice number", min_length=3, max_length=20, description="Such as TM-2151")

    def run(self, actor_id: str, context: Mapping[str, Any]) -> dict[str, str]:
        charge = _charge(self.number, context)
        return {
            "Invoice": charge.number,
            "For": charge.description,
            "Amount": money(charge.amount_cents),
            "Status": STATUSES[charge.status],
            "Date": day(charge.charged_on),
        }


class AddSeats(
    _OfThisCustomer,
    risk_tier="low_write",
    title="Add seats",
    description="Seats added here are charged from the next invoice on.",
):
    seats: int = Field(title="How many", ge=1, le=20)

    def preview(self) -> str:
        return f"Adds {self.seats} seat{'s' if self.seats > 1 else ''} to the workspace at once."

    def run(self, actor_id: str, context: Mapping[str, Any]) -> str:
        customer = _customer(context)
        assert customer is not None
        customer.seats += self.seats
        return f"{customer.company} has {customer.seats} seats now."


class RefundCharge(
    _OfThisCustomer,
    risk_tier="high_write",
    title="Refund a charge",
    description="Pays one charge back to the card it was taken from.",
    approver_scope=BILLING,
):
    number: str = Field(title="Invoice number", min_length=3, max_length=20, description="Such as TM-2151")
    reason: str = Field(title="Reason", min_length=3, max_length=300)

    def preview(self) -> str:
        return f"Pays invoice {self.number} back in full; the customer sees it on the card within five days."

    def run(self, actor_id: str, context: Mapping[str, Any]) -> str:
        charge = _charge(self.number, context)
        if charge.status != "paid":
            state = STATUSES[charge.status].lower()
            raise HostFailure(f"Invoice {charge.number} is {state}; only a paid one can be refunded.", permanent=True)
        charge.status = "refunded"
        return f"{money(charge.amount_cents)} go back to the card ending in {charge.card_last4}."


TOOLS = (LookUpCharge, AddSeats, RefundCharge)


def _customer(context: Mapping[str, Any]) -> Customer | None:
    return db.session.scalars(select(Customer).where(Customer.ref == context["account_id"])).one_or_none()


def _charge(number: str, context: Mapping[str, Any]) -> Charge:
    """A charge of this customer; another's is not there."""
    customer = _customer(context)
    owner = customer.id if customer is not None else None
    query = select(Charge).where(Charge.number == number.strip().upper(), Charge.customer_id == owner)
    found = db.session.scalars(query.with_for_update()).one_or_none()
    if found is None:
        raise HostFailure(f"This customer has no invoice {number}.", permanent=True)
    return found

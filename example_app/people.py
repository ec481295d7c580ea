"""Who is signed in. Customers and the support team have two separate logins, so one browser can hold both windows."""

from __future__ import annotations

from dataclasses import dataclass

from flask import session
from sqlalchemy import select

from example_app.database import db
from example_app.models import Customer


@dataclass(frozen=True)
class Member:
    """Somebody of Trailmark's support team."""

    username: str
    name: str
    title: str
    #: What they may do at the desk besides answering.
    scopes: frozenset[str] = frozenset()


TEAM = {
    member.username: member
    for member in (
        Member("ada", "Ada Osei", "Support lead", frozenset({"support", "billing"})),
        Member("sam", "Sam Kim", "Support engineer", frozenset({"support"})),
    )
}


def customers() -> list[Customer]:
    """Everybody who can sign in as a customer."""
    return list(db.session.scalars(select(Customer).order_by(Customer.id)))


def find_customer(username: str | None) -> Customer | None:
    """The customer of that user name."""
    return db.session.scalars(select(Customer).where(Customer.username == username)).one_or_none() if username else None


def signed_in_customer() -> Customer | None:
    """The customer of this browser."""
    return find_customer(session.get("customer"))


def signed_in_member() -> Member | None:
    """The support team's member of this browser."""
    return TEAM.get(session.get("member", ""))

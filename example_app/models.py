"""Trailmark's own tables: who pays for what, and what their pipelines did."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from example_app.database import Base

Moment = DateTime(timezone=True)


class Plan(Base):
    """What Trailmark sells."""

    __tablename__ = "plans"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    seats_included: Mapped[int]
    price_cents: Mapped[int]
    extra_seat_cents: Mapped[int | None]


class Customer(Base):
    """A person with a workspace. ``ref`` is the only name the support desk knows them by."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Text, unique=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    company: Mapped[str] = mapped_column(Text)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    status: Mapped[str] = mapped_column(Text)
    seats: Mapped[int]
    seats_used: Mapped[int]
    billing_email: Mapped[str] = mapped_column(Text)
    joined_on: Mapped[date]

    plan: Mapped[Plan] = relationship(lazy="joined")
    charges: Mapped[list[Charge]] = relationship(order_by="Charge.charged_on.desc(), Charge.number.desc()")
    api_keys: Mapped[list[ApiKey]] = relationship(order_by="ApiKey.name")
    runs: Mapped[list[Run]] = relationship(order_by="Run.finished_at.desc()")

    @property
    def first_name(self) -> str:
        return self.name.split()[0]


class Charge(Base):
    """One attempt to collect an invoice."""

    __tablename__ = "charges"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    description: Mapped[str] = mapped_column(Text)
    amount_cents: Mapped[int]
    status: Mapped[str] = mapped_column(Text)
    card_last4: Mapped[str] = mapped_column(Text)
    charged_on: Mapped[date]


class ApiKey(Base):
    """A key or deploy token; only its first characters are kept readable."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)


class Run(Base):
    """One run of a pipeline."""

    __tablename__ = "runs"
    __table_args__ = (UniqueConstraint("customer_id", "pipeline", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    pipeline: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    branch: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    finished_at: Mapped[datetime] = mapped_column(Moment)


class Seeded(Base):
    """What the seed has already told the support desk, so that seeding twice tells it once."""

    __tablename__ = "seeded"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    record_id: Mapped[int] = mapped_column(BigInteger)

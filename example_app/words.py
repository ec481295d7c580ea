"""How Trailmark says its facts: money, days and states in words."""

from __future__ import annotations

from datetime import date

STATUSES = {
    "active": "Active",
    "past_due": "Past due",
    "paid": "Paid",
    "failed": "Failed",
    "refunded": "Refunded",
    "passed": "Passed",
    "skipped": "Skipped",
}


def money(cents: int) -> str:
    """``4800`` as ``$48.00``."""
    return f"${cents / 100:,.2f}"


def day(moment: date) -> str:
    """``12 May 2026``."""
    return f"{moment.day} {moment:%b %Y}"

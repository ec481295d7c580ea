"""Moments as an operator reads them: in their own time zone, relative where that says more."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import request

from flask_cairnloop.core.current import now

#: Written by the page's script: the browser's time zone.
ZONE_COOKIE = "cl_zone"


def zone() -> tzinfo:
    """The operator's time zone; UTC until their browser has told it."""
    try:
        return ZoneInfo(request.cookies.get(ZONE_COOKIE, "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def local(at: datetime) -> datetime:
    """``at`` on the operator's clock."""
    return at.astimezone(zone())


def today() -> date:
    """The operator's date."""
    return local(now()).date()


def relative(at: datetime) -> str:
    """How long ago: "now", "4 min", "3 h", "2 d", else the date."""
    passed = now() - at
    if passed < timedelta(minutes=1):
        return "now"
    if passed < timedelta(hours=1):
        return f"{passed // timedelta(minutes=1)} min"
    if passed < timedelta(days=1):
        return f"{passed // timedelta(hours=1)} h"
    if passed < timedelta(days=7):
        return f"{passed // timedelta(days=1)} d"
    return short_date(local(at).date())


def exact(at: datetime) -> str:
    """The whole moment: "Tue 12 May 2026, 09:41"."""
    there = local(at)
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"


def clock(at: datetime) -> str:
    """The time of day: "09:41"."""
    return f"{local(at):%H:%M}"


def day(of: date) -> str:
    """A day as a heading: "Today", "Yesterday", "Tuesday 12 May"."""
    back = (today() - of).days
    if back in (0, 1):
        return "Yesterday" if back else "Today"
    if 0 < back < 7:
        return f"{of:%A} {of.day} {of:%B}"
    return f"{of.day} {of:%B %Y}"


def short_date(of: date) -> str:
    """A date in few letters: "12 May", with the year when it is not this one."""
    return f"{of.day} {of:%b}" if of.year == today().year else f"{of.day} {of:%b %Y}"

"""GET /live: the names of changed regions, as they change."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Blueprint, request
from werkzeug.wrappers import Response

from flask_cairnloop import conversations
from flask_cairnloop.core import live
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.live import RESYNC, Subscription
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.htmx import REGION, nothing

HEARTBEAT = 15.0  # seconds between signs of life; also how soon a closed page is noticed
LIFETIME = 600.0  # seconds until a page has to ask again, so that a lost permission is noticed


def attach(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.get("/live", endpoint="live")(stream)


def stream() -> Response:
    """A stream of server-sent events that holds no database connection. Where pages poll, there is none."""
    if settings.live == "poll":
        return nothing("live")
    subscription = live.hub().subscribe(_topics())
    response = Response(_events(subscription, until=time.monotonic() + LIFETIME), mimetype="text/event-stream")
    response.call_on_close(subscription.close)
    response.headers["X-Accel-Buffering"] = "no"
    response.headers[REGION] = "live"
    return response


def _topics() -> list[str]:
    operator = current_operator()
    topics = [f"tenant:{operator.tenant}"]
    wanted = whole(request.args, "conversation")
    if wanted is not None:
        topics.append(f"conversation:{conversations.get(wanted, visible_to=operator).id}")
    return topics


def _events(subscription: Subscription, *, until: float) -> Iterator[str]:
    """Everything is to be read once at the start; then what changes, with a comment where nothing does."""
    yield _event(RESYNC)
    while time.monotonic() < until:
        regions = dict.fromkeys(region for _, region in subscription.wait(HEARTBEAT))
        yield "".join(map(_event, regions)) or ": still here\n\n"


def _event(name: str) -> str:
    return f"event: {name}\ndata:\n\n"

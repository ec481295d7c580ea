"""The database goes away and comes back."""

from __future__ import annotations

import time
from pathlib import Path

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.embedded import servers
from tests.support.hosts import close, make_app, migrate, token_for
from tests.widget.client import Widget
from tests.widget.conftest import Serve, stored


def test_five_seconds_without_a_database_are_said_and_survived(
    serve: Serve, mina: Customer, operator: Operator, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    with servers(own, durable=True) as running:
        migrate(running.database_url)
        site = serve(DATABASE_URL=running.database_url, REDIS_URL=running.redis_url)
        page = Widget(site.socket)
        page.hello(token_for(mina))
        first = page.sent("before")
    back_at = time.monotonic() + 5
    for _ in range(3):
        page.send("during", "kept by the widget")
        assert page.hear("error", client_id="kept by the widget")["code"] == "unavailable"
        time.sleep(0.5)
    with Widget(site.socket) as newcomer:
        newcomer.say(type="hello", token=token_for(mina))
        assert newcomer.hear("error")["code"] == "unavailable"
        assert newcomer.closed() == 1013
    time.sleep(max(0.0, back_at - time.monotonic()))
    with servers(own, durable=True) as running, page:
        assert page.sent("during", "kept by the widget")["sequence"] == 2, "the same connection goes on"
        desk = make_app(running.database_url, running.redis_url)
        with desk.app_context():
            conversations.reply(first["conversation"], "We are back", by=operator)
            assert stored(mina) == ["before", "during", "We are back"]
        assert page.texts(until="We are back") == ["We are back"]
        close(desk)

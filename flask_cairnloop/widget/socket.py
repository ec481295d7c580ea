"""The websocket route: one loop per customer, one app context per frame, nothing held in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from flask import Flask, current_app, request
from simple_websocket import Server
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from flask_cairnloop.core import live, telemetry
from flask_cairnloop.core.current import settings
from flask_cairnloop.core.database import session
from flask_cairnloop.core.errors import CairnloopError, InvalidInput, NotFound
from flask_cairnloop.widget import origin
from flask_cairnloop.widget.frames import Error, ErrorCode, Hello, Outgoing, Refused, Send, parse
from flask_cairnloop.widget.session import Session, customers
from flask_cairnloop.widget.wire import Line

log = logging.getLogger("flask_cairnloop.widget")
HELLO_WITHIN = 15.0  # seconds
PING_EVERY = 25.0  # seconds of quiet
LATER = 2.0  # seconds after which to try again what could not be done
ECHO = 0.3  # seconds for which a wake-up after one's own message may wait
ECHOED = frozenset({"timeline", "header", "draft", "composer"})  # regions that receiving a message changes

CLOSE_FORBIDDEN = 4403
CLOSE_NO_HELLO = 4408
CLOSE_FAILED = 1011
CLOSE_UNAVAILABLE = 1013

UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout)


def attend(ws: Server) -> None:
    """Serve one websocket until it ends."""
    app = cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]
    line = Line(ws)
    session().close()  # what the host's own hooks opened would stay checked out as long as the socket lives
    came_from = request.headers.get("Origin")
    if not origin.allowed(came_from, request.host, settings.widget_origins):
        line.say(Error(code=ErrorCode.FORBIDDEN_ORIGIN, message="Chat is not available on this page."))
        return line.end(CLOSE_FORBIDDEN, ErrorCode.FORBIDDEN_ORIGIN)
    with customers().place() as place, live.hub().subscribe((), wake=line.wake) as subscription:
        try:
            Attendance(app, line, Session(origin=came_from, place=place), subscription).run()
            line.end()
        except Exception:
            log.exception("a widget's connection failed")
            line.end(CLOSE_FAILED, "Failed")  # not a 500: that would be written into the websocket


class Attendance:
    """The loop of one socket: it sleeps until a frame or a wake-up arrives, and handles both in turn."""

    def __init__(self, app: Flask, line: Line, visitor: Session, subscription: live.Subscription) -> None:
        self._app = app
        self._line = line
        self._session = visitor
        self._subscription = subscription
        self._hello_by = time.monotonic() + HELLO_WITHIN
        self._news: set[str] = set()  # regions heard of and not yet looked at
        self._look_at = 0.0  # when to look
        self._expects_echo = False

    def run(self) -> None:
        """Until either side hangs up."""
        while self._line.connected:
            patience = self._patience()
            woken = self._line.wait(patience)
            for data in self._line.received():
                self._answer(data)
            self._tell()
            if not self._session.known and time.monotonic() > self._hello_by:
                return self._line.end(CLOSE_NO_HELLO, "No hello")
            if not woken and patience == PING_EVERY:
                self._line.ping()

    def _patience(self) -> float:
        if self._session.behind:
            return 0.0
        if self._news:
            return max(0.0, self._look_at - time.monotonic())
        if not self._session.known:
            return max(0.0, self._hello_by - time.monotonic()) + 0.01
        return PING_EVERY

    def _answer(self, data: str | bytes) -> None:
        frame = None
        try:
            self._session.admit()
            frame = parse(data)
            telemetry.count("cairnloop_widget_frames", type=frame.type)
            self._line.say(*self._within_context(partial(self._session.handle, frame)))
            self._expects_echo = isinstance(frame, Send) or self._expects_echo
        except Exception as failure:
            refused = _refusal(failure, frame.client_id if isinstance(frame, Send) else None)
            telemetry.count("cairnloop_widget_frames", type="refused")
            self._line.say(refused.frame)
            if refused.close is not None or isinstance(frame, Hello):
                self._line.end(refused.close or CLOSE_UNAVAILABLE, refused.frame.code)

    def _tell(self) -> None:
        """Send what the wake-ups mean; what cannot be read now is read a little later."""
        self._hear({region for _, region in self._subscription.drain()})
        due = self._session.behind or (self._news and time.monotonic() >= self._look_at)
        if not due or not self._line.connected:
            return
        regions, self._news = self._news, set()
        try:
            self._line.say(*self._within_context(partial(self._session.news, regions)))
        except NotFound:
            self._line.end(CLOSE_UNAVAILABLE, "The conversation is gone")
        except UNAVAILABLE as failure:
            log.warning("a widget could not read its conversation: %s", type(failure).__name__)
            self._news, self._look_at = {live.RESYNC}, time.monotonic() + LATER

    def _hear(self, regions: set[str]) -> None:
        """Note what changed. The echo of the customer's own message is no news: whoever writes fast is not read for
        each line, and an answer that came in the same moment waits no longer than ``ECHO``."""
        if not regions:
            return
        echo = self._expects_echo and regions <= ECHOED
        self._expects_echo = False
        if not echo:
            self._look_at = 0.0
        elif not self._news:
            self._look_at = time.monotonic() + ECHO
        self._news |= regions

    def _within_context(self, work: Callable[[], list[Outgoing]]) -> list[Outgoing]:
        with self._app.app_context():
            frames = work()
        if self._subscription.topics != self._session.topics:
            self._subscription.watch(self._session.topics)
            self._hear({live.RESYNC})  # what changed between reading and watching
        return frames


def _refusal(failure: Exception, client_id: str | None) -> Refused:
    """What to answer to a frame that could not be done."""
    if isinstance(failure, Refused):
        if client_id is not None:
            failure.frame.client_id = client_id
        return failure
    about: dict[str, Any] = {"client_id": client_id}
    if isinstance(failure, InvalidInput):
        words = "; ".join(failure.errors.values())
        return Refused(ErrorCode.INVALID, f"Your message {words}.", **about)
    if isinstance(failure, NotFound):
        return Refused(ErrorCode.NOT_FOUND, str(failure), **about)
    if isinstance(failure, UNAVAILABLE):
        log.warning("a widget's frame met no database: %s", type(failure).__name__)
    elif isinstance(failure, CairnloopError):
        log.warning("a widget's frame failed: %s", failure)
    else:
        log.error("a widget's frame failed", exc_info=failure)
    return Refused(ErrorCode.UNAVAILABLE, "The chat is briefly unavailable.", retry_after=LATER, **about)

"""What one customer can do over one socket: say who they are, catch up, write, be told.

Every method runs in an app context of its own and returns the frames to send, so nothing is held while they travel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from flask_cairnloop import conversations
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core import live
from flask_cairnloop.core.current import now, settings, state
from flask_cairnloop.core.errors import HostFailure, NotFound
from flask_cairnloop.core.schema import require_migrated
from flask_cairnloop.host.boundary import ask
from flask_cairnloop.host.people import Customer
from flask_cairnloop.widget import writing
from flask_cairnloop.widget.frames import (
    ErrorCode,
    Hello,
    History,
    Incoming,
    Messages,
    OperatorSeen,
    OperatorTyping,
    Outgoing,
    Ping,
    Pong,
    Ready,
    Refused,
    Seen,
    Send,
    Status,
    TalkToPerson,
    Typing,
    said,
)
from flask_cairnloop.widget.limits import FRAMES_PER_MESSAGE, Bucket, Customers, Place
from flask_cairnloop.widget.writing import customer_key

FIRST_PAGE = 50
PAGE = 200
TYPING_LASTS = timedelta(seconds=6)
TYPING_EVERY = timedelta(seconds=2)

CLOSE_UNAUTHORIZED = 4401
CLOSE_NOT_FOUND = 4404
CLOSE_TOO_MANY = 4429


def customers() -> Customers:
    """What each customer has left in this process."""
    return state().once("widget_customers", lambda: Customers(settings.widget_rate))


class Session:
    """One customer at one socket. Anonymous until ``hello``."""

    def __init__(self, *, origin: str | None, place: Place) -> None:
        self._origin = origin
        self._place = place
        self._frames = Bucket(settings.widget_rate * FRAMES_PER_MESSAGE)
        self._customer: Customer | None = None
        self._id: int | None = None  # the conversation shown
        self._written_to: int | None = None  # where sent again means sent once
        self._sent = 0
        self._status: tuple[str, bool] = ("none", False)  # and whether only people answer
        self._operator_seen = 0
        self._customer_seen = 0
        self._typed_at = now() - TYPING_EVERY
        #: Whether there are newer messages than the last page sent.
        self.behind = False

    @property
    def known(self) -> bool:
        """Whether a token was accepted."""
        return self._customer is not None

    @property
    def topics(self) -> frozenset[str]:
        """What to listen to on the live stream."""
        if self._customer is None:
            return frozenset()
        own = {f"customer:{customer_key(self._customer)}"}
        return frozenset(own if self._id is None else own | {f"conversation:{self._id}"})

    def admit(self) -> None:
        """Count one frame. Raises ``Refused`` when there are too many."""
        if wait := self._frames.take():
            raise _slow_down(wait)

    def handle(self, frame: Incoming) -> list[Outgoing]:
        """Do what the frame asks. Raises ``Refused``, ``InvalidInput``, ``NotFound``, or whatever the database does."""
        if isinstance(frame, Hello):
            return list(self._hello(frame))
        customer = self._customer
        if customer is None:
            raise Refused(ErrorCode.UNAUTHORIZED, "Say hello first.", close=CLOSE_UNAUTHORIZED)
        match frame:
            case Send():
                return list(self._send(frame, customer))
            case Ping():
                return [Pong(), *self._resync(frame, customer)]
            case TalkToPerson():
                return list(self._talk_to_person(customer))
            case History():
                return list(self._history(frame, customer))
            case Seen():
                self._mark_seen(frame, customer)
            case Typing():
                self._mark_typing(customer)
        return []

    def news(self, regions: Iterable[str] = ()) -> list[Outgoing]:
        """What the live stream's wake-up means for this customer."""
        if self._customer is None:
            return []
        changed = set(regions)
        if changed & {"conversation", live.RESYNC}:
            current = conversations.current_for(self._customer)
            if current is not None and current.id != self._id:
                return [*self._show(current), *self._flush(current, self._customer)]
        if self._id is None:
            return []
        conversation = conversations.get(self._id, visible_to=self._customer)
        return [*self._changes(conversation, changed), *self._flush(conversation, self._customer)]

    def _hello(self, hello: Hello) -> Iterator[Outgoing]:
        require_migrated()
        customer = self._verify(hello.token)
        asked = hello.conversation
        try:
            shown = conversations.get(asked, visible_to=customer) if asked is not None else None
        except NotFound:
            raise Refused(ErrorCode.NOT_FOUND, "There is no such conversation.", close=CLOSE_NOT_FOUND) from None
        self._customer, self._written_to = customer, asked
        current = conversations.current_for(customer) or shown
        if current is None:
            yield Ready(customer=customer_key(customer))
            return
        resumed = current.id == asked
        yield from self._show(current)
        if resumed and hello.after is not None:
            self._sent = min(hello.after, current.last_sequence)
            yield from self._flush(current, customer)
        else:
            yield from self._newest(current, customer)

    def _verify(self, token: str) -> Customer:
        customer: object = None
        try:
            answer = ask("widget_verifier", settings.widget_verifier.verify, token, origin=self._origin)
            customer = Customer(ref=answer) if isinstance(answer, str) else answer
        except HostFailure as failure:
            if isinstance(failure.__cause__, SQLAlchemyError):
                raise failure.__cause__ from failure  # the host could not look, which is no refusal
        except ValueError:
            pass  # a blank reference names nobody
        known = self._customer
        if not isinstance(customer, Customer) or (
            known and (known.tenant, known.ref) != (customer.tenant, customer.ref)
        ):
            raise Refused(ErrorCode.UNAUTHORIZED, "This token is not valid.", close=CLOSE_UNAUTHORIZED)
        if not self._place.take((customer.tenant, customer.ref)):
            raise Refused(
                ErrorCode.RATE_LIMITED, "Too many chats are open at once.", retry_after=30, close=CLOSE_TOO_MANY
            )
        return customer

    def _show(self, conversation: Conversation) -> Iterator[Outgoing]:
        """Make this the conversation of the socket."""
        assert self._customer is not None
        self._id, self._sent, self.behind = conversation.id, 0, False
        self._status = _standing(conversation)
        self._operator_seen = conversation.operator_seen_sequence
        self._customer_seen = conversation.customer_seen_sequence
        yield Ready(
            customer=customer_key(self._customer),
            conversation=conversation.id,
            status=conversation.status,
            last_sequence=conversation.last_sequence,
            customer_seen_sequence=conversation.customer_seen_sequence,
            operator_seen_sequence=conversation.operator_seen_sequence,
            handed_over=conversation.handed_over_at is not None,
        )

    def _newest(self, conversation: Conversation, customer: Customer) -> Iterator[Outgoing]:
        page = conversations.timeline(conversation.id, visible_to=customer, limit=FIRST_PAGE + 1)
        self._sent = max(conversation.last_sequence, page[-1].sequence if page else 0)
        if page:
            earlier = len(page) > FIRST_PAGE
            yield Messages(conversation=conversation.id, messages=said(page[-FIRST_PAGE:]), earlier=earlier)

    def _flush(self, conversation: Conversation, customer: Customer) -> Iterator[Outgoing]:
        """The next page of what is newer than the last number sent."""
        if conversation.last_sequence <= self._sent:
            self.behind = False
            return
        page = conversations.timeline(conversation.id, visible_to=customer, after=self._sent, limit=PAGE)
        self.behind = len(page) == PAGE
        newest = page[-1].sequence if page else 0
        self._sent = newest if self.behind else max(newest, conversation.last_sequence)
        if page:
            yield Messages(conversation=conversation.id, messages=said(page), more=self.behind)

    def _changes(self, conversation: Conversation, changed: set[str]) -> Iterator[Outgoing]:
        if self._status != _standing(conversation):
            yield self._stands(conversation)
        if conversation.operator_seen_sequence > self._operator_seen:
            self._operator_seen = conversation.operator_seen_sequence
            yield OperatorSeen(sequence=self._operator_seen)
        typing = conversation.operator_typing_at
        if "typing" in changed and typing is not None and now() - typing < TYPING_LASTS:
            yield OperatorTyping()

    def _send(self, frame: Send, customer: Customer) -> Iterator[Outgoing]:
        self._slow_down(customer)
        ack, moved_to = writing.store(frame, customer, target=self._written_to or self._id, shown=self._id)
        if moved_to is not None:
            yield from self._show(moved_to)
        if ack.conversation == self._id and ack.sequence == self._sent + 1:
            self._sent = ack.sequence  # the ack says all of it; no need to send it back
        self.behind = self.behind or self._sent < ack.sequence
        yield ack

    def _talk_to_person(self, customer: Customer) -> Iterator[Outgoing]:
        """Hand the conversation over, and say so also where nothing changed: the customer asked."""
        self._slow_down(customer)
        handed = writing.hand_over(customer, shown=self._id)
        if handed.id != self._id:
            yield from self._show(handed)
        yield self._stands(handed)
        yield from self._flush(handed, customer)

    def _stands(self, conversation: Conversation) -> Status:
        self._status = _standing(conversation)
        return Status(status=conversation.status, handed_over=conversation.handed_over_at is not None)

    def _slow_down(self, customer: Customer) -> None:
        if wait := customers().take((customer.tenant, customer.ref)):
            raise _slow_down(wait)

    def _resync(self, ping: Ping, customer: Customer) -> Iterator[Outgoing]:
        if ping.after is None or self._id is None:
            return
        self._sent = min(self._sent, ping.after)
        yield from self.news([live.RESYNC])

    def _history(self, frame: History, customer: Customer) -> Iterator[Outgoing]:
        if self._id is None:
            return
        page = conversations.timeline(self._id, visible_to=customer, before=frame.before, limit=FIRST_PAGE + 1)
        yield Messages(conversation=self._id, messages=said(page[-FIRST_PAGE:]), earlier=len(page) > FIRST_PAGE)

    def _mark_seen(self, frame: Seen, customer: Customer) -> None:
        if self._id is not None and frame.sequence > self._customer_seen:
            conversations.mark_seen(self._id, frame.sequence, by=customer)
            self._customer_seen = frame.sequence

    def _mark_typing(self, customer: Customer) -> None:
        if self._id is not None and now() - self._typed_at >= TYPING_EVERY:
            self._typed_at = now()
            conversations.mark_typing(self._id, by=customer)


def _standing(conversation: Conversation) -> tuple[str, bool]:
    return conversation.status, conversation.handed_over_at is not None


def _slow_down(wait: float) -> Refused:
    return Refused(ErrorCode.RATE_LIMITED, "That is faster than we can take.", retry_after=math.ceil(wait * 10) / 10)

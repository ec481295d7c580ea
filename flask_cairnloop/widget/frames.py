"""The frames of the widget's websocket, both ways: one JSON object per text frame, told apart by ``type``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from flask_cairnloop.conversations import ConversationStatus, Message, MessageRole

PROTOCOL = 1
LARGEST_FRAME = 16 * 1024  # bytes; beyond, an error frame
LARGEST_MESSAGE = 1024 * 1024  # bytes; beyond, the connection ends
LARGEST_NUMBER = 2**63 - 1


class ErrorCode(StrEnum):
    """Why a frame was not done."""

    UNAUTHORIZED = "unauthorized"  #: The token stands for nobody, or no hello came first.
    FORBIDDEN_ORIGIN = "forbidden_origin"  #: The page that opened the socket may not.
    BAD_FRAME = "bad_frame"  #: No JSON object with a type.
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"  #: Try again after ``retry_after`` seconds.
    UNAVAILABLE = "unavailable"  #: Not now, and not the customer's fault; try again.
    NOT_FOUND = "not_found"  #: No such conversation, or not this customer's.
    INVALID = "invalid"  #: A field is wrong; ``message`` says which.


class Refused(Exception):
    """A frame that is not done, and what to answer. With ``close`` the connection ends with that code."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        client_id: str | None = None,
        retry_after: float | None = None,
        close: int | None = None,
    ) -> None:
        super().__init__(message)
        self.frame = Error(code=code, message=message, client_id=client_id, retry_after=retry_after)
        self.close = close


class _Incoming(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class Hello(_Incoming):
    """Who is there, and what they have seen of which conversation."""

    type: Literal["hello"]
    token: str = Field(max_length=8192)
    conversation: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)
    #: Everything of that conversation up to here was read; None: nothing is there yet, show the newest.
    after: int | None = Field(default=None, ge=0, le=LARGEST_NUMBER)


class Send(_Incoming):
    """A message; the same ``client_id`` is stored once."""

    type: Literal["send"]
    client_id: str = Field(min_length=1, max_length=64)
    content: str


class Typing(_Incoming):
    """The customer is typing right now."""

    type: Literal["typing"]


class Seen(_Incoming):
    """The customer has seen everything up to ``sequence``."""

    type: Literal["seen"]
    sequence: int = Field(ge=0, le=LARGEST_NUMBER)


class History(_Incoming):
    """Asks for the messages before ``before``."""

    type: Literal["history"]
    before: int = Field(ge=1, le=LARGEST_NUMBER)


class TalkToPerson(_Incoming):
    """The customer wants a person: nothing is answered automatically until an operator lifts it."""

    type: Literal["talk_to_person"]


class Ping(_Incoming):
    """Asks for a sign of life and, with ``after``, for everything newer."""

    type: Literal["ping"]
    after: int | None = Field(default=None, ge=0, le=LARGEST_NUMBER)


Incoming = Hello | Send | Typing | Seen | History | TalkToPerson | Ping
_incoming: TypeAdapter[Incoming] = TypeAdapter(Annotated[Incoming, Field(discriminator="type")])


class Ready(BaseModel):
    """The customer is known; this is their conversation (None: it begins with the first message)."""

    type: Literal["ready"] = "ready"
    protocol: int = PROTOCOL
    #: An opaque key of the customer, to keep unsent messages under.
    customer: str
    conversation: int | None = None
    status: ConversationStatus | Literal["none"] = "none"
    last_sequence: int = 0
    customer_seen_sequence: int = 0
    operator_seen_sequence: int = 0
    #: Whether the customer asked for a person, and only people answer.
    handed_over: bool = False


def _titles(details: dict[str, Any]) -> list[str]:
    """What a customer may know of a message's details: the titles of its sources, each once."""
    cited = details.get("citations", ())
    return list(dict.fromkeys(str(source["title"]) for source in cited if source["article_id"] is not None))


class Said(BaseModel):
    """One message as the customer sees it."""

    model_config = ConfigDict(from_attributes=True)

    sequence: int
    role: MessageRole
    author: str | None = Field(validation_alias="author_name")
    content: str
    at: datetime = Field(validation_alias="created_at")
    client_id: str | None
    #: Whether no person sent it.
    automatic: bool = False
    #: Titles of the articles it names as its sources.
    sources: Annotated[list[str], BeforeValidator(_titles)] = Field(default=[], validation_alias="details")


class Messages(BaseModel):
    """A page of messages. ``more``: newer ones follow; ``earlier``: older ones exist (None: not looked at)."""

    type: Literal["messages"] = "messages"
    conversation: int
    messages: list[Said]
    more: bool = False
    earlier: bool | None = None


class Ack(BaseModel):
    """The message is stored, in this conversation, under this number."""

    type: Literal["ack"] = "ack"
    client_id: str
    conversation: int
    sequence: int
    at: datetime


class OperatorTyping(BaseModel):
    """Somebody is typing an answer."""

    type: Literal["typing"] = "typing"


class OperatorSeen(BaseModel):
    """An operator has seen everything up to ``sequence``."""

    type: Literal["seen"] = "seen"
    sequence: int


class Status(BaseModel):
    """The conversation stands differently now."""

    type: Literal["status"] = "status"
    status: ConversationStatus
    handed_over: bool = False


class Pong(BaseModel):
    """The sign of life that was asked for."""

    type: Literal["pong"] = "pong"


class Error(BaseModel):
    """A frame was not done. ``client_id`` names the message it was about, where it can be known."""

    type: Literal["error"] = "error"
    code: ErrorCode
    message: str
    client_id: str | None = None
    retry_after: float | None = None


Outgoing = Ready | Messages | Ack | OperatorTyping | OperatorSeen | Status | Pong | Error


def parse(data: str | bytes) -> Incoming:
    """Read one frame. Raises ``Refused``."""
    if len(data) > LARGEST_FRAME or (isinstance(data, str) and len(data.encode()) > LARGEST_FRAME):
        raise Refused(ErrorCode.TOO_LARGE, f"A frame holds at most {LARGEST_FRAME:,} bytes.")
    if isinstance(data, bytes):
        raise Refused(ErrorCode.BAD_FRAME, "Frames are text, not binary.")
    try:
        return _incoming.validate_json(data)
    except ValidationError as fault:
        raise _refusal(fault, data) from None


def said(messages: Sequence[Message]) -> list[Said]:
    """Messages as the customer sees them."""
    return [Said.model_validate(message) for message in messages]


def _refusal(fault: ValidationError, data: str) -> Refused:
    first = fault.errors(include_url=False, include_context=False)[0]
    if first["type"] == "union_tag_invalid":
        return Refused(ErrorCode.UNKNOWN_TYPE, "This type of frame is not known here.")
    if first["type"] in {"json_invalid", "union_tag_not_found"} or not first["loc"]:
        return Refused(ErrorCode.BAD_FRAME, "A frame is a JSON object with a type.")
    field = ".".join(str(part) for part in first["loc"][1:])
    return Refused(ErrorCode.INVALID, f"{field}: {first['msg']}", client_id=_client_id(data))


def _client_id(data: str) -> str | None:
    """Which message a refused frame was about."""
    found = json.loads(data).get("client_id")
    return found if isinstance(found, str) and len(found) <= 64 else None

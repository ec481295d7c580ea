"""What is read from the wire, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_cairnloop.conversations import Message, MessageRole
from flask_cairnloop.widget.frames import LARGEST_FRAME, ErrorCode, Hello, Ping, Refused, Send, parse, said

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
CITED = [(7, "Refunds <b>"), (8, "Invoices"), (7, "Refunds <b>")]
TYPES = st.sampled_from(["hello", "send", "typing", "seen", "history", "ping", "Send", "", "__class__"])


def refusal(data: str | bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        parse(data)
    return caught.value


def test_frames_are_told_apart_by_their_type() -> None:
    assert parse('{"type":"hello","token":"t"}') == Hello(type="hello", token="t", conversation=None, after=None)
    assert parse('{"type":"send","client_id":"a","content":"x"}') == Send(type="send", client_id="a", content="x")
    assert parse('{"type":"ping","after":3,"later":"ignored"}') == Ping(type="ping", after=3)


@pytest.mark.parametrize("data", ["", "{", "null", "[]", '"send"', "3", '{"content":"x"}', b"{}"])
def test_what_is_no_frame_is_a_bad_frame(data: str | bytes) -> None:
    assert refusal(data).frame.code == ErrorCode.BAD_FRAME


@pytest.mark.parametrize("name", [None, 7, "nope", "Send", "ready", "ack", "", "__class__", "x" * 9000])
def test_a_type_not_known_here_is_said_to_be_unknown(name: object) -> None:
    assert refusal(json.dumps({"type": name})).frame.code == ErrorCode.UNKNOWN_TYPE


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "send", "content": "x"},
        {"type": "send", "client_id": "", "content": "x"},
        {"type": "send", "client_id": "x" * 65, "content": "x"},
        {"type": "send", "client_id": 7, "content": "x"},
        {"type": "send", "client_id": "a", "content": ["x"]},
        {"type": "hello", "token": None},
        {"type": "hello", "token": "x" * 8193},
        {"type": "hello", "token": "t", "after": -1},
        {"type": "hello", "token": "t", "after": "1"},
        {"type": "hello", "token": "t", "after": True},
        {"type": "hello", "token": "t", "conversation": 2**63},
        {"type": "seen", "sequence": 1.5},
        {"type": "history", "before": 0},
    ],
)
def test_a_wrong_field_is_named(frame: dict[str, object]) -> None:
    refused = refusal(json.dumps(frame))
    assert refused.frame.code == ErrorCode.INVALID
    assert refused.frame.message.split(":")[0] in {
        "client_id",
        "content",
        "token",
        "after",
        "conversation",
        "sequence",
    } | {"before"}


def test_a_refused_message_is_named_by_its_client_id() -> None:
    assert refusal('{"type":"send","client_id":"abc"}').frame.client_id == "abc"
    assert refusal('{"type":"send","client_id":"abc","content":5}').frame.client_id == "abc"
    assert refusal('{"type":"send","client_id":["abc"],"content":"x"}').frame.client_id is None


def test_size_is_counted_in_bytes() -> None:
    fits = json.dumps({"type": "send", "client_id": "a" * 64, "content": "🌲" * 4000}, ensure_ascii=False)
    assert isinstance(parse(fits), Send), "the longest message there may be fits"
    over = '{"type":"typing","x":"' + "é" * (LARGEST_FRAME // 2) + '"}'
    assert len(over) < LARGEST_FRAME
    assert refusal(over).frame.code == ErrorCode.TOO_LARGE


def test_half_a_character_is_no_frame() -> None:
    assert refusal('{"type":"send","client_id":"a","content":"\\ud800"}').frame.code == ErrorCode.BAD_FRAME


@settings(deadline=None)
@given(st.text() | st.binary())
def test_nothing_on_the_wire_raises_anything_but_a_refusal(data: str | bytes) -> None:
    with suppress(Refused):
        parse(data)


@settings(deadline=None)
@given(
    TYPES, st.dictionaries(st.sampled_from(["token", "after", "client_id", "content", "sequence", "before"]), ANYTHING)
)
def test_no_field_raises_anything_but_a_refusal(kind: str, fields: dict[str, object]) -> None:
    with suppress(Refused):
        parse(json.dumps({"type": kind} | fields))


def test_a_message_names_its_sources_by_their_titles_and_tells_nothing_else_of_them() -> None:
    cited = [{"id": f"article:{n}:1:0", "title": t, "heading": "", "article_id": n, "revision_id": 1} for n, t in CITED]
    case = {"id": "case:9", "title": "Somebody else's trouble", "heading": "", "article_id": None, "revision_id": None}
    answer = Message(
        sequence=2,
        role=MessageRole.AGENT,
        author_name="Ada",
        content="Five days.",
        created_at=datetime.now(UTC),
        details={"citations": [*cited, case], "draft_id": 4},
    )
    frame = said([answer])[0].model_dump()
    assert frame["sources"] == ["Refunds <b>", "Invoices"]
    assert set(frame) == {"sequence", "role", "author", "content", "at", "client_id", "sources", "automatic"}

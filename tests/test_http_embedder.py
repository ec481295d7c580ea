from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_cairnloop import HostFailure, HTTPEmbedder, http_embedder
from flask_cairnloop.config import Settings
from tests.support.embedders import WordEmbedder
from tests.support.embeddings_server import Data, Endpoint, Fault, endpoint

KEY = "sk-never-shown-anywhere"


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_embedder, "BACKOFF", (0.01,))


def embedder(server: Endpoint, **options: Any) -> HTTPEmbedder:
    options = {"model": "tiny", "dimension": 8, "base_url": server.url, "api_key": KEY, "timeout": 5.0} | options
    return HTTPEmbedder(**options)


def expected(*texts: str, dimension: int = 8) -> list[Any]:
    return [pytest.approx(vector) for vector in WordEmbedder(dimension=dimension).embed(texts)]


def test_it_asks_as_openai_wants_it_and_sorts_the_answer(server: Endpoint) -> None:
    texts = ["first words", "second thing", "third"]
    assert embedder(server).embed(texts) == expected(*texts)
    asked = {"path": "/v1/embeddings", "model": "tiny", "input": texts, "encoding_format": "float"}
    assert server.asked == [asked]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_it_asks_for_a_length_only_when_told(server: Endpoint) -> None:
    assert embedder(server, dimension=12, send_dimension=True).embed(["word"]) == expected("word", dimension=12)
    assert server.asked[0]["dimensions"] == 12


def test_voyage_is_told_questions_from_passages(server: Endpoint) -> None:
    voyage = embedder(server, style="voyage", send_dimension=True)
    assert voyage.embed(["a passage"]) == expected("a passage")
    assert voyage.embed_questions(["a question"]) == expected("a question")
    assert [asked["input_type"] for asked in server.asked] == ["document", "query"]
    assert server.asked[0]["output_dimension"] == 8
    assert "encoding_format" not in server.asked[0]


def test_calls_are_bounded_in_texts_and_characters(server: Endpoint) -> None:
    small = embedder(server, batch_size=3, batch_characters=20)
    texts = ["one", "two", "three", "four", "x" * 18, "y" * 30, ""]
    assert len(small.embed(texts)) == 7
    sizes = [[len(text) for text in asked["input"]] for asked in server.asked]
    assert sizes == [[3, 3, 5], [4], [18], [30], [1]]


def test_long_texts_and_broken_characters_are_made_fit(server: Endpoint) -> None:
    embedder(server, longest=10).embed(["a" * 50, "lone \ud800 half"])
    assert server.asked[0]["input"] == ["a" * 10, "lone ? hal"]


def test_nothing_is_asked_for_no_texts(server: Endpoint) -> None:
    assert embedder(server).embed([]) == []
    assert server.asked == []


def drop_last(data: Data) -> Any:
    return {"data": data[1:]}


def double(data: Data) -> Any:
    return {"data": data + data}


def no_direction(data: Data) -> Any:
    return {"data": [item | {"embedding": [0.0] * 8} for item in data]}


def no_number(data: Data) -> Any:
    return {"data": [item | {"embedding": [float("nan")] * 8} for item in data]}


def no_end(data: Data) -> Any:
    return {"data": [item | {"embedding": [float("inf")] * 8} for item in data]}


def too_short(data: Data) -> Any:
    return {"data": [item | {"embedding": [1.0] * 3} for item in data]}


PASSING = {
    "rate limit": Fault(429, {"Retry-After": "0"}),
    "server error": Fault(500),
    "bad gateway": Fault(502, body=b"<html>nope</html>"),
    "overloaded": Fault(503, {"Retry-After": "soon"}),
    "cut off": Fault(cut=True),
    "too few": Fault(spoil=drop_last),
    "too many": Fault(spoil=double),
    "zero": Fault(spoil=no_direction),
    "nan": Fault(spoil=no_number),
    "infinite": Fault(spoil=no_end),
    "no json": Fault(body=b"<html>hello</html>"),
    "deep json": Fault(body=b"[" * 200_000),
    "other json": Fault(body=b'{"data": "none"}'),
    "not utf-8": Fault(body=b'"\xff\xfe\xfa"'),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again(server: Endpoint, fault: Fault) -> None:
    server.faults = [fault]
    assert embedder(server).embed(["word", "other"]) == expected("word", "other")
    assert len(server.asked) == 2


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_is_given_up_as_passing(server: Endpoint, fault: Fault) -> None:
    server.faults = [fault] * 3
    with pytest.raises(HostFailure, match="the endpoint of tiny") as caught:
        embedder(server, retries=2).embed(["word"])
    assert not caught.value.permanent
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 422])
def test_a_refusal_is_not_asked_again(server: Endpoint, status: int) -> None:
    server.faults = [Fault(status, {"Location": server.url}, body=f"no, {KEY}".encode())]
    with pytest.raises(HostFailure, match=str(status)) as caught:
        embedder(server).embed(["word"])
    assert caught.value.permanent
    assert len(server.asked) == 1


def test_vectors_of_another_length_are_a_wrong_setting(server: Endpoint) -> None:
    server.faults = [Fault(spoil=too_short)]
    with pytest.raises(HostFailure, match="3 numbers instead of 8") as caught:
        embedder(server).embed(["word"])
    assert caught.value.permanent


def test_an_endless_answer_is_cut(server: Endpoint) -> None:
    server.faults = [Fault(body=b" " * 3_000_000)]
    with pytest.raises(HostFailure, match="more than any vectors need"):
        embedder(server).embed(["word"])


@pytest.mark.parametrize("fault", [Fault(hang=30), Fault(trickle=True)], ids=["hang", "trickle"])
def test_the_time_of_a_call_is_bounded(server: Endpoint, fault: Fault) -> None:
    server.faults = [fault]
    started = time.monotonic()
    with pytest.raises(HostFailure, match="in time") as caught:
        embedder(server, timeout=0.6).embed(["word"])
    assert time.monotonic() - started < 3
    assert not caught.value.permanent


def test_a_question_is_tried_once_and_in_less_time(server: Endpoint) -> None:
    server.faults = [Fault(500)]
    with pytest.raises(HostFailure):
        embedder(server).embed_questions(["why?"])
    assert len(server.asked) == 1
    server.faults = [Fault(hang=30)]
    started = time.monotonic()
    with pytest.raises(HostFailure):
        embedder(server, timeout=60, question_timeout=0.3).embed_questions(["why?"])
    assert time.monotonic() - started < 3


def test_the_pause_a_server_asks_for_is_kept(server: Endpoint) -> None:
    server.faults = [Fault(429, {"Retry-After": "0.4"})]
    started = time.monotonic()
    embedder(server).embed(["word"])
    assert time.monotonic() - started >= 0.4


def test_a_pause_longer_than_there_is_time_is_not_waited_for(server: Endpoint) -> None:
    server.faults = [Fault(429, {"Retry-After": "3600"})]
    started = time.monotonic()
    with pytest.raises(HostFailure, match="rate limit"):
        embedder(server).embed(["word"])
    assert time.monotonic() - started < 2
    assert len(server.asked) == 1


def test_a_pause_may_be_given_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert http_embedder._wait(later) == pytest.approx(30, abs=3)


@given(st.text())
def test_no_pause_is_ever_negative_or_endless(header: str) -> None:
    wait = http_embedder._wait(header)
    assert wait is None or 0 <= wait < float("inf")


def test_a_server_that_is_not_there_is_out_of_reach() -> None:
    nowhere = HTTPEmbedder("tiny", 8, base_url="http://127.0.0.1:1/v1", timeout=2, retries=1)
    with pytest.raises(HostFailure, match="could not be reached") as caught:
        nowhere.embed(["word"])
    assert not caught.value.permanent


def test_the_key_is_nowhere_to_be_read(server: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    mine = embedder(server)
    server.faults = [Fault(401, body=json.dumps({"error": f"bad key {KEY}"}).encode()), Fault(429), Fault(cut=True)]
    said = [repr(mine), str(mine)]
    for _ in range(2):
        with pytest.raises(HostFailure) as caught:
            embedder(server, retries=0).embed(["word"])
        said += [str(caught.value), repr(caught.value), caught.value.reason]
    with pytest.raises(HostFailure) as caught:
        embedder(server, api_key=f"{KEY}\n\x00é").embed(["word"])
    assert KEY not in "".join([*said, str(caught.value), caplog.text])


def test_the_vendors_key_goes_to_the_vendor_alone(server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert HTTPEmbedder("tiny", 8)._headers()["Authorization"] == f"Bearer {KEY}"
    embedder(server, api_key=None).embed(["word"])
    assert "authorization" not in server.headers[0]
    embedder(server, api_key=None, key_variable="OPENAI_API_KEY").embed(["word"])
    assert server.headers[1]["authorization"] == f"Bearer {KEY}"


def test_two_lengths_of_one_model_have_two_names() -> None:
    assert HTTPEmbedder("tiny", 8).name != HTTPEmbedder("tiny", 16).name


@pytest.mark.parametrize(
    "wrong",
    [{"style": "other"}, {"model": ""}, {"dimension": 0}, {"timeout": 0}, {"base_url": "ftp://x"}, {"batch_size": 0}],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs"):
        HTTPEmbedder(**({"model": "tiny", "dimension": 8} | wrong))


def test_it_is_an_embedder_to_the_configuration() -> None:
    made = HTTPEmbedder("tiny", 8)
    assert Settings.from_mapping({"CAIRNLOOP_EMBEDDER": made}).embedder is made

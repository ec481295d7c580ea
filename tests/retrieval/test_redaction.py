from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_cairnloop.retrieval import redact

NAMES = ("Mina Park", "Will Smith", "José García-Ruiz", "山田太郎")
PRIVATE = [
    ("Write to mina.park+huts@mail.example.co.uk.", "Write to [e-mail]."),
    ("mina (at) example (dot) com", "[e-mail]"),
    ("Mail root@localhost, please", "Mail [e-mail], please"),
    ("Call +41 44 668 18 00 or (415) 555-0123!", "Call [phone] or [phone]!"),
    ("+1-800-555-0199 ext. 12", "[phone]"),
    ("0044 20 7946 0958", "[phone]"),
    ("020 7946 0958; 0170/1234567; 01 23 45 67 89; 01.23.45.67.89", "[phone]; [phone]; [phone]; [phone]"),
    ("601-234-567 or 612 34 56 78", "[phone] or [phone]"),
    ("my number: ring me on 4155550123", "my number: ring me on [phone]"),
    ("Card 4111 1111 1111 1111 12/27", "Card [card] 12/27"),
    ("378282246310005 and 5555-5555-5555-4444", "[card] and [card]"),
    ("mistyped 4111 1111 1111 1112", "mistyped [card]"),
    ("Pay to DE89 3704 0044 0532 0130 00 please", "Pay to [iban] please"),
    ("BE68 5390 0754 7034 from here", "[iban] from here"),
    ("gb29nwbk60161331926819", "[iban]"),
    ("sk-ant-api03-AbCd1234efgh", "[token]"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[token]"),
    ("AKIAIOSFODNN7EXAMPLE", "[token]"),
    ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1", "Bearer [token]"),
    ("3f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c", "[token]"),
    ("550e8400-e29b-41d4-a716-446655440000", "[token]"),
    ("api_key=abcdef password: hunter2!", "api_key=[token] password: [token]!"),
    ("https://me:pw@shop.example/a/b?token=abc&x=1, then", "https://[token]@shop.example/a/b?[token], then"),
    ("postgres://app:secret@db.example/app", "postgres://[token]@db.example/app"),
    ("mina here, MINA PARK's card", "[name] here, [name]'s card"),
    ("I asked Will and Jose Garcia-Ruiz", "I asked [name] and [name]"),
    ("山田太郎です", "[name]です"),
]
READABLE = [
    "It cost $1,299.00, not 1.299,00 € or 1 234 567 kr.",
    "On 2024-01-15 10:30, 15.01.2024 10:30, 01/02/2024 and 01.02.24 at 09:00-17:00.",
    "Version 10.15.7.12, firmware 2.3.1-beta.4, build 20240115.",
    "Galaxy S21 Ultra SM-G991B/DS, WH-1000XM4, iPhone 15 Pro Max 256GB, RTX 4090.",
    "Order 100045, INV-2024-000123, 4111111111111112 and #88012345.",
    "Error 0x80070005, ERR_CONNECTION_REFUSED, HTTP 502.",
    "The password reset: how do I start it? My token expired, the key is lost.",
    "state-of-the-art-and-very-good documentation, https://shop.example/guides/getting-started",
    "Will you be in the park in May? Open 24/7, 3 x 2.5 m, 100 200 300 400, pages 12-15.",
    "192.168.178.1:8080 answers 5 of 10 times (50 %).",
]


@pytest.mark.parametrize(("text", "kept"), PRIVATE, ids=[text[:20] for text, _ in PRIVATE])
def test_what_must_not_be_kept_gives_way_to_a_marker(text: str, kept: str) -> None:
    assert redact(text, names=NAMES) == kept


@pytest.mark.parametrize("text", READABLE, ids=[text[:20] for text in READABLE])
def test_ordinary_words_and_numbers_stay_readable(text: str) -> None:
    assert redact(text, names=NAMES) == text


def test_a_name_that_is_a_role_or_a_particle_names_nobody() -> None:
    text = "Your support team will help the customer at la Fouly."
    assert redact(text, names=["Support Team", "Customer", "Ana de la Cruz", None, "", "  ", "?"]) == text


def test_nothing_unfit_to_store_is_left() -> None:
    assert redact("a\0b\ud800c", names=["x\0y"]) == "ab?c"


PIECES = st.sampled_from(
    [text for text, _ in PRIVATE]
    + READABLE
    + [kept for _, kept in PRIVATE]
    + [
        "[",
        "]",
        "@",
        "+",
        "0",
        "00 1",
        "123 ",
        "(",
        "=",
        "?",
        "://",
        "token: ",
        "call ",
        "Mina",
        "Park",
        ".",
        "-",
        " ",
        "\n",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join))
def test_redacting_again_changes_nothing(text: str) -> None:
    once = redact(text, names=NAMES)
    assert redact(once, names=NAMES) == once


@pytest.mark.parametrize(
    "piece",
    [
        "1 ",
        "123 ",
        "0-",
        "00 1",
        "+1-",
        "a@",
        "a.b@c.",
        "key=",
        "sk-",
        "eyJ",
        "A1b2",
        "GB82 ",
        "http://",
        "((",
        "call me ",
        "4111 1111 1111 1111 1",
        "aaaa-",
        "at (at) ",
        "Mina ",
        "[phone]1",
        "1",
    ],
)
def test_the_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        started = time.process_time()
        redact(text, names=NAMES)
        return time.process_time() - started

    short = min(seconds(3_000) for _ in range(2))
    assert seconds(12_000) < 0.05 + 12 * short  # four times the text; sixteen times would be its square


def test_strings_that_break_software_do_not_break_it() -> None:
    folder = os.environ.get("CAIRNLOOP_DATA")
    if not folder:
        pytest.skip("CAIRNLOOP_DATA names no folder with security/naughty_strings.json")
    for text in json.loads((Path(folder) / "security/naughty_strings.json").read_text()):
        once = redact(text, names=[text, *NAMES])
        assert redact(once, names=[text, *NAMES]) == once

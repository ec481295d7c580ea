"""A draft in front of an operator, and a customer who wants a person: at a desk, and on a phone."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.test_first_conversation import ask, open_chat, open_thread_of, still_unreloaded, unreloaded

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
Open = Callable[..., Page]

SIZES: dict[str, Any] = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 375, "height": 812}}
QUESTION = "How do I rotate a deploy token before it expires, and how long does the old one keep working?"
Waiting = tuple[Page, Locator, str]


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    """Both widths."""
    return str(request.param)


@pytest.fixture
def chat(window: Open, size: str) -> Page:
    """Mina's chat, open."""
    page = window("Mina Park", "/chat", viewport=SIZES[size])
    open_chat(page)
    return page


@pytest.fixture
def waiting(window: Open, chat: Page, size: str) -> Waiting:
    """Ada's window on the draft that answers what Mina has just asked, and the mark of her question."""
    mark = uuid.uuid4().hex[:6]
    ask(chat, f"Case {mark}: {QUESTION}")
    expect(chat.get_by_role("log")).to_contain_text(mark)
    desk = window("Ada Osei", "/support/inbox", viewport=SIZES[size])
    open_thread_of(desk, f"Case {mark}")
    card = desk.locator("#draft")
    expect(card).to_contain_text("Needs your approval")
    unreloaded(desk)
    return desk, card, mark


def in_sight(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


def test_approve_with_the_keyboard(chat: Page, waiting: Waiting) -> None:
    desk, card, _ = waiting
    in_sight(desk)
    desk.keyboard.press("Control+Enter")
    expect(chat.get_by_role("log")).to_contain_text("seven days")
    expect(card.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)
    expect(desk.locator("#timeline")).to_contain_text("seven days")
    assert still_unreloaded(desk)


def test_edit_sends_the_operators_words(chat: Page, waiting: Waiting) -> None:
    desk, card, mark = waiting
    card.get_by_role("button", name="Edit").click()
    words = desk.get_by_role("textbox", name="Message")
    expect(words).to_have_value(re.compile("seven days"))
    words.fill(f"In my own words {mark}.")
    desk.get_by_role("button", name=re.compile("^Send")).click()
    expect(chat.get_by_role("log")).to_contain_text(f"In my own words {mark}.")
    expect(card.get_by_role("button", name="Edit")).to_have_count(0)
    assert still_unreloaded(desk)


def test_discard_with_a_reason_then_ask_for_another(waiting: Waiting) -> None:
    desk, card, mark = waiting
    card.get_by_role("button", name="Discard").click()
    panel = desk.get_by_role("form", name="Discard this draft?")
    panel.get_by_role("textbox", name=re.compile("Reason")).fill(f"Wrong token {mark}")
    panel.get_by_role("button", name="Discard").click()
    expect(card).to_contain_text("No draft waits for this question")
    card.get_by_text("Earlier drafts", exact=True).click()
    expect(card).to_contain_text(f"Wrong token {mark}")
    in_sight(desk)
    card.get_by_role("button", name="Draft again").click()
    expect(card).to_contain_text("Needs your approval")
    assert still_unreloaded(desk)


def test_draft_again_replaces_the_one_that_waits(waiting: Waiting) -> None:
    desk, card, _ = waiting
    former = card.locator("form[action$='/approval']").get_attribute("action")
    card.get_by_role("button", name="Draft again").click()
    expect(card.locator(f"form[action='{former}']")).to_have_count(0)
    expect(card).to_contain_text("Needs your approval")
    expect(card.get_by_text("Earlier drafts", exact=True)).to_be_visible()
    assert still_unreloaded(desk)


def test_a_customer_asks_for_a_person_and_an_operator_lifts_it(chat: Page, waiting: Waiting) -> None:
    desk, card, _ = waiting
    chat.get_by_role("button", name="Talk to a person").click()
    expect(chat.get_by_role("log")).to_contain_text("A person will answer from here")
    expect(chat.get_by_text("A person will answer here.")).to_be_visible()
    expect(chat.get_by_role("button", name="Talk to a person")).to_be_hidden()
    in_sight(chat)
    expect(desk.locator("#header")).to_contain_text("Asked for a person")
    in_sight(desk)
    card.get_by_role("button", name="Let drafts be sent automatically again").click()
    expect(desk.locator("#header")).not_to_contain_text("Asked for a person")
    expect(chat.get_by_role("button", name="Talk to a person")).to_be_visible()
    assert still_unreloaded(desk)

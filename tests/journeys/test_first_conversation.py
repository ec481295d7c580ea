"""A customer asks, an operator answers: both windows open side by side, and neither is ever reloaded."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
Open = Callable[..., Page]

QUESTION = "How do I rotate a deploy token before it expires, and how long does the old one keep working?"


def ask(page: Page, words: str) -> None:
    """Write into the chat."""
    page.get_by_role("textbox", name=re.compile("message", re.I)).fill(words)
    page.get_by_role("button", name="Send").click()


def open_chat(page: Page) -> None:
    """Open the chat and wait until it is connected."""
    page.get_by_role("button", name=re.compile("chat|help|support", re.I)).first.click()
    expect(page.get_by_role("log")).to_be_visible()


def unreloaded(page: Page) -> None:
    """Mark the document, so that a reload would show."""
    page.evaluate("window.neverReloaded = true")


def still_unreloaded(page: Page) -> bool:
    return bool(page.evaluate("window.neverReloaded === true"))


def open_thread_of(desk: Page, words: str) -> None:
    """Open the conversation whose newest message begins with these words, from the inbox."""
    desk.locator("#inbox-list li").filter(has_text=words).get_by_role("link").first.click()
    expect(desk.locator("#timeline")).to_contain_text(words)


def test_a_question_is_drafted_approved_read_and_resolved(window: Open) -> None:
    chat = window("Mina Park", "/chat")
    open_chat(chat)
    unreloaded(chat)
    desk = window("Ada Osei", "/support/inbox")
    unreloaded(desk)

    mark = uuid.uuid4().hex[:6]
    question = f"Case {mark}: {QUESTION}"
    ask(chat, question)
    expect(chat.get_by_role("log")).to_contain_text(mark)

    # the inbox hears of it by itself
    expect(desk.locator("#inbox-list")).to_contain_text(mark)
    assert still_unreloaded(desk)

    open_thread_of(desk, f"Case {mark}")
    unreloaded(desk)
    # the draft appears by itself, each sentence with its source
    draft = desk.locator("#draft")
    expect(draft).to_contain_text("Needs your approval")
    expect(draft).to_contain_text("seven days")
    assert draft.locator(".cl-cite").count() >= 1
    draft.get_by_role("button", name=re.compile("Approve & send")).click()

    # the customer reads it, the operator sees it in the thread, the card is gone
    expect(chat.get_by_role("log")).to_contain_text("seven days")
    expect(desk.locator("#timeline")).to_contain_text("seven days")
    expect(draft.get_by_role("button", name=re.compile("Approve & send"))).to_have_count(0)

    # and by hand, in both directions
    ask(chat, f"Thank you {mark}!")
    expect(desk.locator("#timeline")).to_contain_text(f"Thank you {mark}!")
    desk.get_by_role("textbox", name="Message").fill("You are welcome. <b>Bye</b> <script>alert(1)</script>")
    desk.get_by_role("button", name=re.compile("^Send")).click()
    expect(chat.get_by_role("log")).to_contain_text("<script>alert(1)</script>")
    expect(desk.locator("#timeline")).to_contain_text("<script>alert(1)</script>")

    desk.get_by_role("button", name=re.compile("Resolve")).first.click()
    expect(desk.locator("#header")).to_contain_text("Resolved")
    assert still_unreloaded(chat)
    assert still_unreloaded(desk)

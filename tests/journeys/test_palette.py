"""Found by the keyboard alone, cited, sent, and read by the customer with its source."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.test_first_conversation import ask, open_chat, open_thread_of

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
Open = Callable[..., Page]

SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
SMALL = """[...document.querySelectorAll('#palette :is(button:not(.cl-hidden), a, input:not([type=hidden]))')]
    .filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), Math.round(e.getBoundingClientRect().height)])
    .filter(e => e[1] < 44)"""
ACTIVE = """document.getElementById(
    document.querySelector('#palette [role=combobox]').getAttribute('aria-activedescendant'))?.textContent"""


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search articles")


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def active(page: Page) -> str | None:
    """The text of the option that the input points to."""
    found: str | None = page.evaluate(ACTIVE)
    return found


def search(page: Page, words: str) -> None:
    """Open search and type."""
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()
    page.keyboard.type(words)
    expect(page.locator("#search-results")).to_have_attribute("data-cl-question", words)


def test_a_source_is_found_cited_sent_and_read_by_the_keyboard_alone(window: Open) -> None:
    mark = uuid.uuid4().hex[:6]
    chat = window("Mina Park", "/chat")
    open_chat(chat)
    ask(chat, f"Case {mark}: how long does the old deploy token keep working?")
    desk = window("Ada Osei", "/support/inbox")
    expect(desk.locator("#inbox-list")).to_contain_text(mark)
    open_thread_of(desk, f"Case {mark}")

    search(desk, "rotate a deploy token")
    expect(field(desk)).to_have_attribute("aria-expanded", "true")
    expect(desk.locator("#palette [role=status]")).to_contain_text("article")
    first = active(desk)
    assert first is not None
    assert "Deploy tokens" in first
    desk.keyboard.press("ArrowUp")
    assert active(desk) == first, "it stops at the first"
    desk.keyboard.press("End")
    last = active(desk)
    desk.keyboard.press("ArrowDown")
    assert active(desk) == last != first, "and at the last"
    desk.keyboard.press("Home")
    desk.keyboard.press("Enter")

    # a chip in the composer, and the words come next
    chip = desk.locator("[data-cl-source]")
    expect(chip).to_have_count(1)
    expect(chip).to_contain_text("Deploy tokens")
    expect(desk.get_by_role("textbox", name="Message")).to_be_focused()
    desk.keyboard.type(f"Seven days {mark}.")
    desk.reload()
    expect(chip).to_contain_text("Deploy tokens")
    expect(desk.get_by_role("textbox", name="Message")).to_have_value(f"Seven days {mark}.")
    desk.keyboard.press("Control+Enter")

    sent = desk.locator("#timeline .cl-message").filter(has_text=f"Seven days {mark}.")
    expect(sent.locator(".cl-message__sources a")).to_have_text(re.compile("Deploy tokens"))
    expect(chip).to_have_count(0)
    read = chat.locator("cairnloop-widget article").filter(has_text=f"Seven days {mark}.")
    expect(read.locator(".sources")).to_contain_text("From our articles: Deploy tokens")
    assert read.locator(".sources a").count() == 0
    sent.locator(".cl-message__sources a").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Deploy tokens")


def test_escape_clears_then_closes_and_the_focus_returns(window: Open) -> None:
    desk = window("Ada Osei", "/support/inbox")
    desk.evaluate("window.sameDocument = true")
    row = desk.locator("[data-cl-row]").first
    row.focus()
    search(desk, "jk refund")
    desk.keyboard.press("Escape")
    expect(field(desk)).to_have_value("")
    expect(desk.locator("#search-results")).to_contain_text("Two letters are enough")
    expect(desk.locator("#palette")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.locator("#palette")).to_be_hidden()
    expect(row).to_be_focused()
    assert desk.evaluate("window.sameDocument")

    # outside a conversation Enter opens, and with Control it opens beside the page
    search(desk, "failed payments")
    expect(desk.get_by_role("button", name="Cite in reply")).to_be_hidden()
    with desk.context.expect_page() as opened:
        desk.keyboard.press("Control+Enter")
    opened.value.wait_for_load_state()
    assert "/knowledge-base/" in opened.value.url
    assert "/inbox" in desk.url
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(re.compile("/knowledge-base/"))


def test_an_answer_that_does_not_come_is_said_calmly_and_the_newest_wins(window: Open) -> None:
    desk = window("Ada Osei", "/support/")
    desk.route("**/search?q=broken*", lambda route: route.abort())
    desk.keyboard.press("Control+k")
    desk.keyboard.type("broken")
    expect(desk.get_by_text("Search did not answer. Your words are kept")).to_be_visible()
    expect(field(desk)).to_have_value("broken")
    expect(desk.locator("#cl-banner")).to_be_hidden()
    desk.keyboard.press("Escape")
    desk.keyboard.type("failed payments")
    expect(options(desk).first).to_be_visible()
    expect(desk.get_by_text("Search did not answer. Your words are kept")).to_be_hidden()
    assert active(desk)


def test_on_a_phone_search_is_a_tap_away_and_everything_is_in_reach(window: Open) -> None:
    phone = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True}
    desk = window("Ada Osei", "/support/inbox", **phone)
    desk.locator("#inbox-list li").get_by_role("link").first.tap()
    desk.get_by_role("link", name="Cite").tap()
    field(desk).fill("failed payments")
    expect(options(desk).first).to_be_visible()
    assert desk.evaluate(SIDEWAYS) <= 0
    assert desk.evaluate(SMALL) == []
    options(desk).nth(1).tap()
    expect(options(desk).nth(1)).to_have_attribute("aria-selected", "true")
    desk.get_by_text("Preview", exact=True).tap()
    expect(desk.locator("[data-cl-preview] section:visible")).to_have_count(1)
    desk.get_by_role("button", name="Cite in reply").tap()
    chip = desk.locator("[data-cl-source]")
    expect(chip).to_have_count(1)
    chip.get_by_role("button").tap()
    expect(chip).to_have_count(0)
    assert desk.evaluate(SIDEWAYS) <= 0
    desk.goto("/support/")
    desk.get_by_role("link", name="Search").tap()
    expect(field(desk)).to_be_focused()

"""An action asked for by one operator, approved by another, and run by a worker, while both look on."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_first_conversation import ask, open_chat, open_thread_of, still_unreloaded, unreloaded

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
Open = Callable[..., Page]


@pytest.mark.parametrize("width", [1440, 375])
def test_an_action_is_proposed_corrected_approved_and_run(window: Open, width: int) -> None:
    mark, size = uuid.uuid4().hex[:6], {"width": width, "height": 900}
    chat = window("Mina Park", "/chat")
    open_chat(chat)
    ask(chat, f"Case {mark}: one more seat, please.")
    expect(chat.get_by_role("log")).to_contain_text(mark)

    sam = window("Sam Kim", "/support/inbox", viewport=size)
    open_thread_of(sam, f"Case {mark}")
    propose_seats(sam, narrow=width < 1024)
    card = sam.locator("#actions > article").filter(has_text="Adds 2 seats")
    expect(card).to_contain_text("Pending approval")
    assert still_unreloaded(sam)
    number = card.get_attribute("id").removeprefix("action-")  # type: ignore[union-attr]

    ada = window("Ada Osei", "/support/approvals", viewport=size)
    approve_with_the_keyboard(ada, number)
    expect(ada.locator(f"#action-{number}")).to_have_count(0)

    line = sam.locator(f"#action-line-{number}")
    expect(line).to_contain_text("Action completed")
    assert still_unreloaded(sam)
    in_sight(sam)
    story(ada, number)


def propose_seats(page: Page, *, narrow: bool) -> None:
    """Ask for seats: first for too many, then, in the same form, for two."""
    if narrow:
        page.evaluate("document.getElementById('rail').showPopover()")
    page.locator("summary", has_text=re.compile("^Actions$")).click()
    page.locator("#tools summary", has_text="Add seats").click()
    unreloaded(page)
    form = page.locator("#tools form").filter(has=page.locator("input[value=add_seats]"))
    form.get_by_label("How many").fill("99")
    form.get_by_role("button", name="Propose").click()
    expect(form.get_by_role("alert")).to_contain_text("less than or equal to 20")
    expect(form.get_by_label("How many")).to_have_value("99")
    in_sight(page)
    form.get_by_label("How many").fill("2")
    form.get_by_role("button", name="Propose").click()
    if narrow:
        page.evaluate("document.getElementById('rail').hidePopover()")


def approve_with_the_keyboard(page: Page, number: str) -> None:
    """Tab from the action's title to its button, and press it."""
    in_sight(page)
    card = page.locator(f"#action-{number}")
    card.locator("h2 a").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == "Approve":
            break
    page.keyboard.press("Enter")


def story(page: Page, number: str) -> None:
    """The audit page tells what became of it, from the end to the beginning."""
    page.goto(f"/support/audit-log?proposal={number}")
    told = page.locator("tbody tr td:nth-child(3)").all_inner_texts()
    begun = told.index("Action proposed")
    assert told[0] == "Action completed"
    assert "Action approved" in told[:begun]
    people = page.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert any("ada" in each for each in people)
    assert any("sam" in each for each in people)
    in_sight(page)


def in_sight(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]

"""An operator writes an article, changes it and takes the first words back; two write at once and lose nothing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
Open = Callable[..., Page]


def text_of(page: Page) -> Locator:
    """The field an article is written in."""
    return page.get_by_role("textbox", name="Text in Markdown")


def publish(page: Page) -> None:
    """Publish what the editor holds, after reading what that means."""
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()


def searchable(page: Page) -> None:
    """The worker has indexed the live version, and the open page heard of it."""
    expect(page.locator("#article header")).to_contain_text("Searchable")


def write_article(page: Page, title: str, words: str) -> None:
    """Write and publish a new article, from the list."""
    page.get_by_role("link", name="New article").click()
    page.get_by_label("Title").fill(title)
    text_of(page).fill(words)
    expect(page.locator("#preview strong")).to_have_text("five")
    publish(page)
    expect(page.locator("h1")).to_have_text(title)
    searchable(page)


def test_an_article_is_written_published_changed_and_its_first_words_restored(window: Open) -> None:
    title = f"Parking at the office {uuid.uuid4().hex[:6]}"
    desk = window("Ada Osei", "/support/knowledge-base")
    write_article(desk, title, "There are **five** places.\n\n## Who may park\n\nVisitors first.")
    article = desk.url

    desk.get_by_role("link", name="Edit").click()
    text_of(desk).fill("There are **nine** places.\n\n## Who may park\n\nVisitors first.\n\nAsk at the desk.")
    desk.keyboard.press("Control+s")
    expect(desk.locator("#editor-state")).to_contain_text("Version 2")
    publish(desk)
    expect(desk.locator("#article article strong")).to_have_text("nine")
    searchable(desk)

    desk.get_by_role("link", name="History of its versions").click()
    expect(desk.locator("#revisions li")).to_have_count(2)
    desk.get_by_role("link", name="Version 2").click()
    changes = desk.get_by_role("group", name="Changes")
    expect(changes.locator("del mark")).to_have_text("five")
    expect(changes.locator("ins mark")).to_have_text("nine")
    expect(changes.locator("ins").last).to_contain_text("Ask at the desk.")

    desk.go_back()
    desk.get_by_role("link", name="Version 1").click()
    desk.get_by_role("button", name="Restore this version").click()
    panel = desk.locator("#restore")
    expect(panel).to_contain_text("Its words become a new draft")
    panel.get_by_role("button", name="Restore this version").click()
    expect(text_of(desk)).to_have_value(re.compile("five"))
    publish(desk)
    expect(desk).to_have_url(article)
    expect(desk.locator("#article article strong")).to_have_text("five")
    expect(desk.locator("#article aside")).to_contain_text("Version 3")
    searchable(desk)


def test_the_second_of_two_savers_sees_both_texts_and_chooses(window: Open) -> None:
    title = f"Lunch {uuid.uuid4().hex[:6]}"
    ada = window("Ada Osei", "/support/knowledge-base")
    write_article(ada, title, "Served at **five**.")
    address = f"{ada.url}/edit"
    ada.goto(address)
    sam = window("Sam Kim", address)

    text_of(ada).fill("Served at **noon**.")
    text_of(sam).fill("Served at **one**.")
    ada.get_by_role("button", name="Save draft").click()
    expect(ada.locator("#editor-state")).to_contain_text("Version 2")
    expect(sam.locator("#editor-news")).to_contain_text("Ada Osei")  # told before saving

    sam.get_by_role("button", name="Save draft").click()
    conflict = sam.get_by_role("region", name=re.compile("Ada Osei was quicker"))
    expect(conflict.locator("del mark")).to_have_text("noon")
    expect(conflict.locator("ins mark")).to_have_text("one")
    expect(text_of(sam)).to_have_value("Served at **one**.")
    sam.get_by_role("button", name="Save mine over it").click()
    expect(sam.locator("#editor-state")).to_contain_text("Sam Kim")
    expect(conflict).to_have_count(0)

    text_of(ada).fill("Served at **two**.")
    ada.keyboard.press("Control+s")
    expect(ada.get_by_role("alert").filter(has_text="Sam Kim was quicker")).to_be_visible()
    ada.get_by_role("link", name="Take theirs").click()
    expect(text_of(ada)).to_have_value("Served at **one**.")
    ada.reload()
    expect(text_of(ada)).to_have_value("Served at **one**.")


def test_an_article_is_written_and_put_away_with_the_keyboard_alone(window: Open) -> None:
    title = f"Bicycles {uuid.uuid4().hex[:6]}"
    desk = window("Ada Osei", "/support/knowledge-base")
    desk.keyboard.press("n")
    expect(desk.get_by_label("Title")).to_be_focused()
    desk.keyboard.type(title)
    reach(desk, text_of(desk))
    desk.keyboard.type("Behind the **house**.")
    desk.keyboard.press("Control+s")
    expect(desk.locator("#editor-state")).to_contain_text("Version 1")
    reach(desk, desk.get_by_role("button", name="Publish"), "Shift+Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog").get_by_role("button", name="Publish")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator("#article")).to_contain_text("Published")
    reach(desk, desk.get_by_role("button", name="Archive"))
    desk.keyboard.press("Enter")
    desk.keyboard.press("Enter")
    expect(desk.locator("#article header")).to_contain_text("Archived")


def reach(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press a key until the focus stands there."""
    for _ in range(40):
        if wanted.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{wanted} cannot be reached with {key}")

"""What only a browser shows: keys, focus, live regions, kept words, and a policy that is never broken."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Route, expect

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.conversations import Conversation, ConversationStatus
from flask_cairnloop.core.database import session
from flask_cairnloop.drafts import Draft
from tests.dashboard.conftest import Ask, Open

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
ACTIVE = "document.activeElement.id || document.activeElement.textContent.trim()"
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
SMALL = """[...document.querySelectorAll('button, select, textarea, nav a, input:not([type=hidden], [type=radio])')]
    .filter(e => e.checkVisibility() && !e.closest('p'))
    .map(e => [e.outerHTML.slice(0, 80), Math.round(e.getBoundingClientRect().height)]).filter(e => e[1] < 44)"""


def fresh(thread: Conversation) -> Conversation:
    session().expire_all()
    return conversations.get(thread.id, visible_to=Operator(id="x", name="X"))


def test_a_message_appears_by_itself_and_leaves_what_is_being_written(
    open_page: Open, thread: Conversation, customer: Customer
) -> None:
    page = open_page(f"/{thread.id}")
    page.get_by_role("textbox", name="Message").fill("I am still writing")
    page.evaluate("window.sameDocument = true")
    conversations.receive(thread.id, "One more thing", by=customer)
    expect(page.locator("#timeline")).to_contain_text("One more thing")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("I am still writing")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    assert page.evaluate("window.sameDocument")


def test_another_operators_reply_takes_the_draft_away_everywhere(
    open_page: Open, thread: Conversation, draft: Draft, second_operator: Operator
) -> None:
    page = open_page(f"/{thread.id}")
    expect(page.get_by_role("button", name="Approve & send")).to_be_visible()
    conversations.reply(thread.id, "Sam answers.", by=second_operator)
    expect(page.get_by_role("button", name="Approve & send")).to_have_count(0)
    expect(page.locator("#timeline")).to_contain_text("Sam answers.")
    expect(page.locator("#header")).to_contain_text("Awaiting customer")


def test_control_enter_approves_while_the_composer_is_empty_and_sends_while_it_is_not(
    open_page: Open, thread: Conversation, draft: Draft
) -> None:
    page = open_page(f"/{thread.id}")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#timeline")).to_contain_text("A refund takes five days.")
    page.get_by_role("textbox", name="Message").fill("And this by hand.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#timeline")).to_contain_text("And this by hand.")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_words_survive_a_reload_until_they_are_sent(open_page: Open, thread: Conversation) -> None:
    page = open_page(f"/{thread.id}")
    page.keyboard.press("n")
    page.keyboard.type("Half a note")
    page.reload()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Half a note")
    expect(page.get_by_role("radio", name="Internal note")).to_be_checked()
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline")).to_contain_text("Half a note")
    page.reload()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")


def test_a_reply_written_blind_is_kept_and_what_is_new_is_shown(
    open_page: Open, thread: Conversation, customer: Customer
) -> None:
    page = open_page("/inbox")
    page.route("**/timeline*", lambda route: route.abort())  # the page misses the news
    page.get_by_role("link", name="An invoice").click()
    expect(page.locator("#context")).to_contain_text("Context Unavailable")
    conversations.receive(thread.id, "Never mind!", by=customer)
    page.get_by_role("textbox", name="Message").fill("Let me look for it.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Not sent yet")).to_contain_text("Never mind!")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Let me look for it.")
    page.unroute("**/timeline*")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('timeline'))")
    expect(page.locator("#timeline")).to_contain_text("Never mind!")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#timeline")).to_contain_text("Let me look for it.")


def test_the_list_is_walked_and_opened_by_keys(open_page: Open, ask: Ask) -> None:
    ask(by=Customer("a", "Ann"), subject="The older")
    newer = ask(by=Customer("b", "Bea"), subject="The newer")
    page = open_page("/inbox")
    page.keyboard.press("j")
    assert page.evaluate(ACTIVE) == "The newer"
    page.keyboard.press("j")
    assert page.evaluate(ACTIVE) == "The older"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/support/{newer.id}")
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url("**/support/")


def test_keys_are_letters_while_somebody_writes(open_page: Open, thread: Conversation) -> None:
    page = open_page(f"/{thread.id}")
    page.get_by_role("textbox", name="Message").click()
    page.keyboard.type("ejkn?/")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("ejkn?/")
    assert fresh(thread).status == ConversationStatus.OPEN
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator("#header")).to_contain_text("Resolved")
    assert fresh(thread).status == ConversationStatus.RESOLVED


def test_the_shortcuts_open_and_give_the_focus_back(open_page: Open) -> None:
    page = open_page("/inbox")
    page.get_by_role("button", name="Shortcuts").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Shortcuts")).to_be_focused()


def test_the_filter_narrows_the_list_in_place_and_in_the_address(open_page: Open, ask: Ask, operator: Operator) -> None:
    ask(by=Customer("a", "Ann"), subject="Plain")
    tagged = ask(by=Customer("b", "Bea"), subject="Tagged")
    conversations.tag(tagged.id, ["billing"], by=operator)
    page = open_page("/inbox?view=all")
    page.keyboard.press("/")
    page.keyboard.type("billing")
    expect(page.locator(".cl-row")).to_have_count(1)
    page.wait_for_url("**/support/inbox?tag=billing*view=all")
    expect(page.get_by_role("searchbox", name="Tag")).to_be_focused()
    page.reload()
    expect(page.locator(".cl-row")).to_have_count(1)


def login_page(route: Route) -> None:
    """What a host's login or a proxy answers in our place."""
    route.fulfill(status=200, content_type="text/html", body="<html><body>Please sign in</body></html>")


def test_an_answer_that_is_not_ours_is_never_swapped_in(open_page: Open, thread: Conversation) -> None:
    page = open_page(f"/{thread.id}")
    expect(page.locator("#context")).to_contain_text("Context Unavailable")
    page.wait_for_timeout(500)  # what a new connection has everything read for
    page.route("**/timeline*", login_page)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('timeline'))")
    banner = page.get_by_role("alert").filter(has_text="Something other than the desk answered")
    expect(banner).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Where is my invoice?")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('header'))")  # another region's success
    page.wait_for_timeout(400)
    expect(banner).to_be_visible()
    page.unroute("**/timeline*")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('timeline'))")
    expect(banner).to_be_hidden()


def test_somebody_who_signed_out_is_told_and_loses_nothing(
    open_page: Open, thread: Conversation, customer: Customer
) -> None:
    page = open_page(f"/{thread.id}")
    page.get_by_role("textbox", name="Message").fill("Half a sentence")
    page.context.clear_cookies()
    conversations.receive(thread.id, "Hello?", by=customer)
    expect(page.get_by_role("alert").filter(has_text="You are not signed in any more")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Where is my invoice?")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Half a sentence")


def test_editing_a_draft_keeps_what_was_typed_and_survives_a_refresh(
    open_page: Open, thread: Conversation, draft: Draft
) -> None:
    page = open_page(f"/{thread.id}")
    field = page.get_by_role("textbox", name="Message")
    field.fill("My words.")
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(field).to_have_value("My words.\n\nHi Mina,\n\nA refund takes five days.\n\nJust reply here.")
    expect(field).to_be_focused()
    with page.expect_response("**/composer*"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('cl-resync'))")
    field.press("End")
    page.keyboard.type(" Ada")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#timeline")).to_contain_text("Just reply here. Ada")
    session().expire_all()
    assert session().get_one(Draft, draft.id).status == "edited"


def test_a_citation_opens_its_source_and_a_refresh_leaves_it_open(
    open_page: Open, thread: Conversation, draft: Draft
) -> None:
    page = open_page(f"/{thread.id}")
    expect(page.locator("#evidence-1")).to_be_hidden()
    page.locator(".cl-cite").click()
    expect(page.locator("#evidence-1")).to_be_visible()
    with page.expect_response("**/draft"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('draft'))")
    page.wait_for_timeout(200)
    expect(page.locator("#evidence-1")).to_be_visible()


def test_a_refused_detail_stays_open_and_a_saved_one_gives_the_focus_back(
    open_page: Open, thread: Conversation
) -> None:
    page = open_page(f"/{thread.id}")
    button = page.get_by_role("button", name="Subject, priority and tags")
    button.click()
    page.get_by_role("textbox", name="Tags").fill("x" * 60)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="characters long")).to_be_visible()
    page.get_by_role("textbox", name="Tags").fill("billing")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Save")).to_be_hidden()
    expect(button).to_be_focused()
    expect(page.locator("#header")).to_contain_text("billing")


def test_a_second_press_after_resolving_does_nothing_else(open_page: Open, thread: Conversation) -> None:
    page = open_page(f"/{thread.id}")
    page.get_by_role("button", name="Resolve").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Archive")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert fresh(thread).status == ConversationStatus.RESOLVED
    assert page.evaluate("document.activeElement.id") == "main"


def test_moments_read_the_same_before_and_after_the_script(open_page: Open, thread: Conversation) -> None:
    zone = {"timezone_id": "Asia/Kolkata"}
    page = open_page(f"/{thread.id}", **zone)
    page.reload()  # the server knows the zone by now
    times = "[...document.querySelectorAll('time')].map(e => [e.textContent, e.title])"
    shown = page.evaluate(times)
    without = open_page("/inbox", java_script_enabled=False)
    without.context.add_cookies([{"name": "cl_zone", "value": "Asia/Kolkata", "url": page.url}])
    without.goto(page.url)
    written = [[each.inner_text(), each.get_attribute("title")] for each in without.locator("time").all()]
    assert len(shown) >= 2
    assert shown == written


def test_a_chosen_theme_is_put_on_at_once_and_stays(open_page: Open) -> None:
    page = open_page("/settings", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    with page.expect_response("**/settings/theme"):
        page.get_by_role("button", name="Dark theme").first.click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    system = open_page("/settings", color_scheme="dark")
    assert system.evaluate(ground) == dark


def test_older_messages_join_above_without_moving_what_is_read(
    open_page: Open, thread: Conversation, customer: Customer
) -> None:
    for number in range(2, 80):
        conversations.receive(thread.id, f"Message {number}", by=customer)
    page = open_page(f"/{thread.id}")
    expect(page.locator("#message-79")).to_be_in_viewport()
    page.locator(".cl-log").evaluate("log => { log.scrollTop = -1e6 }")
    before = page.locator("#message-30").bounding_box()
    page.get_by_role("button", name="Show earlier messages").click()
    expect(page.locator("#message-1")).to_be_attached()
    after = page.locator("#message-30").bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2
    conversations.receive(thread.id, "The newest", by=customer)
    expect(page.get_by_role("button", name="New messages below")).to_be_visible()
    page.get_by_role("button", name="New messages below").click()
    expect(page.get_by_text("The newest").last).to_be_in_viewport()


@pytest.mark.parametrize("path", ["/", "/inbox", "/1", "/knowledge-base", "/settings", "/drafts", "/4711"])
def test_every_screen_fits_a_phone_and_its_targets_a_thumb(
    open_page: Open, thread: Conversation, draft: Draft, path: str
) -> None:
    page = open_page(path, width=320, has_touch=True, is_mobile=True)
    page.wait_for_timeout(300)
    assert page.evaluate(SIDEWAYS) <= 0
    assert page.evaluate(SMALL) == []


def test_on_a_phone_the_customers_facts_are_a_drawer(open_page: Open, thread: Conversation) -> None:
    page = open_page(f"/{thread.id}", width=375)
    drawer = page.get_by_role("complementary", name="About the customer")
    expect(drawer).to_be_hidden()
    page.get_by_role("button", name="About the customer").click()
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("button", name="About the customer")).to_be_focused()


def test_an_open_stream_holds_no_database_connection(app: Flask, open_page: Open, thread: Conversation) -> None:
    pages = [open_page(f"/{thread.id}") for _ in range(3)]
    for page in pages:
        expect(page.locator("#context")).to_contain_text("Context Unavailable")
        page.wait_for_timeout(300)
    database = app.extensions["sqlalchemy"]
    database.session.remove()  # the test's own
    assert database.engine.pool.checkedout() == 0
    conversations.set_priority(thread.id, "urgent", by=Operator(id="sam", name="Sam Kim"))
    for page in pages:
        expect(page.locator("#header")).to_contain_text("Urgent")

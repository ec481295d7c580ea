"""The chat in a real browser, on a host's page under a strict Content-Security-Policy."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect

from flask_cairnloop import Customer, Operator, conversations
from flask_cairnloop.core.database import session
from flask_cairnloop.embedded import servers
from tests.support.hosts import close, make_app
from tests.widget.conftest import (  # noqa: F401
    Serve,
    Site,
    desk_of_site,
    mina,
    serve,
    shared_database,
    site,
    stored,
)

# ruff: noqa: F811
pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("desk_of_site")]
expect.set_options(timeout=20_000)
MIGRATE = "import sys; from tests.support.hosts import migrate; migrate(sys.argv[1])"
SOCKET = re.compile("/widget/socket$")


class Chat:
    """The widget on one page, as its user meets it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(address)
        self.launcher = page.get_by_role("button", name=re.compile("^Trailmark support"))
        self.dialog = page.get_by_role("dialog", name="Trailmark support")
        self.log = page.get_by_role("log", name="Messages")
        self.text = page.get_by_role("textbox", name="Your message")
        self.badge = page.locator("cairnloop-widget .badge")

    def open(self) -> Chat:
        if not self.dialog.is_visible():
            self.launcher.click()
        expect(self.text).to_be_visible()
        return self

    def says(self, words: str) -> None:
        expect(self.dialog.get_by_role("status").filter(has_text=words)).to_be_visible()

    def write(self, words: str) -> None:
        self.text.fill(words)
        self.text.press("Enter")

    def bubbles(self) -> list[str]:
        return self.page.locator("cairnloop-widget .bubble").all_inner_texts()

    def bubble(self, words: str) -> Locator:
        return self.page.locator("cairnloop-widget article").filter(has_text=words)


Visit = Callable[..., Chat]


@pytest.fixture
def visit(chrome: Browser, site: Site, mina: Customer) -> Iterator[Visit]:
    """Open the host's page; whatever its console complains of fails the test."""
    contexts: dict[str, BrowserContext] = {}
    complaints: list[str] = []

    def open_page(at: Site = site, who: str = mina.ref, query: str = "", profile: str = "one", **options: Any) -> Chat:
        if profile not in contexts:
            contexts[profile] = chrome.new_context(**options)
        page = contexts[profile].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return Chat(page, f"{at.url}/?as={who}&{query}")

    yield open_page
    for context in contexts.values():
        context.close()
    assert complaints == []


def answer(who: Customer, words: str, operator: Operator) -> None:
    session().rollback()
    conversation = conversations.current_for(who)
    assert conversation is not None
    conversations.reply(conversation.id, words, by=operator)


def test_a_question_and_its_answer_under_a_strict_policy(visit: Visit, mina: Customer, operator: Operator) -> None:
    chat = visit().open()
    chat.says("Connected")
    chat.write("Is <b>this</b> <script>document.title = 'owned'</script> safe?")
    expect(chat.bubble("owned").get_by_text("Sent", exact=True)).to_be_visible()
    answer(
        mina,
        "Yes. <img src=x onerror=alert(1)> See https://example.com/help. or [our guide](https://example.com/a)",
        operator,
    )
    expect(chat.bubble("<img src=x onerror=alert(1)>")).to_be_visible()
    expect(chat.bubble("owned").get_by_text("Seen", exact=True)).to_be_visible()
    links = chat.log.get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == ["https://example.com/help", "https://example.com/a"]
    assert [link.get_attribute("rel") for link in links.all()] == ["noopener noreferrer nofollow"] * 2
    assert chat.page.title() == "Trailmark"
    chat.page.reload()
    chat.open()
    expect(chat.bubble("Yes.")).to_be_visible()
    assert len(chat.bubbles()) == 2


def test_focus_moves_in_and_returns(visit: Visit) -> None:
    chat = visit()
    expect(chat.launcher).to_have_attribute("aria-expanded", "false")
    chat.launcher.focus()
    chat.page.keyboard.press("Enter")
    expect(chat.text).to_be_focused()
    expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    chat.page.keyboard.press("Escape")
    expect(chat.dialog).to_be_hidden()
    expect(chat.launcher).to_be_focused()
    chat.page.keyboard.press("Enter")
    chat.page.get_by_role("button", name="Close chat").click()
    expect(chat.launcher).to_be_focused()


def test_everything_can_be_reached_by_keyboard_and_nothing_is_trapped(visit: Visit) -> None:
    chat = visit().open()
    reached = []
    for _ in range(8):
        chat.page.keyboard.press("Shift+Tab")
        reached.append(chat.page.evaluate(FOCUSED))
    assert {"Close chat", "Messages"} <= set(reached)
    assert "A link of the host's own" in reached


FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at.getAttribute("aria-label") ?? at.textContent;
}"""


def test_unread_answers_are_counted_until_they_are_seen(visit: Visit, mina: Customer, operator: Operator) -> None:
    conversations.receive_from(mina, "Hello?")
    chat = visit()
    expect(chat.launcher).to_have_attribute("aria-label", "Trailmark support")
    answer(mina, "Hello Mina", operator)
    answer(mina, "Are you there?", operator)
    expect(chat.launcher).to_have_attribute("aria-label", "Trailmark support, 2 new messages")
    expect(chat.badge).to_have_text("2")
    expect(chat.page.get_by_role("status").filter(has_text="New message from Ada Osei")).to_be_attached()
    chat.open()
    expect(chat.badge).to_be_hidden()
    chat.page.wait_for_timeout(300)
    session().rollback()
    assert conversations.current_for(mina).customer_seen_sequence == 3  # type: ignore[union-attr]
    fresh = visit(profile="another device")
    expect(fresh.launcher).to_have_attribute("aria-label", "Trailmark support")


def test_an_operator_typing_and_resolving_is_shown(visit: Visit, mina: Customer, operator: Operator) -> None:
    conversation = conversations.receive_from(mina, "Hello?").conversation_id
    chat = visit().open()
    chat.says("Connected")
    conversations.mark_typing(conversation, by=operator)
    expect(chat.dialog.get_by_text("Support is typing")).to_be_visible()
    answer(mina, "Hello Mina", operator)
    expect(chat.dialog.get_by_text("Support is typing")).to_be_hidden()
    conversations.resolve(conversation, by=operator)
    expect(chat.dialog.get_by_text("Marked as resolved")).to_be_visible()
    chat.write("One more thing")
    expect(chat.dialog.get_by_text("Marked as resolved")).to_be_hidden()


def test_older_messages_come_when_asked_for(visit: Visit, mina: Customer) -> None:
    for number in range(1, 121):
        conversations.receive_from(mina, f"message {number}.")
    chat = visit().open()
    expect(chat.bubble("message 120.")).to_be_in_viewport()
    earlier = chat.page.get_by_role("button", name="Show earlier messages")
    for expected in (100, 120):
        earlier.click()
        expect(chat.page.locator("cairnloop-widget .bubble")).to_have_count(expected)
    expect(earlier).to_be_hidden()
    assert chat.bubbles() == [f"message {number}." for number in range(1, 121)]


def test_what_is_typed_while_the_server_is_away_is_sent_once(
    visit: Visit, serve: Serve, app: Any, mina: Customer
) -> None:
    own = serve()
    chat = visit(own).open()
    chat.says("Connected")
    chat.write("before")
    expect(chat.bubble("before").get_by_text("Sent", exact=True)).to_be_visible()
    own.stop()
    chat.says("Reconnecting")
    chat.write("first while away")
    chat.write("second while away")
    expect(chat.bubble("second while away").get_by_text("Waiting to be sent")).to_be_visible()
    serve(port=own.port)
    chat.page.get_by_role("button", name="Try now").click()
    expect(chat.bubble("second while away").get_by_text("Sent", exact=True)).to_be_visible()
    with app.app_context():
        assert stored(mina) == ["before", "first while away", "second while away"]
    assert chat.bubbles() == stored_in(app, mina)


def stored_in(app: Any, who: Customer) -> list[str]:
    with app.app_context():
        return stored(who)


def test_what_was_left_unsent_is_sent_by_the_same_customers_next_page_and_nobody_elses(
    visit: Visit, mina: Customer
) -> None:
    chat = visit().open()
    chat.says("Connected")
    chat.page.route_web_socket(SOCKET, lambda route: route.close())
    chat.page.reload()
    other = visit(who=f"tom of {mina.ref}").open()
    chat.open()
    chat.write("not sent yet")  # before this page ever got through
    chat.page.wait_for_timeout(300)
    gone = visit().open()
    gone.says("Connected")
    gone.page.context.set_offline(True)
    gone.write("typed in a tunnel")
    expect(gone.bubble("typed in a tunnel").get_by_text("Waiting to be sent")).to_be_visible()
    gone.page.evaluate("() => document.querySelector('cairnloop-widget').remove()")
    gone.page.context.set_offline(False)
    gone.page.close()
    other.page.reload()
    other.open()
    other.says("Connected")
    assert other.bubbles() == []
    back = visit().open()
    expect(back.bubble("typed in a tunnel").get_by_text("Sent", exact=True)).to_be_visible()
    assert stored(mina) == ["typed in a tunnel"]


def test_a_database_outage_is_said_queued_and_survived(
    own_servers: Path, visit: Visit, serve: Serve, mina: Customer, operator: Operator
) -> None:
    with servers(own_servers, durable=True) as running:
        own = serve(DATABASE_URL=running.database_url, REDIS_URL=running.redis_url)
        chat = visit(own).open()
        chat.write("before")
        expect(chat.bubble("before").get_by_text("Sent", exact=True)).to_be_visible()
    chat.write("during")
    chat.says("briefly unavailable")
    expect(chat.bubble("during").get_by_text("Waiting to be sent")).to_be_visible()
    chat.page.wait_for_timeout(5000)
    with servers(own_servers, durable=True) as running:
        expect(chat.bubble("during").get_by_text("Sent", exact=True)).to_be_visible()
        chat.says("Connected")
        desk = make_app(running.database_url, running.redis_url)
        with desk.app_context():
            answer(mina, "We are back", operator)
            assert stored(mina) == ["before", "during", "We are back"]
        expect(chat.bubble("We are back")).to_be_visible()
        close(desk)


@pytest.fixture
def own_servers(tmp_path: Path) -> Path:
    """Servers of the test's own, which can be stopped."""
    with servers(tmp_path / "own", durable=True) as running:
        subprocess.run(
            [sys.executable, "-c", MIGRATE, running.database_url],  # an app context is pushed in this process
            check=True,
        )
    return tmp_path / "own"


def test_cuts_at_random_frames_lose_and_double_nothing(visit: Visit, mina: Customer, operator: Operator) -> None:
    conversations.receive_from(mina, "message 0")
    chance = random.Random(11)
    chat = visit()

    def through(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        left = chance.randrange(3, 16)

        def passing(to: Callable[[str | bytes], None]) -> Callable[[str | bytes], None]:
            def one(data: str | bytes) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    route.close()
                    server.close()
                elif left > 0:
                    to(data)

            return one

        route.on_message(passing(server.send))
        server.on_message(passing(route.send))

    chat.page.route_web_socket(SOCKET, through)
    chat.page.reload()
    chat.open()
    for number in range(1, 21):
        chat.write(f"message {number}")
        if number % 4 == 0:
            answer(mina, f"answer {number}", operator)
    for number in range(1, 21):
        expect(chat.bubble(f"message {number}").last).to_be_visible()
    expect(chat.page.get_by_text("Waiting to be sent")).to_have_count(0, timeout=60_000)
    expect(chat.bubble("answer 20")).to_be_visible()
    there = stored(mina)
    assert sorted(there) == sorted([*(f"message {n}" for n in range(21)), *(f"answer {n}" for n in range(4, 21, 4))])
    assert [words for words in there if words.startswith("message")] == [f"message {n}" for n in range(21)]
    assert chat.bubbles() == there


def test_a_connection_that_died_in_its_sleep_is_found_out_on_waking(
    visit: Visit, mina: Customer, operator: Operator
) -> None:
    conversations.receive_from(mina, "Hello?")
    chat = visit()
    asleep = False

    def through(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        mine = not asleep  # a connection made after the sleep is a good one
        route.on_message(lambda data: None if asleep and mine else server.send(data))
        server.on_message(lambda data: None if asleep and mine else route.send(data))

    chat.page.route_web_socket(SOCKET, through)
    chat.page.reload()
    chat.open()
    chat.says("Connected")
    asleep = True
    answer(mina, "While you slept", operator)
    chat.page.wait_for_timeout(500)
    assert "While you slept" not in chat.bubbles()
    chat.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(chat.bubble("While you slept")).to_be_visible()


def test_a_refused_token_is_said_calmly_and_can_be_tried_again(visit: Visit, mina: Customer) -> None:
    chat = visit(query="forged").open()
    chat.says("We could not confirm who you are")
    expect(chat.page.get_by_role("button", name="Try now")).to_be_visible()
    fetched = visit(query="fetch").open()
    fetched.says("Connected")


def test_a_refused_message_can_be_taken_back(visit: Visit, mina: Customer) -> None:
    chat = visit().open()
    chat.says("Connected")
    assert chat.text.get_attribute("maxlength") == "4000"
    chat.text.evaluate("node => node.removeAttribute('maxlength')")
    chat.write("x" * 4001)
    refused = chat.bubble("Not sent.")
    expect(refused).to_contain_text("Not sent. Your message is 4,001 characters long")
    chat.write("short")
    expect(chat.bubble("short").get_by_text("Sent", exact=True)).to_be_visible()
    refused.get_by_role("button", name="Try again").click()
    expect(chat.page.get_by_text("Not sent.")).to_be_visible()
    chat.page.get_by_role("button", name="Take back").click()
    expect(chat.page.get_by_text("Not sent.")).to_have_count(0)
    assert stored(mina) == ["short"]


@pytest.mark.parametrize("size", [(1440, 900), (375, 720), (320, 568), (320, 256)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_size_has_room_and_targets_large_enough(
    visit: Visit, mina: Customer, size: tuple[int, int], scheme: str
) -> None:
    conversations.receive_from(mina, "a-very-long-word-" * 20)
    chat = visit(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, has_touch=True).open()
    chat.says("Connected")
    measures = chat.page.evaluate(MEASURES)
    assert measures["sideways"] == []
    assert measures["small"] == []
    assert measures["faint"] == []
    box = chat.text.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < size[1] - 40, "the composer is on the screen"


MEASURES = (Path(__file__).parent / "measures.js").read_text()

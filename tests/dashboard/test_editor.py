from __future__ import annotations

import html
import json
import os
import random
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Dialog, Locator, Page, expect

from flask_cairnloop import Operator, knowledge
from flask_cairnloop.core.database import transaction
from flask_cairnloop.knowledge import Article, ArticleStatus, Revision
from flask_cairnloop.retrieval import Cause, GroundingLevel
from flask_cairnloop.retrieval.models import GapEvent, GapSource
from tests.dashboard.conftest import HTMX, Open, assert_region

DATA = Path(os.environ.get("CAIRNLOOP_DATA", Path(__file__).parents[3] / "shared/data"))
#: A short list of our own, beside the long one of the outside data.
PAYLOADS = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror=alert(1)>",
    "[here](javascript:alert(1))",
    "![x](javascript:alert(1))",
    "[ref]\n\n[ref]: data:text/html,<script>alert(1)</script>",
    "<javascript:alert(1)>",
    "```\n</code></pre><svg onload=alert(1)>\n```",
    "| a |\n|---|\n| <iframe srcdoc='<script>alert(1)</script>'> |",
    "</textarea><script>alert(1)</script>",
    '" autofocus onfocus="alert(1)',
]
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
LIVE_HARM = """() => [...document.querySelectorAll('main *')].flatMap(e => [
    ...(/^(script|iframe|object|embed|style|base|meta|link|audio|video|img)$/.test(e.localName) ? [e.outerHTML] : []),
    ...[...e.attributes].filter(a => /^on/i.test(a.name) || a.name === 'style' || a.name === 'srcdoc')
        .map(a => e.outerHTML),
    ...['href', 'action', 'formaction', 'src', 'xlink:href'].map(n => e.getAttribute(n) ?? '')
        .filter(v => /^[\\s\\x00-\\x20]*(javascript|data|vbscript):/i.test(v)),
])"""


def posted(page: str) -> dict[str, str]:
    """What the editor's form would send again, as the page has it."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    title = re.search(r'name="title" value="([^"]*)"', page)
    text = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert title is not None
    assert text is not None
    found = hidden | {"title": title.group(1), "content": text.group(1)}
    return {name: html.unescape(value) for name, value in found.items()}


def words(page: Page) -> Locator:
    """The field an article is written in."""
    return page.get_by_role("textbox", name="Text in Markdown")


def newest(article_id: int, operator: Operator) -> Revision:
    found = knowledge.newest_revision(article_id, visible_to=operator)
    assert found is not None
    return found


@pytest.fixture
def gap(app: Flask) -> GapEvent:
    """A question that found too little."""
    passage = {"id": "article:1:1:0", "title": "Refunds", "excerpt": "Five days.", "trust": "canonical", "score": 0.2}
    with transaction() as db:
        found = GapEvent(
            source=GapSource.DRAFT,
            level=GroundingLevel.ESCALATION,
            cause=Cause.NO_CANONICAL_RESULTS,
            question="can I pay by invoice from abroad?",
            fingerprint="can i pay by invoice from abroad",
            canonical_hits=0,
            assistive_hits=0,
            evidence=[passage],
        )
        db.add(found)
    return found


def test_a_new_article_is_kept_as_a_draft(desk: FlaskClient, operator: Operator) -> None:
    form = posted(desk.get("/support/knowledge-base/new").text)
    answer = desk.post(
        "/support/knowledge-base/new", data=form | {"title": "Seats", "content": "Add **one**.", "act": "save"}
    )
    assert answer.status_code == 303
    assert answer.location.endswith("/edit")
    page = desk.get(answer.location).text
    assert "<strong>one</strong>" in page
    assert "Version 1" in page
    (article,) = knowledge.list_articles(visible_to=operator)
    assert (article.title, article.status) == ("Seats", ArticleStatus.DRAFT)
    assert newest(article.id, operator).content == "Add **one**."


def test_a_title_alone_can_be_kept(desk: FlaskClient, operator: Operator) -> None:
    desk.post("/support/knowledge-base/new", data={"title": "Later", "content": "", "act": "save"})
    (article,) = knowledge.list_articles(visible_to=operator)
    assert knowledge.newest_revision(article.id, visible_to=operator) is None


@pytest.mark.parametrize(
    ("title", "content", "act", "field"),
    [("", "Words.", "save", "title"), ("A title", "", "publish", "content"), ("x" * 201, "Words.", "save", "title")],
)
def test_what_cannot_be_kept_comes_back_with_its_error_at_the_field(
    desk: FlaskClient, operator: Operator, title: str, content: str, act: str, field: str
) -> None:
    form = {"title": title, "content": content, "act": act}
    page = desk.post("/support/knowledge-base/new", data=form)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert posted(page.text)["content"] == content
    assert posted(page.text)["title"] == title
    assert_region(
        desk.post("/support/knowledge-base/new", data=form, headers=HTMX),
        "editor",
        changed=("editor-news",),
        status=422,
    )
    assert knowledge.list_articles(visible_to=operator) == []


def test_saving_from_the_page_answers_with_the_editor(desk: FlaskClient, article: Article, operator: Operator) -> None:
    address = f"/support/knowledge-base/{article.id}/edit"
    form = posted(desk.get(address).text) | {"content": "Six days.", "act": "save"}
    answer = desk.post(address, data=form, headers=HTMX)
    assert_region(answer, "editor", changed=("editor-news",))
    assert "Version 2" in answer.text
    assert posted(answer.text)["seen"] == knowledge.fingerprint(newest(article.id, operator))
    again = desk.post(address, data=posted(answer.text) | {"content": "Seven days.", "act": "save"}, headers=HTMX)
    assert_region(again, "editor", changed=("editor-news",))
    assert newest(article.id, operator).content == "Seven days."


def test_a_new_article_saved_from_the_page_moves_to_its_own_address(desk: FlaskClient) -> None:
    form = posted(desk.get("/support/knowledge-base/new").text) | {"title": "Seats", "content": "One.", "act": "save"}
    answer = desk.post("/support/knowledge-base/new", data=form, headers=HTMX)
    assert_region(answer, "editor", changed=("editor-news",))
    assert re.fullmatch(r"/support/knowledge-base/\d+/edit", answer.headers["HX-Replace-Url"])


def test_publishing_saves_and_makes_live_in_one_step(desk: FlaskClient, article: Article, operator: Operator) -> None:
    address = f"/support/knowledge-base/{article.id}/edit"
    form = posted(desk.get(address).text) | {"title": "Refund times", "content": "Six days.", "act": "publish"}
    answer = desk.post(address, data=form)
    assert answer.status_code == 303
    assert answer.location.endswith(f"/knowledge-base/{article.id}")
    live = knowledge.live_revision(article.id, visible_to=operator)
    assert live is not None
    assert (live.version, live.content) == (2, "Six days.")
    assert knowledge.get_article(article.id, visible_to=operator).title == "Refund times"
    answer = desk.post(address, data=posted(desk.get(address).text) | {"act": "publish"}, headers=HTMX)
    assert answer.headers["HX-Redirect"].endswith(f"/knowledge-base/{article.id}")


def test_a_second_saver_is_shown_both_texts_and_loses_none(
    desk: FlaskClient, article: Article, operator: Operator, second_operator: Operator
) -> None:
    address = f"/support/knowledge-base/{article.id}/edit"
    opened = posted(desk.get(address).text)
    knowledge.save_draft(article.id, "Sam says **nine days**.", by=second_operator)
    mine = opened | {"title": "Mine", "content": "Ada says seven days.", "act": "save"}
    for headers in ({}, HTMX):
        page = desk.post(address, data=mine, headers=headers)
        assert page.status_code == 409
        assert "Sam Kim" in page.text
        assert "<ins" in page.text
        assert "<del" in page.text
        assert posted(page.text)["content"] == "Ada says seven days."
        assert posted(page.text)["title"] == "Mine"
        assert "Save mine over it" in page.text
        assert "Take theirs" in page.text
    assert newest(article.id, operator).content == "Sam says **nine days**."
    assert knowledge.get_article(article.id, visible_to=operator).title == article.title != "Mine"
    # saving once more without choosing changes nothing either
    assert desk.post(address, data=posted(page.text) | {"act": "save"}).status_code == 409
    over = re.search(r'name="over" value="([^"]+)"', page.text)
    assert over is not None
    assert desk.post(address, data=posted(page.text) | {"over": over.group(1)}).status_code == 303
    assert newest(article.id, operator).content == "Ada says seven days."


def test_saving_over_one_version_does_not_save_over_the_next(
    desk: FlaskClient, article: Article, operator: Operator, second_operator: Operator
) -> None:
    address = f"/support/knowledge-base/{article.id}/edit"
    opened = posted(desk.get(address).text) | {"content": "Mine.", "act": "save"}
    knowledge.save_draft(article.id, "First.", by=second_operator)
    over = re.search(r'name="over" value="([^"]+)"', desk.post(address, data=opened).text)
    assert over is not None
    knowledge.save_draft(article.id, "Second.", by=second_operator)
    page = desk.post(address, data=opened | {"over": over.group(1)})
    assert page.status_code == 409
    assert newest(article.id, operator).content == "Second."


def test_a_title_somebody_else_changed_is_not_changed_back(
    desk: FlaskClient, article: Article, operator: Operator, second_operator: Operator
) -> None:
    address = f"/support/knowledge-base/{article.id}/edit"
    opened = posted(desk.get(address).text)
    knowledge.rename_article(article.id, "Sam's title", by=second_operator)
    assert desk.post(address, data=opened | {"content": "New words.", "act": "save"}).status_code == 303
    assert knowledge.get_article(article.id, visible_to=operator).title == "Sam's title"
    page = desk.post(
        address, data=opened | {"title": "Ada's title", "seen": knowledge.fingerprint(newest(article.id, operator))}
    )
    assert page.status_code == 422
    assert "Sam&#39;s title" in page.text
    assert desk.post(address, data=posted(page.text) | {"act": "save"}).status_code == 303
    assert knowledge.get_article(article.id, visible_to=operator).title == "Ada's title"


def test_news_of_another_saver_arrive_before_saving(
    desk: FlaskClient, article: Article, operator: Operator, second_operator: Operator
) -> None:
    seen = knowledge.fingerprint(newest(article.id, operator))
    address = f"/support/knowledge-base/{article.id}/edit/news?seen={seen}"
    assert "has saved" not in desk.get(address).text
    knowledge.save_draft(article.id, "Sam's words.", by=second_operator)
    answer = desk.get(address)
    assert_region(answer, "editor-news")
    assert "Sam Kim" in answer.text
    assert "has saved" in answer.text


def test_a_draft_thrown_away_leaves_the_live_version(desk: FlaskClient, article: Article, operator: Operator) -> None:
    draft = knowledge.save_draft(article.id, "Half a thought", by=operator)
    address = f"/support/knowledge-base/{article.id}/draft/discard"
    answer = desk.post(address, data={"seen": knowledge.fingerprint(draft)})
    assert answer.status_code == 303
    assert newest(article.id, operator).version == 1
    assert "five days" in desk.get(answer.location).text


def test_a_draft_changed_since_is_not_thrown_away(
    desk: FlaskClient, article: Article, operator: Operator, second_operator: Operator
) -> None:
    seen = knowledge.fingerprint(knowledge.save_draft(article.id, "Half a thought", by=operator))
    knowledge.save_draft(article.id, "A whole one", by=second_operator)
    assert desk.post(f"/support/knowledge-base/{article.id}/draft/discard", data={"seen": seen}).status_code == 409
    assert newest(article.id, operator).content == "A whole one"


def test_the_preview_is_what_readers_will_see_and_keeps_nothing(
    desk: FlaskClient, article: Article, operator: Operator
) -> None:
    form = {"title": "T", "content": "# Big\n\n**bold** <script>alert(1)</script> [x](javascript:alert(1))"}
    for address in ("/support/knowledge-base/preview", f"/support/knowledge-base/{article.id}/preview"):
        answer = desk.post(address, data=form, headers=HTMX)
        assert_region(answer, "preview")
        assert "<h2>Big</h2>" in answer.text
        assert "<strong>bold</strong>" in answer.text
        assert "<script>" not in answer.text
        assert 'href="javascript' not in answer.text
        without_script = desk.post(address, data=form)
        assert without_script.status_code == 200
        assert "<strong>bold</strong>" in without_script.text
        assert posted(without_script.text)["content"] == form["content"]
    assert newest(article.id, operator).version == 1
    assert len(knowledge.list_articles(visible_to=operator)) == 1


def test_the_longest_article_there_may_be_is_accepted_in_any_script(desk: FlaskClient, operator: Operator) -> None:
    longest = "漢" * 199_999 + "字"
    answer = desk.post("/support/knowledge-base/new", data={"title": "Long", "content": longest, "act": "save"})
    assert answer.status_code == 303
    (article,) = knowledge.list_articles(visible_to=operator)
    assert newest(article.id, operator).content == longest
    longer = {"title": "Longer", "content": longest + "!"}
    assert desk.post("/support/knowledge-base/new", data=longer).status_code == 422


def test_a_gap_stands_beside_the_article_that_closes_it(desk: FlaskClient, gap: GapEvent) -> None:
    page = desk.get(f"/support/knowledge-base/new?gap={gap.id}").text
    assert posted(page)["title"] == "Can I pay by invoice from abroad"
    for shown in (gap.question, "No article is about this", "Five days.", "Refunds"):
        assert shown in page
    saved = desk.post("/support/knowledge-base/new", data=posted(page) | {"content": "Yes.", "act": "save"})
    assert gap.question in desk.get(saved.location).text


def test_nothing_of_another_tenant_can_be_opened_or_changed(
    desk: FlaskClient, article: Article, gap: GapEvent, operator: Operator
) -> None:
    elsewhere = {"X-Tenant": "acme"}
    for path in (f"{article.id}/edit", f"{article.id}/edit/news", f"new?gap={gap.id}"):
        assert desk.get(f"/support/knowledge-base/{path}").status_code == 200
        assert desk.get(f"/support/knowledge-base/{path}", headers=elsewhere).status_code == 404
    for path in (f"{article.id}/edit", f"{article.id}/preview", f"{article.id}/draft/discard"):
        answer = desk.post(f"/support/knowledge-base/{path}", data={"title": "x", "content": "y"}, headers=elsewhere)
        assert answer.status_code == 404
    assert newest(article.id, operator).version == 1


def test_nobody_writes_without_being_signed_in_or_from_another_site(client: FlaskClient, desk: FlaskClient) -> None:
    for path in ("new", "preview"):
        assert client.post(f"/support/knowledge-base/{path}", data={"title": "x"}).status_code == 403
        forged = desk.post(
            f"/support/knowledge-base/{path}", data={"title": "x"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert forged.status_code == 403


@pytest.mark.browser
class TestInABrowser:
    def test_the_preview_follows_the_words(self, open_page: Open) -> None:
        page = open_page("/knowledge-base/new")
        page.get_by_label("Title").fill("Seats")
        text = words(page)
        text.fill("Add a **seat**")
        expect(page.locator("#preview strong")).to_have_text("seat")
        expect(page.locator("#editor-words")).to_have_text("3")
        expect(text).to_have_value("Add a **seat**")

    def test_control_s_saves_and_leaves_the_caret_where_it_is(
        self, open_page: Open, article: Article, operator: Operator
    ) -> None:
        page = open_page(f"/knowledge-base/{article.id}/edit")
        text = words(page)
        text.fill("One two three")
        text.evaluate("e => e.setSelectionRange(4, 7)")
        expect(page.locator("#editor-unsaved")).to_be_visible()
        page.keyboard.press("Control+s")
        expect(page.locator("#editor-state")).to_contain_text("Version 2")
        expect(page.locator("#editor-unsaved")).to_be_hidden()
        expect(text).to_be_focused()
        assert text.evaluate("e => [e.selectionStart, e.selectionEnd]") == [4, 7]
        page.keyboard.type("2")
        page.keyboard.press("Control+s")
        expect(page.locator("#editor-unsaved")).to_be_hidden()
        expect(text).to_have_value("One 2 three")
        page.wait_for_timeout(1_500)  # its own change comes back over the live stream
        expect(page.locator("#editor-news")).not_to_contain_text("has saved")

    def test_a_new_article_can_be_saved_twice_and_is_one(self, open_page: Open, operator: Operator) -> None:
        page = open_page("/knowledge-base/new")
        page.get_by_label("Title").fill("Seats")
        words(page).fill("One.")
        page.keyboard.press("Control+s")
        expect(page.locator("#editor-state")).to_contain_text("Version 1")
        expect(page).to_have_url(re.compile(r"/knowledge-base/\d+/edit$"))
        words(page).fill("One. Two.")
        page.keyboard.press("Control+s")
        expect(page.locator("#editor-unsaved")).to_be_hidden()
        page.reload()
        expect(words(page)).to_have_value("One. Two.")
        assert len(knowledge.list_articles(visible_to=operator)) == 1

    def test_unsaved_words_survive_a_reload_and_a_sign_out(self, open_page: Open, article: Article) -> None:
        page = open_page(f"/knowledge-base/{article.id}/edit")
        words(page).fill("Never saved")
        page.context.clear_cookies()
        page.keyboard.press("Control+s")
        expect(page.locator("#cl-banner")).to_contain_text("You are not signed in any more")
        page.on("dialog", lambda dialog: dialog.accept())
        page.reload()
        host = page.evaluate("location.origin")
        page.context.add_cookies([{"name": "operator", "value": "ada", "url": host}])
        page.reload()
        expect(words(page)).to_have_value("Never saved")
        expect(page.locator("#preview")).to_contain_text("Never saved")
        expect(page.locator("#editor-restored")).to_be_visible()
        page.get_by_role("link", name="Drop them").click()
        expect(words(page)).to_have_value(re.compile("five days"))

    def test_words_kept_in_the_browser_do_not_overwrite_what_was_saved_meanwhile(
        self, open_page: Open, article: Article, operator: Operator, second_operator: Operator
    ) -> None:
        page = open_page(f"/knowledge-base/{article.id}/edit")
        page.on("dialog", lambda dialog: dialog.accept())
        words(page).fill("Ada's words")
        knowledge.save_draft(article.id, "Sam's words", by=second_operator)
        expect(page.locator("#editor-news")).to_contain_text("Sam Kim")
        page.reload()
        expect(words(page)).to_have_value("Ada's words")
        page.keyboard.press("Control+s")
        expect(page.get_by_role("alert").filter(has_text="Not saved")).to_contain_text("Sam Kim")
        expect(words(page)).to_have_value("Ada's words")
        assert newest(article.id, operator).content == "Sam's words"
        page.get_by_role("link", name="Take theirs").click()
        expect(words(page)).to_have_value("Sam's words")

    def test_without_script_everything_can_be_done(self, open_page: Open, operator: Operator) -> None:
        page = open_page("/knowledge-base/new", java_script_enabled=False)
        page.get_by_label("Title").fill("Seats")
        words(page).fill("Add **one**.")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#preview strong")).to_have_text("one")
        expect(words(page)).to_have_value("Add **one**.")
        page.get_by_role("button", name="Save draft").click()
        expect(page).to_have_url(re.compile(r"/edit$"))
        page.get_by_role("button", name="Publish").click()
        page.get_by_role("dialog").get_by_role("button", name="Publish").click()
        expect(page.locator("h1")).to_have_text("Seats")
        expect(page.locator("main")).to_contain_text("Published")

    def test_nothing_is_wider_than_the_screen(self, open_page: Open, article: Article, gap: GapEvent) -> None:
        page = open_page(f"/knowledge-base/{article.id}/edit?gap={gap.id}")
        table = "| a | b |\n|---|---|\n| " + "z" * 300 + " | 1 |"
        words(page).fill("\n\n".join(["x" * 400, "    " + "y" * 400, table]))
        expect(page.locator("#preview")).to_contain_text("zzz")
        for width in (1440, 1024, 375, 320):
            page.set_viewport_size({"width": width, "height": 800})
            for pane in ("Preview", "Write") if width < 1024 else ():
                page.locator("#editor-form").get_by_text(pane, exact=True).click()
                assert page.evaluate(SIDEWAYS) <= 0, (width, pane)
            assert page.evaluate(SIDEWAYS) <= 0, width

    def test_no_payload_does_anything(self, open_page: Open, operator: Operator) -> None:
        opened: list[str] = []

        def opened_by(dialog: Dialog) -> None:
            opened.append(dialog.message)
            dialog.dismiss()

        page = open_page("/knowledge-base/new")
        page.on("dialog", opened_by)
        for batch in batches(payloads(), 40):
            titled = [knowledge.create_article(each[:200].strip() or "Blank", by=operator) for each in batch]
            page.goto(re.sub(r"/knowledge-base.*", "/knowledge-base", page.url))
            expect(page.locator("[data-cl-row]").nth(len(batch) - 1)).to_be_attached()
            assert page.evaluate(LIVE_HARM) == []
            article = titled[0]
            knowledge.save_draft(article.id, "\n\n".join(batch), by=operator)
            knowledge.publish(article.id, by=operator)
            for path in ("", "/edit", "/history/1"):
                page.goto(re.sub(r"/knowledge-base.*", f"/knowledge-base/{article.id}{path}", page.url))
                poke(page)
                assert page.evaluate(LIVE_HARM) == []
        assert opened == []
        assert not page.evaluate("window.ran")


def payloads() -> list[str]:
    """Our own, and of the outside list a sample, or all of it on demand."""
    path = DATA / "security/xss.json"
    found: list[str] = json.loads(path.read_text()) if path.exists() else []
    if os.environ.get("CAIRNLOOP_TORTURE") != "full":
        found = random.Random(3).sample(found, min(20, len(found)))
    return [*PAYLOADS, *found]


def batches(items: list[str], size: int) -> list[list[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def poke(page: Page) -> None:
    """Let whatever waits for a mouse, a focus or an animation happen."""
    page.evaluate(
        """() => { for (const e of document.querySelectorAll('main article *, main .cl-prose *')) {
            for (const kind of ['mouseover', 'mouseenter', 'focus', 'animationstart', 'toggle', 'error', 'load'])
                e.dispatchEvent(new Event(kind));
        } }"""
    )

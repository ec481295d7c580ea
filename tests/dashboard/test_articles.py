from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import expect

from flask_cairnloop import Operator, knowledge
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.knowledge import Article, ArticleStatus
from tests.dashboard.conftest import HTMX, Open, assert_region


def test_articles_are_listed_with_where_they_stand(desk: FlaskClient, article: Article, operator: Operator) -> None:
    knowledge.create_article("Unwritten", by=operator)
    page = desk.get("/support/knowledge-base").text
    for words in ("How long refunds take", "Published", "Not searchable yet", "Unwritten", "Draft"):
        assert words in page
    published = desk.get("/support/knowledge-base?status=published").text
    assert "How long refunds take" in published
    assert "Unwritten" not in published


def test_an_article_is_read_as_its_readers_see_it(desk: FlaskClient, article: Article) -> None:
    page = desk.get(f"/support/knowledge-base/{article.id}").text
    assert "<strong>five days</strong>" in page
    assert "<h2>Refunds</h2>" in page
    assert page.count("<h1") == 1


def test_an_article_being_written_shows_its_draft(desk: FlaskClient, operator: Operator) -> None:
    article = knowledge.create_article("New", by=operator)
    assert "Nothing is written yet" in desk.get(f"/support/knowledge-base/{article.id}").text
    knowledge.save_draft(article.id, "First words.", by=operator)
    assert "First words." in desk.get(f"/support/knowledge-base/{article.id}").text


def test_what_an_article_says_runs_nothing(desk: FlaskClient, operator: Operator) -> None:
    article = knowledge.create_article("<script>alert(1)</script>", by=operator)
    knowledge.save_draft(article.id, "<script>alert(2)</script> [x](javascript:alert(3))", by=operator)
    for path in ("", f"/{article.id}"):
        page = desk.get(f"/support/knowledge-base{path}").text
        assert "<script>alert" not in page
        assert 'href="javascript' not in page


def test_long_lists_have_pages(desk: FlaskClient, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    from flask_cairnloop.dashboard import articles

    monkeypatch.setattr(articles, "SIZE", 2)
    found = [knowledge.create_article(f"Article {number}", by=operator) for number in range(3)]
    first = desk.get("/support/knowledge-base").text
    assert "Article 2" in first
    assert "Article 0" not in first
    assert f"/support/knowledge-base?before={found[1].id}" in first
    second = desk.get(f"/support/knowledge-base?before={found[1].id}").text
    assert "Article 0" in second
    assert "Article 2" not in second


def test_an_empty_knowledge_base_says_what_it_is_for(desk: FlaskClient) -> None:
    page = desk.get("/support/knowledge-base").text
    assert "drafts have nothing to rest on" in page
    assert 'href="/support/knowledge-base/new"' in page


def test_another_tenants_article_is_not_there(desk: FlaskClient, article: Article) -> None:
    elsewhere = {"X-Tenant": "acme"}
    assert desk.get(f"/support/knowledge-base/{article.id}").status_code == 200
    assert desk.get(f"/support/knowledge-base/{article.id}", headers=elsewhere).status_code == 404
    assert "How long refunds take" not in desk.get("/support/knowledge-base", headers=elsewhere).text


def test_the_list_says_how_fresh_each_article_is(
    desk: FlaskClient, article: Article, operator: Operator, run_jobs: Callable[[], int]
) -> None:
    assert "Not searchable yet" in desk.get("/support/knowledge-base").text
    run_jobs()
    session().expire_all()
    page = desk.get("/support/knowledge-base").text
    assert "Not searchable yet" not in page
    assert "Newer draft" not in page
    knowledge.save_draft(article.id, "Being written.", by=operator)
    assert "Newer draft" in desk.get("/support/knowledge-base").text
    knowledge.publish(article.id, by=operator)
    assert "Not searchable yet" in desk.get("/support/knowledge-base").text


def test_a_failed_index_says_why_on_both_pages(desk: FlaskClient, article: Article) -> None:
    with transaction() as db:
        db.refresh(article)
        article.index_error = "the embedder answered nothing"
    for path in ("", f"/{article.id}"):
        page = desk.get(f"/support/knowledge-base{path}").text
        assert "Indexing failed" in page
        assert "the embedder answered nothing" in page


def test_the_counts_of_each_status_stand_at_its_tab(desk: FlaskClient, article: Article, operator: Operator) -> None:
    for title in ("One", "Two"):
        knowledge.create_article(title, by=operator)
    page = desk.get("/support/knowledge-base").text
    for words in ("All <b>3</b>", "Draft <b>2</b>", "Published <b>1</b>", "Archived <b>0</b>"):
        assert words in page


def test_the_list_and_the_article_are_regions(desk: FlaskClient, article: Article) -> None:
    assert_region(desk.get("/support/knowledge-base/list", headers=HTMX), "articles")
    assert_region(desk.get(f"/support/knowledge-base/{article.id}/standing", headers=HTMX), "article")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "page"])
def test_an_article_is_taken_back_archived_and_brought_back(
    desk: FlaskClient, article: Article, operator: Operator, headers: dict[str, str]
) -> None:
    def status() -> ArticleStatus:
        return knowledge.get_article(article.id, visible_to=operator).status

    here = f"/support/knowledge-base/{article.id}"
    steps = [("withdrawal", "draft"), ("publication", "published"), ("archival", "archived"), ("return", "draft")]
    for verb, expected in steps:
        answer = desk.post(f"{here}/{verb}", headers=headers)
        if headers:
            assert_region(answer, "article")
        else:
            assert (answer.status_code, answer.location) == (303, here)
        assert status() == expected
    assert "five days" in desk.get(here).text


def test_what_cannot_be_done_any_more_says_so_beside_how_it_stands(desk: FlaskClient, article: Article) -> None:
    here = f"/support/knowledge-base/{article.id}"
    refused = desk.post(f"{here}/publication")
    assert refused.status_code == 409
    assert "no draft to publish" in refused.text
    assert "five days" in refused.text
    assert_region(desk.post(f"{here}/publication", headers=HTMX), "article", status=409)


def test_nothing_of_another_tenant_can_be_changed(desk: FlaskClient, article: Article, operator: Operator) -> None:
    for verb in ("publication", "withdrawal", "archival", "return"):
        answer = desk.post(f"/support/knowledge-base/{article.id}/{verb}", headers={"X-Tenant": "acme"})
        assert answer.status_code == 404
    assert knowledge.get_article(article.id, visible_to=operator).status == ArticleStatus.PUBLISHED


@pytest.mark.browser
def test_an_open_list_and_an_open_article_follow_what_others_do(
    open_page: Open, article: Article, second_operator: Operator
) -> None:
    shelf, reader = open_page("/knowledge-base"), open_page(f"/knowledge-base/{article.id}")
    expect(shelf.locator("#articles")).to_contain_text("Published")
    knowledge.save_draft(article.id, "A refund takes **six days**.", by=second_operator)
    expect(shelf.locator("#articles")).to_contain_text("Newer draft")
    expect(reader.locator("#article")).to_contain_text("Version 2 is being written")
    knowledge.publish(article.id, by=second_operator)
    expect(reader.locator("#article")).to_contain_text("six days")


@pytest.mark.browser
def test_a_consequence_is_said_before_it_happens_and_escape_takes_it_back(open_page: Open, article: Article) -> None:
    page = open_page(f"/knowledge-base/{article.id}")
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("Archive this article?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Archive this article?")).to_be_hidden()
    page.get_by_role("button", name="Archive").click()
    page.keyboard.press("Enter")  # the focus stands on the button that does it
    expect(page.locator("#article")).to_contain_text("Archived")
    expect(page.get_by_role("button", name="Bring back")).to_be_visible()

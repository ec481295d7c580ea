from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import Operator, knowledge
from flask_cairnloop.knowledge import Article


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
    assert "drafts have nothing to rest on" in desk.get("/support/knowledge-base").text


def test_another_tenants_article_is_not_there(desk: FlaskClient, article: Article) -> None:
    elsewhere = {"X-Tenant": "acme"}
    assert desk.get(f"/support/knowledge-base/{article.id}").status_code == 200
    assert desk.get(f"/support/knowledge-base/{article.id}", headers=elsewhere).status_code == 404
    assert "How long refunds take" not in desk.get("/support/knowledge-base", headers=elsewhere).text

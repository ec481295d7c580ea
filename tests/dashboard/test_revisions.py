from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import Operator, knowledge
from flask_cairnloop.knowledge import Article, RevisionStatus
from tests.dashboard.conftest import HTMX, assert_region


@pytest.fixture
def written(article: Article, operator: Operator, second_operator: Operator) -> Article:
    """An article with three versions: the first replaced, the second live, the third being written."""
    knowledge.save_draft(article.id, "# Refunds\n\nA refund takes **six days**.\n\nAsk us.", by=second_operator)
    knowledge.publish(article.id, by=second_operator)
    knowledge.save_draft(article.id, "# Refunds\n\nA refund takes **a week**.", by=operator)
    return article


def seen_in(page: str) -> dict[str, str]:
    """What the form that restores a version sends."""
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found is not None
    return {"seen": found.group(1)}


def test_every_version_is_listed_with_who_wrote_it_and_where_it_stands(desk: FlaskClient, written: Article) -> None:
    page = desk.get(f"/support/knowledge-base/{written.id}/history").text
    for words in ("Version 3", "Version 2", "Version 1", "Being written", "Live", "Replaced", "Ada Osei", "Sam Kim"):
        assert words in page
    assert page.index("Version 3") < page.index("Version 1")
    assert_region(desk.get(f"/support/knowledge-base/{written.id}/history/list", headers=HTMX), "revisions")


def test_a_long_history_has_pages(
    desk: FlaskClient, article: Article, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask_cairnloop.dashboard import revisions

    monkeypatch.setattr(revisions, "SIZE", 2)
    for number in range(3):
        knowledge.save_draft(article.id, f"Text {number}", by=operator)
        knowledge.publish(article.id, by=operator)
    address = f"/support/knowledge-base/{article.id}/history"
    first = desk.get(address).text
    assert "Version 4" in first
    assert "Version 2" not in first
    assert f"{address}?before=3" in first
    assert "Version 2" in desk.get(f"{address}?before=3").text


def test_a_version_shows_what_it_changed_not_by_colour_alone(desk: FlaskClient, written: Article) -> None:
    page = desk.get(f"/support/knowledge-base/{written.id}/history/2").text
    assert "From version 1 to version 2" in page
    assert "five" in "".join(re.findall(r"<del[^>]*>(.*?)</del>", page, re.DOTALL))
    added = "".join(re.findall(r"<ins[^>]*>(.*?)</ins>", page, re.DOTALL))
    assert "six" in added
    assert "Ask us." in added
    assert "Added" in page
    assert "Removed" in page
    assert "<strong>six days</strong>" in page  # and the whole of it, as readers saw it


def test_the_first_version_is_all_new(desk: FlaskClient, written: Article) -> None:
    assert "The first words" in desk.get(f"/support/knowledge-base/{written.id}/history/1").text


def test_a_version_can_be_compared_with_the_live_one(desk: FlaskClient, written: Article) -> None:
    page = desk.get(f"/support/knowledge-base/{written.id}/history/3?with=live").text
    assert "From version 2 to version 3" in page
    assert "From version 2 to version 1" in desk.get(f"/support/knowledge-base/{written.id}/history/1?with=live").text
    assert "From version 1 to version 2" in desk.get(f"/support/knowledge-base/{written.id}/history/2?with=live").text
    assert desk.get(f"/support/knowledge-base/{written.id}/history/3?with=9").status_code == 404
    assert desk.get(f"/support/knowledge-base/{written.id}/history/3?with=x").status_code == 422


def test_restoring_makes_the_old_words_the_draft(desk: FlaskClient, article: Article, operator: Operator) -> None:
    knowledge.save_draft(article.id, "Wrong.", by=operator)
    knowledge.publish(article.id, by=operator)
    address = f"/support/knowledge-base/{article.id}/history/1"
    answer = desk.post(f"{address}/restoration", data=seen_in(desk.get(address).text))
    assert answer.status_code == 303
    assert "five days" in desk.get(answer.location).text
    newest = knowledge.newest_revision(article.id, visible_to=operator)
    assert newest is not None
    assert (newest.version, newest.status) == (3, RevisionStatus.DRAFT)
    live = knowledge.live_revision(article.id, visible_to=operator)
    assert live is not None
    assert live.content == "Wrong."


def test_restoring_over_a_draft_says_what_would_be_gone(
    desk: FlaskClient, written: Article, operator: Operator, second_operator: Operator
) -> None:
    address = f"/support/knowledge-base/{written.id}/history/1"
    page = desk.get(address).text
    assert "Replace the draft with version 1?" in page
    assert "Ada Osei" in page
    assert f"{address}?with=3" in page
    knowledge.save_draft(written.id, "Sam was here.", by=second_operator)
    refused = desk.post(f"{address}/restoration", data=seen_in(page))
    assert refused.status_code == 409
    assert "Sam Kim" in refused.text
    newest = knowledge.newest_revision(written.id, visible_to=operator)
    assert newest is not None
    assert newest.content == "Sam was here."
    assert desk.post(f"{address}/restoration", data=seen_in(refused.text)).status_code == 303
    newest = knowledge.newest_revision(written.id, visible_to=operator)
    assert newest is not None
    assert "five days" in newest.content


def test_the_newest_version_cannot_be_restored_onto_itself(
    desk: FlaskClient, article: Article, written: Article
) -> None:
    assert "Restore this version" not in desk.get(f"/support/knowledge-base/{written.id}/history/3").text


def test_another_tenants_history_is_not_there(desk: FlaskClient, written: Article) -> None:
    elsewhere = {"X-Tenant": "acme"}
    for path in ("history", "history/list", "history/1"):
        assert desk.get(f"/support/knowledge-base/{written.id}/{path}", headers=elsewhere).status_code == 404
    answer = desk.post(f"/support/knowledge-base/{written.id}/history/1/restoration", headers=elsewhere)
    assert answer.status_code == 404
    assert desk.get(f"/support/knowledge-base/{written.id}/history/9").status_code == 404

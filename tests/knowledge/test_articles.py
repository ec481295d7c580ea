from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from flask_cairnloop import InvalidInput, InvalidTransition, NotFound, Operator, knowledge
from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.jobs import Job
from flask_cairnloop.knowledge import Article, ArticleStatus, Revision, RevisionStatus
from flask_cairnloop.signals import article_published


@pytest.fixture
def article(app: Flask, operator: Operator) -> Article:
    made = knowledge.create_article("Ridge paths", by=operator)
    knowledge.save_draft(made.id, "They are closed in strong wind.", by=operator)
    return made


def test_a_new_article_is_a_draft_without_words(app: Flask, operator: Operator) -> None:
    made = knowledge.create_article("  Ridge\n paths ", by=operator)
    assert (made.title, made.status, made.created_by) == ("Ridge paths", ArticleStatus.DRAFT, "ada")
    assert knowledge.history(made.id, visible_to=operator) == []


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, None])
def test_an_unfit_title_is_refused(app: Flask, operator: Operator, title: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        knowledge.create_article(title, by=operator)
    assert "title" in refusal.value.errors


def test_saving_again_changes_the_one_draft(article: Article, operator: Operator) -> None:
    first = knowledge.draft_revision(article.id, visible_to=operator)
    again = knowledge.save_draft(article.id, "Other words.", by=operator)
    assert first is not None
    assert (again.id, again.version, again.content) == (first.id, 1, "Other words.")


def test_saving_what_is_published_already_makes_no_new_version(article: Article, operator: Operator) -> None:
    knowledge.publish(article.id, by=operator)
    same = knowledge.save_draft(article.id, "They are closed in strong wind.\n", by=operator)
    assert (same.version, same.status) == (1, RevisionStatus.PUBLISHED)


def test_a_draft_after_publishing_is_the_next_version(article: Article, operator: Operator) -> None:
    knowledge.publish(article.id, by=operator)
    second = knowledge.save_draft(article.id, "They are open again.", by=operator)
    assert (second.version, second.status, second.author_name) == (2, RevisionStatus.DRAFT, "Ada Osei")
    live = knowledge.live_revision(article.id, visible_to=operator)
    assert live is not None
    assert live.content == "They are closed in strong wind."


def test_publishing_supersedes_the_version_before(article: Article, operator: Operator) -> None:
    knowledge.publish(article.id, by=operator)
    knowledge.save_draft(article.id, "They are open again.", by=operator)
    knowledge.publish(article.id, by=operator)
    states = [(each.version, each.status) for each in knowledge.history(article.id, visible_to=operator)]
    assert states == [(2, RevisionStatus.PUBLISHED), (1, RevisionStatus.SUPERSEDED)]


def test_publishing_promises_the_index_and_tells_the_host(article: Article, operator: Operator, app: Flask) -> None:
    heard: list[object] = []

    def listen(sender: object, **payload: object) -> None:
        heard.append(payload["metadata"])

    with article_published.connected_to(listen, sender=app):
        knowledge.publish(article.id, by=operator)
    job = session().scalars(select(Job).where(Job.name == "index_revision")).one()
    assert job.args == {"revision_id": article.live_revision_id}
    assert heard == [{"article_id": article.id, "revision_id": article.live_revision_id, "actor": operator}]


def test_publishing_without_a_draft_is_refused(article: Article, operator: Operator) -> None:
    knowledge.publish(article.id, by=operator)
    with pytest.raises(InvalidTransition, match="no draft"):
        knowledge.publish(article.id, by=operator)


def test_of_racing_publishers_one_wins(article: Article, operator: Operator, app: Flask) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(4)
    article_id = article.id

    def attempt() -> None:
        with app.app_context():
            start.wait()
            try:
                knowledge.publish(article_id, by=operator)
                outcomes.append("published")
            except InvalidTransition:
                outcomes.append("refused")

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["published", "refused", "refused", "refused"]


@pytest.mark.parametrize("change", ["content = 'forged'", "version = 7", "status = 'draft'"])
def test_the_database_itself_keeps_published_words(article: Article, operator: Operator, change: str) -> None:
    knowledge.publish(article.id, by=operator)
    with pytest.raises(DatabaseError, match="was published and cannot change"), transaction() as db:
        db.execute(text(f"UPDATE cairnloop.cairnloop_revisions SET {change}"))


def test_the_database_itself_allows_one_published_version(article: Article, operator: Operator) -> None:
    knowledge.publish(article.id, by=operator)
    forged = Revision(article_id=article.id, version=9, content="x", author_id="eve", status=RevisionStatus.PUBLISHED)
    with pytest.raises(IntegrityError), transaction() as db:
        db.add(forged)


def test_archiving_takes_an_article_out_and_publishing_brings_it_back(article: Article, operator: Operator) -> None:
    knowledge.publish(article.id, by=operator)
    assert knowledge.archive_article(article.id, by=operator).status == ArticleStatus.ARCHIVED
    assert knowledge.archive_article(article.id, by=operator).status == ArticleStatus.ARCHIVED
    knowledge.save_draft(article.id, "They are open again.", by=operator)
    assert knowledge.publish(article.id, by=operator).status == ArticleStatus.PUBLISHED


def test_every_change_is_in_the_audit_log_without_its_words(article: Article, operator: Operator) -> None:
    knowledge.publish(article.id, by=operator)
    knowledge.rename_article(article.id, "Ridges", by=operator)
    knowledge.archive_article(article.id, by=operator)
    events = session().scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [event.action.removeprefix("article.") for event in events] == [
        "create",
        "save_draft",
        "publish",
        "rename",
        "archive",
    ]
    assert {event.actor_id for event in events} == {"ada"}
    assert "Ridge" not in str([event.details for event in events])


def test_another_tenants_operator_finds_nothing(article: Article, operator: Operator) -> None:
    stranger = Operator(id="eve", name="Eve", tenant="elsewhere")
    assert knowledge.get_article(article.id, visible_to=operator).id == article.id
    attempts: list[Callable[[], object]] = [
        lambda: knowledge.get_article(article.id, visible_to=stranger),
        lambda: knowledge.history(article.id, visible_to=stranger),
        lambda: knowledge.save_draft(article.id, "x", by=stranger),
        lambda: knowledge.publish(article.id, by=stranger),
        lambda: knowledge.rename_article(article.id, "x", by=stranger),
        lambda: knowledge.archive_article(article.id, by=stranger),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert knowledge.list_articles(visible_to=stranger) == []


def test_articles_are_listed_newest_change_first_in_pages(app: Flask, operator: Operator) -> None:
    made = [knowledge.create_article(f"Article {number}", by=operator) for number in range(5)]
    knowledge.rename_article(made[1].id, "Renamed", by=operator)
    first = knowledge.list_articles(visible_to=operator, limit=2)
    rest = knowledge.list_articles(visible_to=operator, before=first[-1])
    assert [each.title for each in [*first, *rest]] == ["Renamed", "Article 4", "Article 3", "Article 2", "Article 0"]
    assert knowledge.list_articles(visible_to=operator, status=ArticleStatus.PUBLISHED) == []


def test_deleting_an_article_takes_its_versions_along(article: Article, operator: Operator) -> None:
    knowledge.publish(article.id, by=operator)
    with transaction() as db:
        db.execute(delete(Article).where(Article.id == article.id))
    assert session().scalars(select(Revision)).all() == []

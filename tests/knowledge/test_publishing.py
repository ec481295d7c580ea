from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from flask_cairnloop import InvalidTransition, NotFound, Operator, knowledge, retrieval
from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.core import live
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import DraftMoved
from flask_cairnloop.knowledge import Article, ArticleStatus, Chunk, Revision, RevisionStatus, fingerprint, indexing
from flask_cairnloop.signals import article_restored, article_unarchived, article_unpublished

RunJobs = Callable[[], int]
WITHDRAWALS = [knowledge.unpublish, knowledge.archive_article]


@pytest.fixture
def article(app: Flask, operator: Operator) -> Article:
    made = knowledge.create_article("Ridge paths", by=operator)
    knowledge.save_draft(made.id, "Closed in strong wind.", by=operator)
    return knowledge.publish(made.id, by=operator)


def seen_now(article: Article, operator: Operator) -> str:
    return fingerprint(knowledge.newest_revision(article.id, visible_to=operator))


def chunks() -> int:
    return session().scalar(select(func.count()).select_from(Chunk)) or 0


def test_a_fingerprint_changes_with_the_version_and_with_the_words(article: Article, operator: Operator) -> None:
    assert fingerprint(None) == ""
    first = seen_now(article, operator)
    knowledge.save_draft(article.id, "Open again.", by=operator)
    second = seen_now(article, operator)
    knowledge.save_draft(article.id, "Closed in strong wind.", by=operator)
    assert len({first, second, seen_now(article, operator)}) == 3


def test_a_second_saver_is_told_and_shown_what_stands_there(
    article: Article, operator: Operator, second_operator: Operator
) -> None:
    seen = seen_now(article, operator)
    knowledge.save_draft(article.id, "Sam's words.", by=second_operator, seen=seen)
    with pytest.raises(DraftMoved) as refusal:
        knowledge.save_draft(article.id, "Ada's words.", by=operator, seen=seen)
    assert isinstance(refusal.value.record, Revision)
    assert refusal.value.record.content == "Sam's words."
    assert seen_now(article, operator) == fingerprint(refusal.value.record), "nothing was saved"
    knowledge.save_draft(article.id, "Ada's words.", by=operator, seen=fingerprint(refusal.value.record))


def test_saving_the_same_words_as_the_other_one_is_no_conflict(
    article: Article, operator: Operator, second_operator: Operator
) -> None:
    seen = seen_now(article, operator)
    theirs = knowledge.save_draft(article.id, "The same words.", by=second_operator, seen=seen)
    assert knowledge.save_draft(article.id, "The same words.", by=operator, seen=seen).id == theirs.id


def test_an_editor_opened_on_nothing_does_not_overwrite_a_first_draft(app: Flask, operator: Operator) -> None:
    made = knowledge.create_article("New", by=operator)
    knowledge.save_draft(made.id, "First.", by=operator, seen="")
    with pytest.raises(DraftMoved):
        knowledge.save_draft(made.id, "Second.", by=operator, seen="")


def test_an_old_version_comes_back_as_a_draft(article: Article, operator: Operator, app: Flask) -> None:
    knowledge.save_draft(article.id, "Open again.", by=operator)
    knowledge.publish(article.id, by=operator)
    heard: list[object] = []
    with article_restored.connected_to(lambda sender, metadata, **_: heard.append(metadata["version"]), sender=app):
        restored = knowledge.restore(article.id, 1, by=operator)
    assert (restored.version, restored.status, restored.content) == (3, RevisionStatus.DRAFT, "Closed in strong wind.")
    live_one = knowledge.live_revision(article.id, visible_to=operator)
    assert live_one is not None
    assert live_one.content == "Open again."
    assert heard == [1]


def test_restoring_over_a_draft_needs_its_fingerprint(
    article: Article, operator: Operator, second_operator: Operator
) -> None:
    knowledge.save_draft(article.id, "Sam's words.", by=second_operator)
    for blind in (None, "", "0" * 32):
        with pytest.raises(DraftMoved):
            knowledge.restore(article.id, 1, by=operator, seen=blind)
    restored = knowledge.restore(article.id, 1, by=operator, seen=seen_now(article, operator))
    assert (restored.version, restored.content) == (2, "Closed in strong wind.")


def test_restoring_what_there_is_none_of_is_refused(article: Article, operator: Operator) -> None:
    with pytest.raises(NotFound):
        knowledge.restore(article.id, 7, by=operator)


def test_throwing_a_draft_away_leaves_what_is_published(article: Article, operator: Operator) -> None:
    seen = seen_now(article, operator)
    knowledge.save_draft(article.id, "Nonsense.", by=operator)
    with pytest.raises(DraftMoved):
        knowledge.discard_draft(article.id, by=operator, seen=seen)
    knowledge.discard_draft(article.id, by=operator, seen=seen_now(article, operator))
    assert [each.version for each in knowledge.history(article.id, visible_to=operator)] == [1]
    with pytest.raises(InvalidTransition, match="no draft"):
        knowledge.discard_draft(article.id, by=operator)


@pytest.mark.parametrize("withdraw", WITHDRAWALS)
def test_what_is_withdrawn_is_forgotten_at_once_and_stays_as_a_draft(
    article: Article, operator: Operator, run_jobs: RunJobs, withdraw: Callable[..., Article]
) -> None:
    run_jobs()
    assert retrieval.search("strong wind", visible_to=operator)
    gone = withdraw(article.id, by=operator)
    assert (chunks(), retrieval.search("strong wind", visible_to=operator)) == (0, [])
    assert (gone.live_revision_id, gone.searchable_revision_id, gone.indexed_at) == (None, None, None)
    draft = knowledge.draft_revision(article.id, visible_to=operator)
    assert draft is not None
    assert (draft.version, draft.content, draft.author_id) == (2, "Closed in strong wind.", operator.id)


@pytest.mark.parametrize("withdraw", WITHDRAWALS)
def test_an_index_job_that_was_running_brings_nothing_back(
    article: Article, operator: Operator, run_jobs: RunJobs, withdraw: Callable[..., Article]
) -> None:
    assert article.live_revision_id is not None
    prepared = indexing.prepare(article.live_revision_id)
    assert prepared is not None
    withdraw(article.id, by=operator)
    with transaction():
        indexing.swap(prepared)
    run_jobs()
    assert chunks() == 0
    knowledge.archive_article(article.id, by=operator)
    knowledge.unarchive_article(article.id, by=operator)
    knowledge.publish(article.id, by=operator)
    with transaction():
        indexing.swap(prepared)
    assert chunks() == 0, "the words are the same, the revision is not"
    run_jobs()
    assert len(retrieval.search("strong wind", visible_to=operator)) == 1


def test_a_draft_that_stands_already_is_kept_when_the_article_is_withdrawn(
    article: Article, operator: Operator
) -> None:
    knowledge.save_draft(article.id, "Open again.", by=operator)
    knowledge.unpublish(article.id, by=operator)
    states = [(each.version, each.status, each.content) for each in knowledge.history(article.id, visible_to=operator)]
    assert states == [
        (2, RevisionStatus.DRAFT, "Open again."),
        (1, RevisionStatus.SUPERSEDED, "Closed in strong wind."),
    ]


def test_only_the_moves_there_are_can_be_made(article: Article, operator: Operator) -> None:
    with pytest.raises(InvalidTransition):
        knowledge.unarchive_article(article.id, by=operator)
    knowledge.unpublish(article.id, by=operator)
    with pytest.raises(InvalidTransition):
        knowledge.unpublish(article.id, by=operator)
    knowledge.archive_article(article.id, by=operator)
    with pytest.raises(InvalidTransition):
        knowledge.unpublish(article.id, by=operator)
    assert knowledge.unarchive_article(article.id, by=operator).status == ArticleStatus.DRAFT


def test_withdrawals_are_told_to_the_host_the_pages_and_the_audit_log(
    article: Article, operator: Operator, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []
    regions: list[object] = []
    monkeypatch.setattr(live, "publish", lambda changes: regions.append({key: set(changes[key]) for key in changes}))

    def hear(sender: object, metadata: dict[str, object], **_: object) -> None:
        heard.append(metadata)

    with (
        article_unpublished.connected_to(hear, sender=app),
        article_unarchived.connected_to(hear, sender=app),
    ):
        knowledge.unpublish(article.id, by=operator)
        knowledge.archive_article(article.id, by=operator)
        knowledge.unarchive_article(article.id, by=operator)
    assert heard == [{"article_id": article.id, "actor": operator}] * 2
    assert len(regions) == 3
    assert all("articles" in changes["tenant:"] for changes in regions)  # type: ignore[index]
    actions = session().scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions[-3:] == ["article.unpublish", "article.archive", "article.unarchive"]


def test_a_failure_inside_a_withdrawal_undoes_all_of_it(
    article: Article, operator: Operator, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_jobs()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("flask_cairnloop.audit.record", fail)
        with pytest.raises(RuntimeError):
            knowledge.unpublish(article.id, by=operator)
    assert retrieval.search("strong wind", visible_to=operator)
    assert len(knowledge.history(article.id, visible_to=operator)) == 1


def test_history_is_read_in_pages(article: Article, operator: Operator) -> None:
    for number in range(4):
        knowledge.save_draft(article.id, f"Edition {number}.", by=operator)
        knowledge.publish(article.id, by=operator)
    first = knowledge.history(article.id, visible_to=operator, limit=2)
    rest = knowledge.history(article.id, visible_to=operator, before=first[-1].version)
    assert [each.version for each in [*first, *rest]] == [5, 4, 3, 2, 1]
    assert knowledge.get_revision(article.id, 3, visible_to=operator).content == "Edition 1."


def test_a_stranger_reads_and_changes_no_version(article: Article) -> None:
    stranger = Operator(id="eve", name="Eve", tenant="elsewhere")
    for attempt in (knowledge.unpublish, knowledge.unarchive_article, knowledge.discard_draft):
        with pytest.raises(NotFound):
            attempt(article.id, by=stranger)
    with pytest.raises(NotFound):
        knowledge.restore(article.id, 1, by=stranger)
    with pytest.raises(NotFound):
        knowledge.get_revision(article.id, 1, visible_to=stranger)
    with pytest.raises(NotFound):
        knowledge.newest_revision(article.id, visible_to=stranger)


@pytest.mark.parametrize(("version", "status"), [(1, "superseded"), (8, "published"), (9, "draft")])
def test_the_database_itself_allows_one_of_each(
    article: Article, operator: Operator, version: int, status: str
) -> None:
    knowledge.save_draft(article.id, "Open again.", by=operator)
    insert = text(
        "INSERT INTO cairnloop.cairnloop_revisions"
        " (article_id, version, content, status, author_id, created_at, updated_at)"
        " VALUES (:article, :version, 'x', :status, 'eve', now(), now())"
    )
    with pytest.raises(IntegrityError, match="duplicate key"), transaction() as db:
        db.execute(insert, {"article": article.id, "version": version, "status": status})


def test_the_database_itself_allows_one_article_of_a_path_in_a_tenant(app: Flask) -> None:
    insert = text(
        "INSERT INTO cairnloop.cairnloop_articles (tenant, path, title, status, created_by, created_at, updated_at)"
        " VALUES (:tenant, 'a.md', 'x', 'draft', 'eve', now(), now())"
    )
    with transaction() as db:
        db.execute(insert, [{"tenant": "north"}, {"tenant": "south"}])
    with pytest.raises(IntegrityError, match="uq_cairnloop_articles_path"), transaction() as db:
        db.execute(insert, {"tenant": "north"})

"""A folder of Markdown files into the knowledge base: one article per file, known by its path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from flask_cairnloop.audit import AuditEvent
from flask_cairnloop.core.current import now
from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import CairnloopError
from flask_cairnloop.host.people import System
from flask_cairnloop.knowledge.articles import archive_article, record, rename_article, unarchive_article
from flask_cairnloop.knowledge.drafting import save_draft
from flask_cairnloop.knowledge.files import Page
from flask_cairnloop.knowledge.folders import Found, find_files, read_page
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Revision, RevisionStatus
from flask_cairnloop.knowledge.publishing import publish
from flask_cairnloop.knowledge.queries import latest_revision, lock

IMPORTER = "import"  #: The id under which an import writes.
TITLED = ("article.create", "article.rename")
STANDING = ("article.publish", "article.unpublish", "article.archive", "article.unarchive")


class Fate(StrEnum):
    """What became of a file, or of an article whose file is gone."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"  #: Changed in the desk since; left alone.
    FAILED = "failed"
    MISSING = "missing"  #: An article whose file is gone.
    ARCHIVED = "archived"


@dataclass(frozen=True)
class Outcome:
    """What became of one path, and why."""

    path: str
    fate: Fate
    reason: str = ""


@dataclass(frozen=True)
class Import:
    """How a folder is brought in, for which tenant."""

    folder: Path
    tenant: str = ""
    #: Publish what is new or changed, instead of leaving it as a draft.
    publishing: bool = True
    #: Archive the articles whose files are gone.
    pruning: bool = False
    #: Let the file's words win over those an operator wrote.
    forced: bool = False
    #: Change nothing; say what would happen.
    rehearsing: bool = False

    @property
    def actor(self) -> System:
        """Who writes: the desk itself, named for what it does."""
        return System(id=IMPORTER, name="Import", tenant=self.tenant)

    def files(self) -> list[Found]:
        """The files to bring in, by path. Raises ``OSError`` where a folder cannot be read."""
        return find_files(self.folder)

    def bring(self, found: Found) -> Outcome:
        """Bring one file in, in a transaction of its own. A file that cannot be taken is an outcome, no error."""
        try:
            page = read_page(self.folder, found)
            with transaction():
                return self._settle(page)
        except CairnloopError as refusal:
            return Outcome(found.path, Fate.FAILED, str(refusal))
        except OSError as failure:
            return Outcome(found.path, Fate.FAILED, failure.strerror or "cannot be read")

    def missing(self, present: list[Found]) -> Iterator[Outcome]:
        """What becomes of the articles that were imported once and whose files are gone."""
        paths = {found.path for found in present}
        query = select(Article.id, Article.path).where(
            Article.tenant == self.tenant, Article.path.is_not(None), Article.status != ArticleStatus.ARCHIVED
        )
        with transaction() as db:
            gone = [(row.id, row.path) for row in db.execute(query.order_by(Article.path)) if row.path not in paths]
        for article_id, path in gone:
            yield self._miss(article_id, path)

    def _settle(self, page: Page) -> Outcome:
        article_id = self._find(page.path)
        if article_id is None and self.rehearsing:
            return Outcome(page.path, Fate.ADDED)
        added = self._begin(page) if article_id is None else None
        article = lock(added or article_id or self._find(page.path) or 0, by=self.actor)
        newest = latest_revision(article.id)
        if newest is None:
            return self._write(article, page, Fate.ADDED if added else Fate.CHANGED, publishing=self.publishing)
        refusal = self._refusal(article, newest, page)
        if refusal is not None:
            return Outcome(page.path, *refusal)
        titled = page.title != article.title and (self.forced or self._last_was_ours(article, *TITLED))
        publishing = self.publishing and (self.forced or not self._was_taken_back(article))
        worded = page.content != newest.content
        waiting = newest.status == RevisionStatus.DRAFT and publishing and (self.forced or self._wrote(newest))
        if not (titled or worded or waiting):
            return Outcome(page.path, Fate.UNCHANGED)
        return self._write(article, page, Fate.CHANGED, publishing=publishing, titled=titled)

    def _refusal(self, article: Article, newest: Revision, page: Page) -> tuple[Fate, str] | None:
        """Why the article is left alone: nothing new in the file, or something an operator did."""
        if self.forced:
            return None
        is_old = page.content == _last_imported(article, self.actor)
        if article.status == ArticleStatus.ARCHIVED and not self._last_was_ours(article, "article.archive"):
            return Fate.UNCHANGED if is_old else Fate.CONFLICT, "the article was archived in the desk"
        if page.content == newest.content or self._wrote(newest):
            return None
        if is_old:
            return Fate.UNCHANGED, "the words in the desk are newer"
        return Fate.CONFLICT, f"{newest.author_name or newest.author_id} changed the words in the desk"

    def _write(self, article: Article, page: Page, fate: Fate, *, publishing: bool, titled: bool = False) -> Outcome:
        if not self.rehearsing:
            if article.status == ArticleStatus.ARCHIVED:
                unarchive_article(article.id, by=self.actor)
            if titled:
                rename_article(article.id, page.title, by=self.actor)
            saved = save_draft(article.id, page.content, by=self.actor)
            if publishing and saved.status == RevisionStatus.DRAFT:
                publish(article.id, by=self.actor)
        return Outcome(page.path, fate, "" if publishing else "as a draft")

    def _find(self, path: str) -> int | None:
        return session().scalar(select(Article.id).where(Article.tenant == self.tenant, Article.path == path))

    def _begin(self, page: Page) -> int | None:
        """Begin the article; None where another import began it in the same moment."""
        row: dict[str, object] = {
            "tenant": self.tenant,
            "path": page.path,
            "title": page.title,
            "created_by": self.actor.id,
        }
        row |= {"status": ArticleStatus.DRAFT, "created_at": now(), "updated_at": now()}
        made = session().scalar(insert(Article).values(row).on_conflict_do_nothing().returning(Article.id))
        if made is not None:
            record("article.create", lock(made, by=self.actor), self.actor)
        return made

    def _miss(self, article_id: int, path: str) -> Outcome:
        if not self.pruning:
            return Outcome(path, Fate.MISSING)
        with transaction():
            article = lock(article_id, by=self.actor)
            newest = latest_revision(article_id)
            if newest is not None and not self._wrote(newest) and not self.forced:
                return Outcome(path, Fate.CONFLICT, "its file is gone, and its words were changed in the desk")
            if not self.rehearsing:
                archive_article(article.id, by=self.actor)
            return Outcome(path, Fate.ARCHIVED)

    def _wrote(self, revision: Revision) -> bool:
        return revision.author_id == self.actor.id

    def _was_taken_back(self, article: Article) -> bool:
        """Whether an operator decided that it is not to be read."""
        return article.status != ArticleStatus.PUBLISHED and not self._last_was_ours(article, *STANDING)

    def _last_was_ours(self, article: Article, *actions: str) -> bool:
        """Whether the last of these things done to the article was done by an import; the audit log knows."""
        query = select(AuditEvent.actor_id, AuditEvent.actor_kind).where(
            AuditEvent.tenant == article.tenant,
            AuditEvent.subject == "article",
            AuditEvent.subject_id == article.id,
            AuditEvent.action.in_(actions),
        )
        last = session().execute(query.order_by(AuditEvent.id.desc()).limit(1)).one_or_none()
        return last is None or (last.actor_kind, last.actor_id) == (self.actor.kind, self.actor.id)


def _last_imported(article: Article, by: System) -> str | None:
    """The words of the newest version an import wrote."""
    query = select(Revision.content).where(Revision.article_id == article.id, Revision.author_id == by.id)
    return session().scalar(query.order_by(Revision.version.desc()).limit(1))

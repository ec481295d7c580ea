"""The published articles as a folder of Markdown files, which an import reads back without changing anything."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Select, func, select

from flask_cairnloop.core.database import session, transaction
from flask_cairnloop.core.errors import CairnloopError, InvalidInput
from flask_cairnloop.host.people import System
from flask_cairnloop.knowledge.articles import record
from flask_cairnloop.knowledge.files import compose, parse
from flask_cairnloop.knowledge.folders import LARGEST, check_path, lies_in
from flask_cairnloop.knowledge.models import Article, ArticleStatus, Revision
from flask_cairnloop.knowledge.queries import lock

BATCH = 100  # articles looked up at once
SLUG_LENGTH = 60


class Written(StrEnum):
    """What became of an article's file."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"  #: Something else stands there; left alone.
    FAILED = "failed"


@dataclass(frozen=True)
class Exported:
    """One article's file, and why it was not written."""

    path: str
    fate: Written
    reason: str = ""


@dataclass(frozen=True)
class Export:
    """Where published articles are written to, of which tenant."""

    folder: Path
    tenant: str = ""
    #: Overwrite files that hold none of the article's versions.
    forced: bool = False

    def count(self) -> int:
        """How many articles there are to write."""
        with transaction() as db:
            return db.scalar(select(func.count()).select_from(self._published().subquery())) or 0

    def run(self) -> Iterator[Exported]:
        """Write one article after the other, each as it is in that moment."""
        last = 0
        while True:
            with transaction() as db:
                query = self._published().where(Article.id > last).order_by(Article.id).limit(BATCH)
                batch = db.scalars(query).all()
            yield from (self._export(article_id) for article_id in batch)
            if len(batch) < BATCH:
                return
            last = batch[-1]

    def _published(self) -> Select[int]:
        return select(Article.id).where(Article.tenant == self.tenant, Article.status == ArticleStatus.PUBLISHED)

    def _export(self, article_id: int) -> Exported:
        path = str(article_id)
        try:
            with transaction() as db:
                article = lock(article_id, by=System(tenant=self.tenant))
                live = db.get(Revision, article.live_revision_id, populate_existing=True)
                path = article.path or _named(article)
                if live is None:
                    return Exported(path, Written.UNCHANGED, "no longer published")
                fate = self._write(article, path, compose(article.title, live.content, path=path))
                if article.path is None and fate != Written.FOREIGN:
                    article.path = path
                    record("article.export", article, System(tenant=self.tenant))
        except CairnloopError as refusal:
            return Exported(path, Written.FAILED, str(refusal))
        except OSError as failure:
            return Exported(path, Written.FAILED, failure.strerror or "cannot be written")
        return Exported(path, fate, "another file stands there" if fate == Written.FOREIGN else "")

    def _write(self, article: Article, path: str, text: str) -> Written:
        target = self.folder / check_path(path)
        if not lies_in(self.folder, target.parent):
            raise InvalidInput({"path": "leads out of the folder"})
        if target.is_symlink() or target.exists():
            if not target.is_symlink() and target.is_file() and _text(target) == text:
                return Written.UNCHANGED
            if not self.forced and not _is_ours(article, path, target):
                return Written.FOREIGN
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, text)
        return Written.WRITTEN


def _named(article: Article) -> str:
    """A file name for an article that came from none: its title in plain letters, and its id."""
    plain = unicodedata.normalize("NFKD", article.title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-")
    return f"{slug or 'article'}-{article.id}.md"


def _text(target: Path) -> str | None:
    with target.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    return None


def _is_ours(article: Article, path: str, target: Path) -> bool:
    """Whether the file holds a version of this article, so that overwriting it loses nothing."""
    text = None if target.is_symlink() or not target.is_file() else _text(target)
    if text is None:
        return False
    try:
        content = parse(path, text).content
    except InvalidInput:
        return False
    kept = select(Revision.id).where(Revision.article_id == article.id, Revision.content == content)
    return session().scalar(kept.limit(1)) is not None


def _replace(target: Path, text: str) -> None:
    """Put the whole file there at once, so that nobody reads half of it."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".cairnloop-")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(text.encode())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

"""GET /knowledge-base/7/history: every version of an article, and what each changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import knowledge
from flask_cairnloop.core.errors import DraftMoved
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.articles import load
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.htmx import region
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.knowledge import Article, Revision

SIZE = 50  # rows of a page


@dataclass(frozen=True)
class Comparison:
    """One version beside the one it is compared with; ``other`` is None where there is nothing to compare."""

    article: Article
    revision: Revision
    other: Revision | None
    live: Revision | None
    #: The draft that restoring this version would replace.
    draft: Revision | None
    changes: Sequence[knowledge.Change]
    #: Whether the address named what to compare with.
    is_asked_for: bool

    @property
    def can_be_restored(self) -> bool:
        """Whether its words are not those of the newest version already."""
        newest = self.draft or self.live
        return newest is None or newest.id != self.revision.id


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/knowledge-base/<int:article_id>/history")(revisions)
    blueprint.get("/knowledge-base/<int:article_id>/history/list")(revisions_list)
    blueprint.get("/knowledge-base/<int:article_id>/history/<int:version>")(revision)
    blueprint.post("/knowledge-base/<int:article_id>/history/<int:version>/restoration")(restore_revision)


def revisions(article_id: int) -> Response:
    """The versions, newest first."""
    return page("revisions/index.html", section="knowledge", **_listing(load(article_id)))


def revisions_list(article_id: int) -> Response:
    """The list alone."""
    return region("revisions", "revisions/_list.html", **_listing(load(article_id)))


def revision(article_id: int, version: int) -> Response:
    """One version and what it changed; ``?with=live`` or ``?with=3`` compares it with another."""
    return _show(load(article_id), version)


def restore_revision(article_id: int, version: int) -> Response:
    """Make an old version's words the draft. Where a draft stands, the form says which one it may replace."""
    article = load(article_id)
    try:
        knowledge.restore(article.id, version, by=current_operator(), seen=request.form.get("seen", ""))
    except DraftMoved as moved:
        return _show(load(article_id), version, notice=str(moved), status=409)
    return redirect(url_for(".edit_article", article_id=article_id), 303)


def _listing(article: Article) -> dict[str, Any]:
    before = whole(request.args, "before")
    found = knowledge.history(article.id, visible_to=current_operator(), before=before, limit=SIZE + 1)
    following = found[SIZE - 1].version if len(found) > SIZE else None
    return {"article": article, "revisions": found[:SIZE], "following": following, "before": before}


def _show(article: Article, version: int, *, notice: str = "", status: int = 200) -> Response:
    compared = _compared(article, version)
    newest = knowledge.newest_revision(article.id, visible_to=current_operator())
    return page(
        "revisions/show.html",
        section="knowledge",
        status=status,
        compared=compared,
        article=article,
        notice=notice,
        fingerprint=knowledge.fingerprint(newest),
    )


def _compared(article: Article, version: int) -> Comparison:
    operator = current_operator()
    shown = knowledge.get_revision(article.id, version, visible_to=operator)
    live = knowledge.live_revision(article.id, visible_to=operator)
    other = _other(article, shown, live)
    changes = knowledge.compare(other.content if other is not None else "", shown.content)
    draft = knowledge.draft_revision(article.id, visible_to=operator)
    return Comparison(article, shown, other, live, draft, changes, "with" in request.args)


def _other(article: Article, shown: Revision, live: Revision | None) -> Revision | None:
    """What the address wants it compared with: the version before, unless it names another."""
    if request.args.get("with") == "live":
        if live is not None and live.id != shown.id:
            return live
    elif (wanted := whole(request.args, "with")) is not None:
        return knowledge.get_revision(article.id, wanted, visible_to=current_operator())
    earlier = knowledge.history(article.id, visible_to=current_operator(), before=shown.version, limit=1)
    return earlier[0] if earlier else None

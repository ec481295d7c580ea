"""GET /knowledge-base: the articles answers may stand on, and what can be done with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import knowledge
from flask_cairnloop.core.errors import InvalidTransition
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.forms import member, whole
from flask_cairnloop.dashboard.freshness import Standing, beside_newest, freshness_of
from flask_cairnloop.dashboard.htmx import region, settled, wants_region
from flask_cairnloop.dashboard.pages import page, readable
from flask_cairnloop.knowledge import Article, ArticleStatus
from flask_cairnloop.knowledge.overview import count_by_status

SIZE = 50  # rows of a page
Change = Callable[..., object]


@dataclass(frozen=True)
class Shelf:
    """One page of the list, as an address asks for it."""

    rows: list[Standing]
    status: ArticleStatus | None
    #: The article the page begins after.
    before: int | None
    #: The article the next page begins after; None on the last one.
    following: int | None
    counts: dict[ArticleStatus, int] | None

    @property
    def total(self) -> int | None:
        """How many articles there are of any status; None where that could not be read."""
        return sum(self.counts.values()) if self.counts is not None else None

    def count(self, status: ArticleStatus) -> int | None:
        """How many articles stand there; None where that could not be read."""
        return self.counts[status] if self.counts is not None else None


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/knowledge-base")(articles)
    blueprint.get("/knowledge-base/list")(articles_list)
    blueprint.get("/knowledge-base/<int:article_id>")(article)
    blueprint.get("/knowledge-base/<int:article_id>/standing")(article_standing)
    blueprint.post("/knowledge-base/<int:article_id>/publication")(publish_article)
    blueprint.post("/knowledge-base/<int:article_id>/withdrawal")(unpublish_article)
    blueprint.post("/knowledge-base/<int:article_id>/archival")(archive_article)
    blueprint.post("/knowledge-base/<int:article_id>/return")(bring_back_article)


def articles() -> Response:
    """The articles, most recently changed first."""
    return page("articles/index.html", section="knowledge", shelf=_shelf(), statuses=list(ArticleStatus))


def articles_list() -> Response:
    """The list alone."""
    return region("articles", "articles/_list.html", shelf=_shelf(), statuses=list(ArticleStatus))


def article(article_id: int) -> Response:
    """One article as customers' answers quote it: its live version, else the one being written."""
    return show(load(article_id))


def article_standing(article_id: int) -> Response:
    """The article as it stands now."""
    return _region(load(article_id))


def publish_article(article_id: int) -> Response:
    """Let answers quote what has been written."""
    return _change(article_id, knowledge.publish)


def unpublish_article(article_id: int) -> Response:
    """Take it back: answers no longer quote it."""
    return _change(article_id, knowledge.unpublish)


def archive_article(article_id: int) -> Response:
    """Put it away."""
    return _change(article_id, knowledge.archive_article)


def bring_back_article(article_id: int) -> Response:
    """Take an article out of the archive, as a draft."""
    return _change(article_id, knowledge.unarchive_article)


def load(article_id: int) -> Article:
    """One article, as far as the operator may see it."""
    return knowledge.get_article(article_id, visible_to=current_operator())


def show(found: Article, *, notice: str = "", status: int = 200) -> Response:
    """The article's screen, with what is to be said after a refusal."""
    return page("articles/show.html", section="knowledge", status=status, **_context(found, notice))


def _shelf() -> Shelf:
    operator = current_operator()
    status = member(ArticleStatus, request.args, "status")
    before = whole(request.args, "before")
    last = knowledge.get_article(before, visible_to=operator) if before else None
    found = knowledge.list_articles(visible_to=operator, status=status, before=last, limit=SIZE + 1)
    following = found[SIZE - 1].id if len(found) > SIZE else None
    counts = readable(lambda: count_by_status(visible_to=operator))
    return Shelf(beside_newest(found[:SIZE]), status, before, following, counts)


def _change(article_id: int, change: Change) -> Response:
    found = load(article_id)
    try:
        change(found.id, by=current_operator())
    except InvalidTransition as refusal:
        return _refused(article_id, str(refusal))
    return settled(lambda: _region(load(article_id)), back_to=url_for(".article", article_id=article_id))


def _refused(article_id: int, notice: str) -> Response:
    if wants_region():
        return _region(load(article_id), notice=notice, status=409)
    return show(load(article_id), notice=notice, status=409)


def _region(found: Article, *, notice: str = "", status: int = 200) -> Response:
    return region("article", "articles/_article.html", status=status, **_context(found, notice))


def _context(found: Article, notice: str) -> dict[str, Any]:
    operator = current_operator()
    return {
        "article": found,
        "published": knowledge.live_revision(found.id, visible_to=operator),
        "draft": knowledge.draft_revision(found.id, visible_to=operator),
        "freshness": freshness_of(found),
        "notice": notice,
    }

"""GET /knowledge-base: what answers may stand on."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from flask_cairnloop import knowledge
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.forms import member, whole
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.knowledge import ArticleStatus

SIZE = 50  # rows of a page


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/knowledge-base")(articles)
    blueprint.get("/knowledge-base/<int:article_id>")(article)


def articles() -> Response:
    """The articles, most recently changed first."""
    operator = current_operator()
    status = member(ArticleStatus, request.args, "status")
    before = whole(request.args, "before")
    last = knowledge.get_article(before, visible_to=operator) if before else None
    found = knowledge.list_articles(visible_to=operator, status=status, before=last, limit=SIZE + 1)
    return page(
        "articles/index.html",
        section="knowledge",
        articles=found[:SIZE],
        following=found[SIZE - 1].id if len(found) > SIZE else None,
        status_chosen=status,
        statuses=list(ArticleStatus),
    )


def article(article_id: int) -> Response:
    """One article as customers' answers quote it: its live version, else the one being written."""
    operator = current_operator()
    found = knowledge.get_article(article_id, visible_to=operator)
    revision = knowledge.live_revision(article_id, visible_to=operator) or knowledge.draft_revision(
        article_id, visible_to=operator
    )
    return page("articles/show.html", section="knowledge", article=found, revision=revision)

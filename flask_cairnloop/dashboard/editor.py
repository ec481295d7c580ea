"""GET /knowledge-base/7/edit: writing an article, with what it will look like beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from flask_cairnloop import knowledge
from flask_cairnloop.core.errors import DraftMoved, InvalidInput
from flask_cairnloop.dashboard.access import current_operator
from flask_cairnloop.dashboard.articles import load
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.dashboard.gaps import find_gap, passages_of, title_for
from flask_cairnloop.dashboard.htmx import nothing, region, wants_region
from flask_cairnloop.dashboard.pages import page
from flask_cairnloop.dashboard.writing import Written, keep
from flask_cairnloop.knowledge import Article, Revision
from flask_cairnloop.retrieval import GapEvent

#: Bytes of a form: the longest article with every sign of it escaped.
LARGEST_FORM = 3_000_000
LONGEST_PREVIEW = 200_000  # characters


@dataclass(frozen=True)
class Sheet:
    """The editor as the page shows it."""

    written: Written
    article: Article | None = None
    #: The newest version there is.
    newest: Revision | None = None
    gap: GapEvent | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    #: What somebody else saved while these words were being written, and how they differ from these.
    theirs: Revision | None = None
    changes: Sequence[knowledge.Change] = ()
    saved: bool = False
    previewing: bool = False

    @property
    def address(self) -> str:
        """Where this editor stands, and where its form goes."""
        gap = self.gap.id if self.gap else None
        if self.article is None:
            return url_for(".new_article", gap=gap)
        return url_for(".edit_article", article_id=self.article.id, gap=gap)

    @property
    def passages(self) -> list[dict[str, Any]]:
        """What came nearest to the question of its gap."""
        return passages_of(self.gap) if self.gap is not None else []

    @property
    def preview_address(self) -> str:
        """Where its words are shown as readers will see them."""
        return url_for(".preview_article", article_id=self.article.id if self.article else None)


def attach(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.get("/knowledge-base/new")(new_article)
    blueprint.post("/knowledge-base/new")(create_article)
    blueprint.post("/knowledge-base/preview", endpoint="preview_article")(preview)
    blueprint.post("/knowledge-base/<int:article_id>/preview", endpoint="preview_article")(preview)
    blueprint.get("/knowledge-base/<int:article_id>/edit")(edit_article)
    blueprint.post("/knowledge-base/<int:article_id>/edit")(save_article)
    blueprint.get("/knowledge-base/<int:article_id>/edit/news")(editor_news)
    blueprint.post("/knowledge-base/<int:article_id>/draft/discard")(discard_article_draft)


def new_article() -> Response:
    """An empty sheet; ``?gap=7`` puts that question and its evidence beside it."""
    gap = _gap(whole(request.args, "gap"))
    return _screen(Sheet(Written(title=title_for(gap) if gap else ""), gap=gap))


def edit_article(article_id: int) -> Response:
    """The newest version, to be changed."""
    return _screen(_opened(load(article_id), _gap(whole(request.args, "gap"))))


def create_article() -> Response:
    """Keep a new article."""
    return _keep(None)


def save_article(article_id: int) -> Response:
    """Keep what was written as the draft, and publish it where that was asked for."""
    return _keep(load(article_id))


def preview(article_id: int | None = None) -> Response:
    """What was written, as readers will see it. Nothing is kept."""
    article = load(article_id) if article_id is not None else None
    sheet = _posted(article)
    if wants_region():
        return region("preview", "editor/_preview.html", sheet=sheet, too_long=_is_too_long(sheet))
    return _screen(replace(sheet, previewing=True))


def editor_news(article_id: int) -> Response:
    """Whether somebody else has saved the article since it was opened here."""
    article = load(article_id)
    seen = request.args.get("seen", "")
    newest = knowledge.newest_revision(article_id, visible_to=current_operator())
    moved = newest if knowledge.fingerprint(newest) != seen else None
    return region("editor-news", "editor/_news.html", article=article, seen=seen, moved=moved)


def discard_article_draft(article_id: int) -> Response:
    """Throw the draft away; the live version stays."""
    article = load(article_id)
    knowledge.discard_draft(article.id, by=current_operator(), seen=request.form.get("seen") or None)
    return redirect(url_for(".article", article_id=article.id), 303)


def _keep(article: Article | None) -> Response:
    sheet = _posted(article)
    try:
        kept = keep(sheet.written, article, by=current_operator())
    except DraftMoved as moved:
        return _answer(_moved(sheet, moved), status=409)
    except InvalidInput as refusal:
        return _answer(replace(sheet, errors=refusal.errors), status=422)
    if sheet.written.publishing:
        return _gone_to(url_for(".article", article_id=kept.id))
    saved = replace(_opened(kept, sheet.gap), saved=True)
    if not wants_region():
        return redirect(saved.address, 303)
    response = _answer(saved)
    if article is None:
        response.headers["HX-Replace-Url"] = saved.address
    return response


def _posted(article: Article | None) -> Sheet:
    request.max_form_memory_size = LARGEST_FORM
    written = Written.read(request.form)
    newest = knowledge.newest_revision(article.id, visible_to=current_operator()) if article is not None else None
    return Sheet(written, article, newest, _gap(written.gap_id))


def _opened(article: Article, gap: GapEvent | None) -> Sheet:
    newest = knowledge.newest_revision(article.id, visible_to=current_operator())
    content = newest.content if newest is not None else ""
    seen = knowledge.fingerprint(newest)
    return Sheet(Written(article.title, content, seen, article.title), article, newest, gap)


def _moved(sheet: Sheet, moved: DraftMoved) -> Sheet:
    theirs = moved.record if isinstance(moved.record, Revision) else None
    before = theirs.content if theirs is not None else ""
    return replace(sheet, newest=theirs, theirs=theirs, changes=knowledge.compare(before, sheet.written.content))


def _answer(sheet: Sheet, *, status: int = 200) -> Response:
    if wants_region():
        return region("editor", "editor/_editor.html", changed=("editor-news",), status=status, **_context(sheet))
    return _screen(sheet, status=status)


def _screen(sheet: Sheet, *, status: int = 200) -> Response:
    return page("editor/show.html", section="knowledge", status=status, **_context(sheet))


def _context(sheet: Sheet) -> dict[str, Any]:
    return {"sheet": sheet, "too_long": _is_too_long(sheet), "fingerprint": knowledge.fingerprint(sheet.newest)}


def _gone_to(address: str) -> Response:
    """Leave the editor: a page that swaps regions is told to, any other is sent."""
    if not wants_region():
        return redirect(address, 303)
    response = nothing("editor")
    response.headers["HX-Redirect"] = address
    return response


def _is_too_long(sheet: Sheet) -> bool:
    return len(sheet.written.content) > LONGEST_PREVIEW


def _gap(gap_id: int | None) -> GapEvent | None:
    return find_gap(gap_id) if gap_id is not None else None

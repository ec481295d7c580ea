"""What an editor holds, and saving it: title and words together, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_cairnloop import knowledge
from flask_cairnloop.core.database import transaction
from flask_cairnloop.core.errors import InvalidInput
from flask_cairnloop.dashboard.forms import whole
from flask_cairnloop.host.people import Operator
from flask_cairnloop.knowledge import Article, RevisionStatus


@dataclass(frozen=True)
class Written:
    """The editor's form."""

    title: str = ""
    content: str = ""
    #: The fingerprint of the newest version the writer had before them; empty where there was none.
    seen: str = ""
    #: The title the writer had before them.
    seen_title: str = ""
    gap_id: int | None = None
    publishing: bool = False

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> Written:
        """Read the form. ``over`` names the version of somebody else that is to be saved over."""
        return cls(
            title=posted.get("title", ""),
            content=posted.get("content", ""),
            seen=posted.get("over") or posted.get("seen", ""),
            seen_title=posted.get("seen_title", ""),
            gap_id=whole(posted, "gap"),
            publishing=posted.get("act") == "publish",
        )


def keep(written: Written, article: Article | None, *, by: Operator) -> Article:
    """Save it as the draft of ``article``, or of a new one, and publish it where that was asked for.

    Raises ``DraftMoved`` where somebody else has saved other words meanwhile, ``InvalidInput`` for what cannot be kept.
    """
    with transaction():
        if article is None:
            article = knowledge.create_article(written.title, by=by)
        else:
            _rename(written, article, by=by)
        if written.content.strip() or written.publishing or written.seen:
            saved = knowledge.save_draft(article.id, written.content, by=by, seen=written.seen)
            if written.publishing and saved.status == RevisionStatus.DRAFT:
                knowledge.publish(article.id, by=by)
    return article


def _rename(written: Written, article: Article, *, by: Operator) -> None:
    """A title this writer left alone stays as it is, also where somebody else has changed it."""
    title = " ".join(written.title.split())
    if title in {written.seen_title, article.title}:
        return
    if article.title != written.seen_title:
        raise InvalidInput({"title": f"was changed to “{article.title}” meanwhile; save again to have yours"})
    knowledge.rename_article(article.id, title, by=by)

"""Six articles: five published, one of them in its second edition, and one still being written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from example_app.seeding.memory import OPERATORS, once
from flask_cairnloop import knowledge
from flask_cairnloop.core import current

FOLDER = Path(__file__).parents[1] / "content" / "articles"


@dataclass(frozen=True)
class Page:
    """An article and its history: the texts in order, each published that many days ago."""

    key: str
    title: str
    author: str
    editions: tuple[tuple[str, float], ...]
    published: bool = True


PAGES = (
    Page("reset-an-api-key", "Reset an API key without downtime", "ada", (("reset-an-api-key", 64),)),
    Page("billing-email", "Change the billing e-mail address", "sam", (("billing-email", 51),)),
    Page("add-a-seat", "Add or remove seats", "ada", (("add-a-seat", 43),)),
    Page("skipped-runs", "Why a CI run was skipped", "sam", (("skipped-runs", 30),)),
    Page(
        "token-rotation",
        "Deploy tokens: expiry and rotation",
        "sam",
        (("token-rotation.first", 72), ("token-rotation", 8)),
    ),
    Page("failed-payments", "When a payment fails", "ada", (("failed-payments", 2),), published=False),
)


def seed_articles(now: datetime) -> int:
    """Tell the desk every article it does not have; how many those were."""
    return sum(_seed(page, now) for page in PAGES)


def _seed(page: Page, now: datetime) -> bool:
    by = OPERATORS[page.author]
    return once(
        f"article:{page.key}",
        exists=partial(knowledge.get_article, visible_to=by),
        tell=partial(_tell, page, now),
        at=now - timedelta(days=page.editions[0][1]),
    )


def _tell(page: Page, now: datetime) -> int:
    by = OPERATORS[page.author]
    article = knowledge.create_article(page.title, by=by)
    for name, days in page.editions:
        with current.at(now - timedelta(days=days)):
            knowledge.save_draft(article.id, (FOLDER / f"{name}.md").read_text(), by=by)
            if page.published:
                knowledge.publish(article.id, by=by)
    return article.id

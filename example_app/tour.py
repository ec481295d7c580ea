"""The guided walk: one stop for every stage of a support day that the desk has today."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for
from sqlalchemy import select

from example_app.database import db
from example_app.models import Seeded
from flask_cairnloop.core.current import settings

GUEST = "mina"  #: The customer of the front door: her chat begins empty.
HOST = "ada"


@dataclass(frozen=True)
class Stop:
    """One stage: what happens there, what to try, and who to be."""

    title: str
    text: str
    try_this: str
    username: str
    button: str
    #: The seeded conversation it opens; None for a page.
    conversation: str | None = None
    page: str = ""

    def url(self, ids: dict[str, int]) -> str | None:
        """Where it leads, or None while there is no seed data."""
        if self.username == GUEST:
            return url_for("pages.chat")
        if self.conversation is None:
            return desk_url(self.page)
        found = ids.get(self.conversation)
        return desk_url(f"/{found}") if found else None


STOPS = (
    Stop(
        title="A customer asks",
        text="Mina opens the chat on Trailmark's own site. What she writes is a row in Trailmark's database before her "
        "screen says “sent”; a closed laptop or a dead connection loses nothing.",
        try_this="Ask: “How do I add a sixth teammate to our workspace?”",
        username=GUEST,
        button="Chat as Mina",
    ),
    Stop(
        title="The inbox sees it",
        text="Ada's inbox shows who waits, for what, and who spoke last. Two dozen other conversations are already in "
        "it, from brand new to resolved.",
        try_this="Keep it open beside the chat: a new message moves its row without a reload.",
        username=HOST,
        button="Open the inbox",
        page="/inbox",
    ),
    Stop(
        title="The whole story on one screen",
        text="Priya's hotfix is stuck behind skipped runs. The thread, Sam's private note and what Trailmark knows "
        "about her pipelines stand side by side.",
        try_this="Read the note only the team can see, and the customer rail built from Trailmark's own tables.",
        username=HOST,
        button="Open Priya's thread",
        conversation="skipped-hotfix",
    ),
    Stop(
        title="Approve a draft",
        text="Tom asks how to rotate a token without breaking deploys. A reply is waiting, every sentence with the "
        "article it comes from. Nothing is sent until somebody approves it.",
        try_this="Check the sources, then approve. Or edit it first; or discard it.",
        username=HOST,
        button="Read the draft",
        conversation="token-before-expiry",
    ),
    Stop(
        title="See a bluff caught",
        text="This reply promises Priya a credit that no article speaks of. Whoever composed it, every sentence is "
        "held against its sources: the promise is marked, and nobody can send it with one click.",
        try_this="Edit it: take the marked sentence out, send the rest. Or discard it, and find it again below.",
        username=HOST,
        button="Read the doubted draft",
        conversation="skipped-goodwill",
    ),
    Stop(
        title="A customer asks for a person",
        text="Jonas pressed “Talk to a person” in his chat. From then on nothing is sent to him automatically, "
        "whatever the policy says; drafts are still prepared for the team.",
        try_this="Read the draft, answer him yourself, and let drafts be sent automatically again when it fits.",
        username=HOST,
        button="Open Jonas's request",
        conversation="contract-person",
    ),
    Stop(
        title="Approve an action",
        text="Riya was charged twice. Sam asked Trailmark to pay one charge back; it waits for somebody who may "
        "approve refunds and is not Sam. A worker then runs it, once, whatever happens to the worker.",
        try_this="Read what will happen, approve it, and watch it complete in her thread. The Audit page tells it all.",
        username=HOST,
        button="Open the approvals",
        page="/approvals",
    ),
    Stop(
        title="Resolve",
        text="Jonas has his answer and says so. Resolving records who closed the conversation and when; if he writes "
        "again within a week, it opens again by itself.",
        try_this="Resolve it, and find it under Resolved in the inbox.",
        username=HOST,
        button="Open Jonas's thread",
        conversation="billing-role-thanks",
    ),
)


@dataclass(frozen=True)
class Marked:
    """A stop with its number and its address."""

    number: int
    stop: Stop
    url: str | None


def stops() -> list[Marked]:
    """Every stop in order."""
    rows = db.session.execute(select(Seeded.key, Seeded.record_id).where(Seeded.key.startswith("conversation:")))
    ids = {key.removeprefix("conversation:"): record_id for key, record_id in rows}
    return [Marked(number, stop, stop.url(ids)) for number, stop in enumerate(STOPS, 1)]


def desk_url(page: str = "") -> str:
    """A page of the support desk."""
    return request.root_path + settings.url_prefix + (page or "/")

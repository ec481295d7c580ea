"""Threads and drafts for the screens, and what a page sends when it asks for a piece of itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from jinja2 import StrictUndefined
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from flask_cairnloop import Cairnloop, Customer, Operator, conversations, knowledge
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core.database import transaction
from flask_cairnloop.drafts import Draft
from flask_cairnloop.host.automation_policy import Decision
from flask_cairnloop.host.draft_generator import DraftKind
from flask_cairnloop.knowledge import Article
from flask_cairnloop.retrieval import GroundingLevel
from tests.support.hosts import HeaderResolver, close

Host = Callable[..., Flask]
HTMX = {"HX-Request": "true"}
Ask = Callable[..., Conversation]
Propose = Callable[..., Draft]
Open = Callable[..., Page]


@pytest.fixture
def app(app: Flask) -> Flask:
    """A template that names something it was not given fails the test."""
    app.jinja_env.undefined = StrictUndefined
    return app


@pytest.fixture
def ask(app: Flask, customer: Customer) -> Ask:
    """A customer opens a conversation and asks something."""

    def asked(
        words: str = "Where is my invoice?", *, by: Customer = customer, subject: str = "An invoice"
    ) -> Conversation:
        opened = conversations.open_conversation(by, by=by, subject=subject)
        conversations.receive(opened.id, words, by=by)
        return opened

    return asked


@pytest.fixture
def thread(ask: Ask) -> Conversation:
    """Mina has asked and nobody has answered."""
    return ask()


@pytest.fixture
def article(app: Flask, operator: Operator) -> Article:
    """A published article."""
    found = knowledge.create_article("How long refunds take", by=operator)
    knowledge.save_draft(found.id, "# Refunds\n\nA refund takes **five days**.", by=operator)
    knowledge.publish(found.id, by=operator)
    return found


@pytest.fixture
def propose(app: Flask, article: Article) -> Propose:
    """A draft that waits in a conversation."""

    def proposed(
        thread: Conversation, *, kind: DraftKind = DraftKind.REPLY, decision: Decision = Decision.REQUIRE_APPROVAL
    ) -> Draft:
        source = _evidence(article)
        sentences = [("Hi Mina,", []), ("A refund takes five days.", [source["id"]]), ("Just reply here.", [])]
        with transaction() as db:
            db.refresh(thread)
            draft = Draft(
                tenant=thread.tenant,
                conversation_id=thread.id,
                kind=kind,
                decision=decision,
                body=""
                if kind == DraftKind.ESCALATION
                else "Hi Mina,\n\nA refund takes five days.\n\nJust reply here.",
                sentences=[{"text": text, "evidence": cited} for text, cited in sentences],
                evidence=[source],
                grounding={
                    "level": GroundingLevel.STRONG.value,
                    "score": 0.8,
                    "reason": "One answers.",
                    "question": "?",
                },
                confidence=0.8,
                summary="One published article answers this.",
                missing="",
                generator="ExtractiveGenerator",
                answers_sequence=thread.last_sequence,
            )
            db.add(draft)
        return draft

    return proposed


@pytest.fixture
def draft(thread: Conversation, propose: Propose) -> Draft:
    """A reply that waits for an operator."""
    return propose(thread)


@pytest.fixture
def sent(desk: FlaskClient) -> Callable[[int], list[str]]:
    """What the operators of a conversation's tenant said in it."""

    def said(conversation_id: int) -> list[str]:
        messages = conversations.timeline(conversation_id, visible_to=Operator(id="reader", name="Reader"))
        return [message.content for message in messages if message.role == conversations.MessageRole.AGENT]

    return said


@pytest.fixture
def host(fresh_database: str, redis_url: str) -> Iterator[Callable[..., Flask]]:
    """Another host on the same database: its extensions are set up by ``before``, then the desk with these settings."""
    made: list[Flask] = []

    def build(*, before: Callable[[Flask], object] | None = None, **settings: Any) -> Flask:
        app = Flask("host")
        made.append(app)
        app.config.update(SECRET_KEY="a secret", TESTING=True, SQLALCHEMY_DATABASE_URI=fresh_database)
        app.config.update({"CAIRNLOOP_REDIS_URL": redis_url, "CAIRNLOOP_OPERATOR_RESOLVER": HeaderResolver} | settings)
        if before is not None:
            before(app)
        SQLAlchemy(app)
        Cairnloop(app)
        return app

    yield build
    for app in made:
        close(app)


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_page(chrome: Browser, address: str) -> Iterator[Open]:
    """Open a screen as Ada; anything the policy or a script complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str, *, person: str = "ada", width: int = 1440, **options: object) -> Page:
        context = chrome.new_context(viewport={"width": width, "height": 860}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.add_cookies([{"name": "operator", "value": person, "url": address}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{address}/support{path}")
        page.wait_for_load_state("load")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _evidence(article: Article) -> dict[str, Any]:
    return {
        "id": f"article:{article.id}:1:0",
        "title": article.title,
        "heading": "Refunds",
        "content": "A refund takes five days.",
        "trust": "canonical",
        "score": 0.03,
        "article_id": article.id,
        "revision_id": 1,
        "chunk_id": 1,
        "updated_at": datetime.now(UTC).isoformat(),
        "reasons": ["words"],
        "lexical_rank": 1,
        "semantic_rank": None,
        "similarity": None,
        "support": 0.8,
    }


def assert_region(response: Any, name: str, *, changed: tuple[str, ...] = (), status: int = 200) -> None:
    """The answer is this one region, and names exactly the others that changed."""
    assert response.status_code == status, response.text
    assert response.headers["HX-Region"] == name
    if name not in {"older"}:
        assert f'id="{name}"' in response.text
    assert "<html" not in response.text
    named = tuple(filter(None, response.headers.get("HX-Trigger", "").split(", ")))
    assert set(named) == set(changed)

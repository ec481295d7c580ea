from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from example_app import create_app
from example_app.database import db
from example_app.models import Seeded
from example_app.safety import POLICY
from example_app.support.widget import TrailmarkTokens
from example_app.tour import STOPS
from flask_cairnloop.core.current import settings


@pytest.fixture
def visitor(seeded: Flask, browser: FlaskClient) -> FlaskClient:
    """Riya's browser."""
    browser.post("/login", data={"username": "riya"})
    return browser


@pytest.mark.parametrize("path", ["/", "/login", "/chat", "/account"])
def test_every_page_answers_under_a_strict_policy(visitor: FlaskClient, path: str) -> None:
    response = visitor.get(path)

    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == POLICY
    assert not re.search(r"<style|style=|\son\w+=|<script(?! type=\"module\" src=\"/)", response.text)


def test_the_start_page_leads_to_every_stop(seeded: Flask, browser: FlaskClient) -> None:
    page = browser.get("/").text
    for stop in STOPS:
        assert stop.button in page.replace("&#39;", "'")
        if stop.conversation:
            known = db.session.get(Seeded, f"conversation:{stop.conversation}")
            assert known is not None
            assert f'value="/support/{known.record_id}"' in page


def test_a_stop_is_a_plain_link_for_an_operator_who_is_signed_in(seeded: Flask, browser: FlaskClient) -> None:
    browser.post("/login", data={"username": "sam"})
    assert 'href="/support/inbox"' in browser.get("/").text


def test_an_unseeded_start_page_says_what_to_do(app: Flask, browser: FlaskClient) -> None:
    assert db.session.scalars(select(Seeded)).first() is None
    response = browser.get("/")
    assert response.status_code == 200
    assert "trailmark seed" in response.text


def test_the_chat_hands_the_widget_a_token_and_its_script(visitor: FlaskClient) -> None:
    page = visitor.get("/chat").text
    assert re.search(r'<cairnloop-widget\s+token="[\w.-]{20,}"', page)
    assert '<script type="module" src="/support/widget/widget.js">' in page


def test_a_chat_that_stays_open_fetches_a_new_token(visitor: FlaskClient) -> None:
    fresh = visitor.get("/chat/token")
    assert TrailmarkTokens().verify(fresh.json["token"]).ref == "cus_larkspur"  # type: ignore[index]

    visitor.post("/logout", data={"side": "customer"})
    assert visitor.get("/chat/token").status_code == 401


def test_the_account_shows_what_trailmark_knows(visitor: FlaskClient) -> None:
    page = visitor.get("/account").text
    for fact in ("Larkspur Robotics", "Past due", "7 of 8 used", "TM-2150", "card ending 4242", "tmk_live_3Fq8"):
        assert fact in page


def test_an_address_that_does_not_exist_says_so(app: Flask, browser: FlaskClient) -> None:
    response = browser.get("/nowhere")
    assert response.status_code == 404
    assert "Off the trail" in response.text


def test_the_pages_work_below_a_sub_path(seeded: Flask) -> None:
    page = seeded.test_client().get("/", base_url="http://localhost/tools/").text
    assert 'href="/tools/static/trailmark/trailmark.css"' in page
    assert 'value="/tools/support/inbox"' in page


def test_the_desk_adds_to_the_host_nothing_but_its_own_prefix(app: Flask) -> None:
    bare = Flask("bare")
    below = f"{settings.url_prefix}/"
    ours = {"static", "pages", "login"}

    for rule in app.url_map.iter_rules():
        assert rule.rule.startswith(below) or rule.endpoint.partition(".")[0] in ours, rule
    assert set(app.jinja_env.globals) - set(bare.jinja_env.globals) <= {"cl"}
    assert set(app.jinja_env.filters) == set(bare.jinja_env.filters)
    assert {f.__module__.split(".")[0] for f in app.before_request_funcs[None]} == {"example_app"}
    assert {f.__module__.split(".")[0] for f in app.after_request_funcs[None]} == {"example_app"}
    assert len(app.template_context_processors[None]) == len(bare.template_context_processors[None])


def test_a_secret_is_made_once_and_kept_private(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("example_app.HERE", tmp_path)
    monkeypatch.delenv("SECRET_KEY", raising=False)

    first, second = create_app().config["SECRET_KEY"], create_app().config["SECRET_KEY"]

    assert first == second
    assert len(first) == 64
    assert (tmp_path / "instance" / "secret_key").stat().st_mode & 0o777 == 0o600

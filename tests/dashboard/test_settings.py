from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core import redis
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.scheduler import HEARTBEAT
from flask_cairnloop.dashboard import health
from flask_cairnloop.dashboard.labels import Health
from flask_cairnloop.knowledge import Article
from tests.dashboard.conftest import HTMX, Host, assert_region


def test_it_says_who_you_are_here(desk: FlaskClient) -> None:
    page = desk.get("/support/settings", headers={"X-Tenant": "acme"}).text
    for words in ("Ada Osei", "ada", "support", "acme"):
        assert f"<dd>{words}</dd>" in page


def test_it_says_what_the_host_has_not_set(desk: FlaskClient) -> None:
    page = desk.get("/support/settings").text
    assert "HeaderResolver" in page
    assert "Set CAIRNLOOP_CONTEXT_PROVIDER." in page


def findings(desk: FlaskClient) -> dict[str, health.Finding]:
    with desk.application.test_request_context("/support/settings", headers={"X-Operator": "ada"}):
        desk.application.preprocess_request()
        return {finding.name: finding for finding in health.findings()}


def test_a_desk_without_workers_is_told_to_start_one(desk: FlaskClient) -> None:
    found = findings(desk)
    assert found["Database"].health == found["Redis"].health == Health.WELL
    for name in ("Scheduler", "Workers"):
        assert found[name].health == Health.DOWN
        assert found[name].next_step == "Run: flask cairnloop worker"


def test_a_heartbeat_of_the_scheduler_is_seen(desk: FlaskClient) -> None:
    redis.client().set(HEARTBEAT, str(time.time()))
    assert findings(desk)["Scheduler"].health == Health.WELL


def test_a_worker_that_has_registered_is_seen(desk: FlaskClient) -> None:
    from rq import SimpleWorker

    from flask_cairnloop.core import jobs

    worker = SimpleWorker([jobs.queue()], connection=redis.client())
    worker.register_birth()
    found = findings(desk)["Workers"]
    worker.register_death()
    assert found.health == Health.WELL
    assert found.says.startswith("1 running")


def test_work_nobody_does_needs_attention(desk: FlaskClient, thread: Conversation) -> None:
    assert findings(desk)["Background work"].health == Health.WELL
    with at(now() + timedelta(minutes=5)):
        found = findings(desk)["Background work"]
    assert found.health == Health.ATTENTION
    assert "1 overdue" in found.says


class TestSearchByWords:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_EMBEDDER": None}

    def test_an_article_nobody_has_indexed_needs_attention(
        self, desk: FlaskClient, article: Article, run_jobs: Callable[[], int]
    ) -> None:
        before = findings(desk)["Search index"]
        run_jobs()
        after = findings(desk)["Search index"]
        assert (before.health, before.says[:6]) == (Health.ATTENTION, "0 of 1")
        assert (after.health, after.says[:6]) == (Health.WELL, "1 of 1")


def test_a_redis_that_is_away_is_named_and_the_page_stands(host: Host) -> None:
    app = host(CAIRNLOOP_REDIS_URL="redis://127.0.0.1:1/0")
    response = app.test_client().get("/support/settings", headers={"X-Operator": "ada"})
    assert response.status_code == 200
    assert response.text.count("Redis did not answer.") == 3
    assert "Check CAIRNLOOP_REDIS_URL." in response.text


def test_the_health_refreshes_by_itself(desk: FlaskClient) -> None:
    assert_region(desk.get("/support/settings/health", headers=HTMX), "settings")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_is_remembered_and_written_by_the_server(desk: FlaskClient, theme: str) -> None:
    assert "data-theme" not in desk.get("/support/").text
    response = desk.post("/support/settings/theme", data={"theme": theme})
    assert response.status_code == 303
    cookie = response.headers["Set-Cookie"]
    assert "Path=/support/" in cookie
    assert "HttpOnly" in cookie
    assert f'data-theme="{theme}"' in desk.get("/support/").text
    desk.post("/support/settings/theme", data={"theme": "system"})
    assert "data-theme" not in desk.get("/support/").text


def test_choosing_a_theme_in_place_answers_with_nothing_to_swap(desk: FlaskClient) -> None:
    response = desk.post("/support/settings/theme", data={"theme": "dark"}, headers=HTMX)
    assert (response.status_code, response.headers["HX-Region"]) == (204, "theme")


@pytest.mark.parametrize(
    ("referrer", "back"),
    [
        ("http://localhost/support/inbox?view=all", "http://localhost/support/inbox?view=all"),
        ("https://evil.example/", "/support/settings"),
        ("http://localhost.evil.example/", "/support/settings"),
        (None, "/support/settings"),
    ],
)
def test_the_theme_leads_back_only_to_this_site(desk: FlaskClient, referrer: str | None, back: str) -> None:
    headers = {"Referer": referrer} if referrer else {}
    assert desk.post("/support/settings/theme", data={"theme": "dark"}, headers=headers).location == back


def test_a_theme_there_is_none_of_is_refused(desk: FlaskClient) -> None:
    assert desk.post("/support/settings/theme", data={"theme": "pink"}).status_code == 422
    desk.set_cookie("cl_theme", '"><script>', path="/support/")
    assert "data-theme" not in desk.get("/support/").text

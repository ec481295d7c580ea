from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from flask_cairnloop import HostFailure
from flask_cairnloop.conversations import Conversation
from flask_cairnloop.core import redis
from flask_cairnloop.core.current import at, now
from flask_cairnloop.core.database import session
from flask_cairnloop.core.scheduler import HEARTBEAT
from flask_cairnloop.dashboard import health, search_index
from flask_cairnloop.dashboard.labels import Health
from flask_cairnloop.knowledge import Article
from flask_cairnloop.knowledge.rebuilding import ARTICLES, rebuild
from tests.dashboard.conftest import HTMX, Host, assert_region
from tests.support.embedders import WordEmbedder


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


class TestSearchByMeaning:
    EMBEDDER = WordEmbedder()

    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        self.EMBEDDER.failure = None
        return {"CAIRNLOOP_EMBEDDER": self.EMBEDDER}

    def test_it_names_the_model_and_how_far_its_vectors_reach(
        self, desk: FlaskClient, article: Article, run_jobs: Callable[[], int]
    ) -> None:
        before = desk.get("/support/settings").text
        assert "words, 48 dimensions" in before
        assert "1 published, not searchable yet" in before
        run_jobs()
        response = desk.get("/support/settings/search", headers=HTMX)
        assert_region(response, "settings-search")
        after = response.text
        assert "passages have one" in after
        assert "Not built: every search compares every vector." in after
        assert "Run: flask cairnloop retrieval rebuild" in after
        session().rollback()
        rebuild(ARTICLES, self.EMBEDDER)
        assert "Built (HNSW, cosine)" in desk.get("/support/settings").text

    def test_a_failing_embedder_is_said_with_the_articles_it_failed(
        self, desk: FlaskClient, article: Article, run_jobs: Callable[[], int]
    ) -> None:
        self.EMBEDDER.failure = HostFailure("the <key> was refused", permanent=True)
        run_jobs()
        page = desk.get("/support/settings").text
        assert "Search goes by words alone: the &lt;key&gt; was refused." in page
        assert f'href="/support/knowledge-base/{article.id}"' in page
        assert "passages have none of this embedder" in page
        assert "flask cairnloop retrieval rebuild" in page


class TestWithoutAnEmbedder:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_EMBEDDER": None}

    def test_search_by_words_alone_is_said_with_the_setting(self, desk: FlaskClient) -> None:
        page = desk.get("/support/settings").text
        assert "no embedder is configured, so search goes by words alone" in page
        assert "Set CAIRNLOOP_EMBEDDER to turn it on." in page
        assert "Vector index" not in page


def test_counts_that_stop_say_so() -> None:
    assert [search_index.counted(number) for number in (0, 500, 501)] == ["0", "500", "500+"]

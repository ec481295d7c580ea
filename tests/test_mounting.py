"""A guest in somebody's app: under a sub-path, behind a proxy, twice, and beside the host's own protections."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from flask_cairnloop import Cairnloop, Customer, conversations

ADA = {"X-Operator": "ada", "Sec-Fetch-Site": "same-origin"}
PAGES = ["/", "/inbox", "/knowledge-base", "/settings"]


def links(html: str) -> list[str]:
    """Every address the page names that begins at the host's root."""
    found = re.findall(r'(?:href|src|action|hx-get|hx-post|hx-sse:connect)="([^"#]+)"', html)
    return [link for link in found if link.startswith("/")]


@pytest.fixture
def thread(app: Flask, customer: Customer) -> int:
    return conversations.receive_from(customer, "Hello").conversation_id


def test_every_link_keeps_the_sub_path(app: Flask, thread: int) -> None:
    client = Client(DispatcherMiddleware(Flask("outer"), {"/tools": app}))
    for path in [*PAGES, f"/{thread}"]:
        answer = client.get(f"/tools/support{path}", headers=ADA)
        assert answer.status_code == 200, path
        assert links(answer.get_data(as_text=True))
        assert all(link.startswith("/tools/") for link in links(answer.get_data(as_text=True)))


def test_a_tls_proxy_with_a_prefix_is_believed(app: Flask, thread: int) -> None:
    app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1, x_prefix=1)  # type: ignore[method-assign]
    proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "desk.example", "X-Forwarded-Prefix": "/app"}
    browser = app.test_client()
    page = browser.get(f"/support/{thread}", headers=ADA | proxy)
    assert all(link.startswith("/app/") for link in links(page.get_data(as_text=True)))
    posted = browser.post(
        f"/support/{thread}/resolution",
        headers={"X-Operator": "ada", "Origin": "https://desk.example"} | proxy,
    )
    assert posted.status_code == 303
    assert posted.headers["Location"].startswith("/app/support/")


def test_a_second_desk_links_to_itself(app: Flask, thread: int) -> None:
    Cairnloop(app, name="second", url_prefix="/second")
    page = app.test_client().get("/second/inbox", headers=ADA)
    assert page.status_code == 200
    assert all(link.startswith("/second/") for link in links(page.get_data(as_text=True)))


def test_the_hosts_csrf_protection_and_ours_do_not_clash(app: Flask, thread: int) -> None:
    CSRFProtect(app)
    browser = app.test_client()
    assert browser.post(f"/support/{thread}/resolution", headers=ADA).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
def test_a_request_from_elsewhere_changes_nothing(app: Flask, thread: int, headers: dict[str, str]) -> None:
    browser = app.test_client()
    refused = browser.post(f"/support/{thread}/resolution", headers={"X-Operator": "ada"} | headers)
    assert refused.status_code == 403
    from flask_cairnloop import Operator

    assert conversations.get(thread, visible_to=Operator(id="ada", name="Ada")).status == "open"


def test_nobody_is_let_in_and_told_what_to_set(app: Flask, thread: int) -> None:
    for path in [*PAGES, f"/{thread}", "/live"]:
        answer = app.test_client().get(f"/support{path}")
        assert answer.status_code == 403
    page = app.test_client().get("/support/").get_data(as_text=True)
    assert "CAIRNLOOP_OPERATOR_RESOLVER" in page


def test_our_pages_carry_a_policy_that_allows_nothing_inline(app: Flask, thread: int) -> None:
    answer = app.test_client().get(f"/support/{thread}", headers=ADA)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    html = answer.get_data(as_text=True)
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", html)


def test_the_hosts_own_pages_are_left_alone(app: Flask) -> None:
    @app.get("/own")
    def own() -> str:
        return "mine"

    answer = app.test_client().get("/own")
    assert answer.get_data(as_text=True) == "mine"
    assert "Content-Security-Policy" not in answer.headers
    assert "Cache-Control" not in answer.headers


def test_an_unmigrated_database_is_refused_with_the_command(app: Flask) -> None:
    from sqlalchemy import text

    from flask_cairnloop.core.current import state
    from flask_cairnloop.core.database import session

    session().execute(text("DELETE FROM cairnloop.cairnloop_version"))
    session().commit()
    state().shared.pop("migrated", None)
    answer = app.test_client().get("/support/inbox", headers=ADA)
    assert answer.status_code == 503
    assert "flask cairnloop db upgrade" in answer.get_data(as_text=True)

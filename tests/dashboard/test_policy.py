from __future__ import annotations

import pytest
from flask.testing import FlaskClient

PAGES = ["/support/", "/support/inbox", "/support/nav", "/support/4711"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_whatever_it_does_not_need(desk: FlaskClient, path: str) -> None:
    headers = desk.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_refusal_is_protected_as_well(client: FlaskClient) -> None:
    assert "default-src 'none'" in client.get("/support/").headers["Content-Security-Policy"]


def test_the_hosts_own_pages_keep_their_headers(desk: FlaskClient) -> None:
    desk.application.get("/own")(lambda: "own")
    headers = desk.get("/own").headers
    assert not {"Content-Security-Policy", "Referrer-Policy", "X-Frame-Options", "Cache-Control"} & set(headers.keys())


class TestWithStylesheetsOfTheHost:
    @pytest.fixture
    def host_settings(self) -> dict[str, object]:
        return {"CAIRNLOOP_STYLESHEETS": ["/static/own.css", "https://cdn.example/brand.css"]}

    def test_they_are_linked_after_ours_and_allowed(self, desk: FlaskClient) -> None:
        response = desk.get("/support/")
        ours = response.text.index("cairnloop.css")
        assert ours < response.text.index("/static/own.css") < response.text.index("https://cdn.example/brand.css")
        assert "style-src 'self' https://cdn.example;" in response.headers["Content-Security-Policy"]

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

pytestmark = pytest.mark.usefixtures("seeded")


def sign_in(browser: FlaskClient, username: str, **form: str) -> str:
    response = browser.post("/login", data={"username": username, **form})
    assert response.status_code == 303
    return response.location


def test_a_customer_lands_in_the_chat(browser: FlaskClient) -> None:
    assert sign_in(browser, "mina") == "/chat"
    assert "Hello Mina" in browser.get("/chat").text


def test_an_operator_lands_at_the_desk(browser: FlaskClient) -> None:
    assert sign_in(browser, "ada") == "/support/"


def test_one_browser_holds_a_customer_and_an_operator(browser: FlaskClient) -> None:
    sign_in(browser, "ada")
    sign_in(browser, "mina")
    page = browser.get("/").text
    assert "Mina Park" in page
    assert "At the desk as Ada Osei" in page

    browser.post("/logout", data={"side": "customer"})
    page = browser.get("/").text
    assert "At the desk as Ada Osei" in page
    assert browser.get("/chat").status_code == 303


def test_a_page_that_needs_a_customer_asks_who_you_are_and_comes_back(browser: FlaskClient) -> None:
    asked = browser.get("/account")
    assert asked.status_code == 303
    assert 'name="next" value="/account"' in browser.get(asked.location).text
    assert sign_in(browser, "tom", next="/account") == "/account"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "chat"]
)
def test_a_login_never_leads_to_another_site(browser: FlaskClient, target: str) -> None:
    assert sign_in(browser, "mina", next=target) == "/chat"


def test_an_unknown_name_is_refused(browser: FlaskClient) -> None:
    assert browser.post("/login", data={"username": "mallory"}).status_code == 400
    assert browser.get("/chat").status_code == 303


def test_another_site_cannot_sign_anybody_in(app: Flask) -> None:
    browser = app.test_client()
    answer = browser.post("/login", data={"username": "ada"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "At the desk" not in browser.get("/").text


def test_the_desk_asks_a_stranger_who_they_are_and_then_opens(browser: FlaskClient) -> None:
    asked = browser.get("/support/inbox?view=all", headers={"Accept": "text/html"})
    assert asked.status_code == 303
    assert 'value="/support/inbox?view=all"' in browser.get(asked.location).text

    assert sign_in(browser, "ada", next="/support/inbox?view=all") == "/support/inbox?view=all"
    assert browser.get("/support/inbox?view=all", headers={"Accept": "text/html"}).status_code == 200


def test_a_piece_of_a_page_is_refused_and_not_replaced_by_a_login(browser: FlaskClient) -> None:
    headers = {"Accept": "text/html", "HX-Request": "true"}
    assert browser.get("/support/inbox", headers=headers).status_code == 403
    assert browser.get("/support/live", headers={"Accept": "text/event-stream"}).status_code == 403

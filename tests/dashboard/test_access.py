from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFProtect

from flask_cairnloop import HostFailure, Operator, OperatorResolver, conversations
from flask_cairnloop.conversations import Conversation, ConversationStatus
from flask_cairnloop.core.database import session
from flask_cairnloop.host.operators import Nobody
from tests.dashboard.conftest import HTMX, Host

SCREENS = ["/support/", "/support/inbox", "/support/knowledge-base", "/support/settings", "/support/drafts"]
REGIONS = ["/support/nav", "/support/home", "/support/inbox/list", "/support/settings/health", "/support/live"]


def status_of(thread: Conversation) -> ConversationStatus:
    session().expire_all()
    return conversations.get(thread.id, visible_to=Operator(id="x", name="X")).status


@pytest.mark.parametrize("path", SCREENS + REGIONS)
def test_nobody_gets_in_unless_the_host_vouches_for_them(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 403
    assert "Sign in as an operator" in response.text
    assert "HX-Region" not in response.headers


@pytest.mark.parametrize("path", SCREENS)
def test_an_operator_gets_in(desk: FlaskClient, path: str) -> None:
    assert desk.get(path).status_code == 200


def test_without_a_resolver_the_refusal_says_what_to_set(host: Host) -> None:
    response = host(CAIRNLOOP_OPERATOR_RESOLVER=Nobody).test_client().get("/support/")
    assert response.status_code == 403
    assert "CAIRNLOOP_OPERATOR_RESOLVER" in response.text
    assert "def resolve(self, request)" in response.text


class Broken(OperatorResolver):
    """Fails as hosts do."""

    answer: Callable[[], object]

    def resolve(self, request: object) -> Operator | None:
        return type(self).answer()  # type: ignore[return-value]


def _raise() -> object:
    raise RuntimeError("the user table is away")


@pytest.mark.parametrize(
    "answer", [_raise, lambda: "ada", lambda: HostFailure("later")], ids=["raises", "no operator", "refuses"]
)
def test_a_resolver_that_fails_lets_nobody_in(host: Host, answer: Callable[[], object]) -> None:
    resolver = type("Resolver", (Broken,), {"answer": staticmethod(answer)})
    response = host(CAIRNLOOP_OPERATOR_RESOLVER=resolver).test_client().get("/support/inbox")
    assert response.status_code == 503
    assert "the user table is away" not in response.text


def test_another_tenants_conversation_is_not_there(desk: FlaskClient, thread: Conversation) -> None:
    assert desk.get(f"/support/{thread.id}").status_code == 200
    elsewhere = {"X-Tenant": "acme"}
    for path in ("", "/header", "/timeline", "/draft", "/composer", "/context", "/others", "/seen", "/messages"):
        assert desk.get(f"/support/{thread.id}{path}", headers=elsewhere).status_code == 404, path
    for path in ("/resolution", "/reopening", "/archival", "/details", "/messages", "/typing"):
        assert desk.post(f"/support/{thread.id}{path}", headers=elsewhere).status_code == 404, path
    assert status_of(thread) == ConversationStatus.OPEN


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "https://localhost"},
        {"Origin": "null"},
        {"Origin": "http://localhost:99999"},
        {},
    ],
    ids=str,
)
def test_a_change_from_another_site_is_refused(
    client: FlaskClient, thread: Conversation, headers: dict[str, str]
) -> None:
    for extra in ({}, HTMX):
        response = client.post(f"/support/{thread.id}/resolution", headers={"X-Operator": "ada"} | headers | extra)
        assert response.status_code == 403
        assert "Nothing was changed" in response.text
    assert status_of(thread) == ConversationStatus.OPEN


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost"}],
    ids=str,
)
def test_a_change_from_this_site_is_made(client: FlaskClient, thread: Conversation, headers: dict[str, str]) -> None:
    response = client.post(f"/support/{thread.id}/resolution", headers={"X-Operator": "ada"} | headers)
    assert response.status_code == 303
    assert status_of(thread) == ConversationStatus.RESOLVED


@pytest.mark.parametrize("desk_first", [True, False])
def test_a_host_with_flask_wtf_asks_our_forms_for_no_token_and_its_own_still(host: Host, desk_first: bool) -> None:
    app = host(before=None if desk_first else CSRFProtect)
    if desk_first:
        CSRFProtect(app)
    app.post("/own")(lambda: "changed")
    browser = app.test_client()
    ours = {"X-Operator": "ada", "Sec-Fetch-Site": "same-origin"}
    answers = [browser.post("/own"), browser.post("/support/settings/theme", headers=ours), browser.post("/own")]
    assert [answer.status_code for answer in answers] == [400, 303, 400]

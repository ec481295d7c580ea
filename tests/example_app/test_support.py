from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import delete, select

from example_app.database import db
from example_app.models import Charge, Customer
from example_app.support import widget
from example_app.support.context import TrailmarkContext
from example_app.support.operators import TrailmarkOperators
from example_app.support.policy import TrailmarkPolicy
from example_app.support.tools import AddSeats, LookUpCharge, RefundCharge
from example_app.support.widget import TrailmarkTokens, widget_token
from flask_cairnloop import ALLOW, Decision, Deny, HostFailure, Operator
from flask_cairnloop import Customer as Asking


@pytest.fixture
def riya(seeded: Flask) -> Customer:
    return db.session.scalars(select(Customer).where(Customer.username == "riya")).one()


def test_nobody_is_an_operator_before_signing_in(app: Flask) -> None:
    with app.test_request_context("/support/") as context:
        assert TrailmarkOperators().resolve(context.request) is None


def test_a_customer_is_no_operator(seeded: Flask) -> None:
    with seeded.test_request_context("/support/") as context:
        context.session["customer"] = context.session["member"] = "mina"
        assert TrailmarkOperators().resolve(context.request) is None


SAM = Operator(id="sam", name="Sam Kim", scopes=frozenset({"support"}))


def test_a_member_of_the_team_is_an_operator(app: Flask) -> None:
    with app.test_request_context("/support/") as context:
        context.session["member"] = "sam"
        assert TrailmarkOperators().resolve(context.request) == SAM
    assert TrailmarkOperators().find("sam") == SAM
    assert TrailmarkOperators().find("gone") is None


def test_the_rail_shows_what_trailmarks_tables_hold(riya: Customer) -> None:
    sections = TrailmarkContext().get_context(riya.ref)

    assert list(sections) == ["Active plan", "Recent charges", "Pipelines", "Keys and tokens", "User details"]
    assert sections["Active plan"]["Tier"] == "Team"
    assert sections["Active plan"]["Status"] == "Past due"
    assert list(sections["Recent charges"]) == ["TM-2151", "TM-2150", "TM-2138"]
    assert sections["Recent charges"]["TM-2138"].startswith("$27.00 failed, ")
    assert sections["User details"]["Company"] == "Larkspur Robotics"


def test_a_section_without_facts_is_left_out(riya: Customer) -> None:
    db.session.execute(delete(Charge).where(Charge.customer_id == riya.id))
    db.session.expire(riya)
    assert "Recent charges" not in TrailmarkContext().get_context(riya.ref)


def test_an_unknown_customer_has_no_facts(seeded: Flask) -> None:
    assert TrailmarkContext().get_context("cus_nobody") == {}


@pytest.mark.parametrize(
    ("tags", "decision"),
    [
        ((), Decision.REQUIRE_APPROVAL),
        (("self-service",), Decision.ALLOW),
        (("self-service", "key-account"), Decision.DRAFT_ONLY),
    ],
)
def test_the_policy_goes_by_tags(tags: tuple[str, ...], decision: Decision) -> None:
    proposal = {"kind": "reply", "grounding": "strong", "confidence": 1.0, "risk_tier": "low_write"}
    assert TrailmarkPolicy().decide(proposal, {"conversation": SimpleNamespace(tags=tags)}) == decision


def test_a_charge_is_paid_back_once_and_only_to_its_owner(riya: Customer) -> None:
    context = {"account_id": riya.ref}
    tool = RefundCharge(number="TM-2151", reason="Charged twice")
    assert tool.authorize("sam", context) is ALLOW
    assert tool.run("sam", context) == "$48.00 go back to the card ending in 4242."
    with pytest.raises(HostFailure, match="refunded; only a paid one"):
        tool.run("sam", context)
    with pytest.raises(HostFailure, match="no invoice"):
        RefundCharge(number="TM-2133", reason="Somebody else's").run("sam", context)
    assert isinstance(tool.authorize("sam", {"account_id": "cus_nobody"}), Deny)


def test_seats_are_added_and_charges_looked_up(riya: Customer) -> None:
    seats = riya.seats
    assert AddSeats(seats=2).run("sam", {"account_id": riya.ref}).endswith(f"has {seats + 2} seats now.")
    found = LookUpCharge(number="tm-2150").run("sam", {"account_id": riya.ref})
    assert (found["Amount"], found["Status"]) == ("$48.00", "Paid")


def test_a_token_names_its_customer(riya: Customer) -> None:
    assert TrailmarkTokens().verify(widget_token(riya)) == Asking(ref="cus_larkspur", name="Riya Chen")


def test_a_forged_token_is_refused(riya: Customer) -> None:
    other = URLSafeTimedSerializer("another secret", salt="trailmark-widget").dumps(riya.ref)
    for token in (other, widget_token(riya)[:-2], "", "cus_larkspur"):
        with pytest.raises(HostFailure, match="not ours"):
            TrailmarkTokens().verify(token)


def test_a_session_cookie_is_no_token(seeded: Flask, riya: Customer) -> None:
    session = URLSafeTimedSerializer(str(seeded.secret_key), salt="cookie-session").dumps(riya.ref)
    with pytest.raises(HostFailure, match="not ours"):
        TrailmarkTokens().verify(session)


def test_an_expired_token_is_refused(riya: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    token = widget_token(riya)
    monkeypatch.setattr(widget, "GOOD_FOR", -1)
    with pytest.raises(HostFailure, match="expired"):
        TrailmarkTokens().verify(token)


def test_a_token_of_a_customer_who_left_is_refused(riya: Customer) -> None:
    token = widget_token(riya)
    riya.ref = "cus_somebody_else"
    db.session.flush()
    with pytest.raises(HostFailure, match="no such customer"):
        TrailmarkTokens().verify(token)

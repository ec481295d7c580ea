"""Trailmark's pages: the guided start, the customer's chat, the customer's account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response

from example_app import people, words
from example_app.content.questions import QUESTIONS
from example_app.support.widget import widget_token
from example_app.tour import GUEST, HOST, desk_url, stops

bp = Blueprint("pages", __name__)


@bp.context_processor
def _signed_in() -> dict[str, Any]:
    customer = people.signed_in_customer()
    return {
        "customer": customer,
        "member": people.signed_in_member(),
        "token": widget_token(customer) if customer else None,
        "desk_url": desk_url,
        "words": words,
    }


@bp.get("/")
def start() -> str:
    """The scenario, the two front doors, and one stop per stage of the walk."""
    return render_template(
        "trailmark/start.html", stops=stops(), guest=people.find_customer(GUEST), host=people.TEAM[HOST]
    )


@bp.get("/chat")
def chat() -> str | Response:
    """The customer's window."""
    customer = people.signed_in_customer()
    if customer is None:
        return redirect(url_for("login.show", next=url_for("pages.chat")), 303)
    return render_template("trailmark/chat.html", questions=QUESTIONS[customer.username])


@bp.get("/chat/token")
def chat_token() -> Response:
    """A new token for a chat that has been open for longer than one is good."""
    customer = people.signed_in_customer()
    if customer is None:
        abort(401)
    return jsonify(token=widget_token(customer))


@bp.get("/account")
def account() -> str | Response:
    """What the customer has with Trailmark."""
    customer = people.signed_in_customer()
    if customer is None:
        return redirect(url_for("login.show", next=url_for("pages.account")), 303)
    return render_template("trailmark/account.html")

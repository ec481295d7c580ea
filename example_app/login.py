"""Trailmark's own login. This is a demo: one click signs in, and nobody has a password."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from example_app import people
from example_app.tour import desk_url

bp = Blueprint("login", __name__)


@bp.context_processor
def _signed_in() -> dict[str, Any]:
    return {"customer": people.signed_in_customer(), "member": people.signed_in_member()}


@bp.before_app_request
def _ask_who_comes_to_the_desk() -> Response | None:
    """Somebody who opens a page of the desk signed out chooses who to be; the desk itself would answer 403."""
    if request.blueprint != "cairnloop" or request.method != "GET" or people.signed_in_member():
        return None
    if "HX-Request" in request.headers or "text/html" not in request.headers.get("Accept", ""):
        return None
    return redirect(url_for("login.show", next=request.root_path + request.full_path.rstrip("?")), 303)


@bp.get("/login")
def show() -> str:
    """Everybody one can be."""
    return render_template(
        "trailmark/login.html",
        team=list(people.TEAM.values()),
        customers=people.customers(),
        after=_inside(request.args.get("next")),
    )


@bp.post("/login")
def sign_in() -> Response:
    """Become a customer or a member of the support team; the other login stays as it was."""
    username = request.form.get("username", "")
    after = _inside(request.form.get("next"))
    if username in people.TEAM:
        session["member"] = username
        return redirect(after or desk_url(), 303)
    if people.find_customer(username) is None:
        abort(400, "Nobody here has that user name.")
    session["customer"] = username
    return redirect(after or url_for("pages.chat"), 303)


@bp.post("/logout")
def sign_out() -> Response:
    """Leave one of the two logins."""
    session.pop("member" if request.form.get("side") == "member" else "customer", None)
    return redirect(url_for("pages.start"), 303)


def _inside(target: str | None) -> str | None:
    """The target, if it is a path of this site: a redirect must not lead anywhere else."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target

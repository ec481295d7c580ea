"""Trailmark's own manners on the web: a strict policy for its pages, and no posts from other sites."""

from __future__ import annotations

from flask import Flask, Response, abort, render_template, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
OURS = {"pages", "login"}


def init_app(app: Flask) -> None:
    """Guard every answer of this app; what an extension has said about its own pages stays as it is."""
    app.before_request(_refuse_other_sites)
    app.after_request(_with_policy)
    app.register_error_handler(404, lambda _: (render_template("trailmark/lost.html"), 404))


def _refuse_other_sites() -> None:
    """The session cookie is SameSite=Lax already; this also keeps others from signing anybody in."""
    if request.method == "POST" and request.blueprint in OURS:
        origin = request.headers.get("Sec-Fetch-Site", "same-origin")
        if origin not in {"same-origin", "none"}:
            abort(403, "This form was sent from another site.")


def _with_policy(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response

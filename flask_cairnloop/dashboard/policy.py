"""The headers of our own pages: what a browser may load and do on them."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request
from werkzeug.wrappers import Response

from flask_cairnloop.core.current import settings


def protect(response: Response) -> Response:
    """Add our headers. Assets keep the caching they were given."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    if request.endpoint and request.endpoint.rpartition(".")[2] == "asset":
        return response
    headers["Content-Security-Policy"] = content_security_policy()
    headers["Referrer-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "DENY"
    headers["Cache-Control"] = "no-store"
    return response


def content_security_policy() -> str:
    """Nothing but our own scripts, styles and icons, and the host's stylesheets; no inline code at all."""
    styles = " ".join(["'self'", *sorted(_origins(settings.stylesheets))])
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src {styles}",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
    )


def _origins(addresses: tuple[str, ...]) -> set[str]:
    parts = [urlsplit(address) for address in addresses]
    return {f"{part.scheme or request.scheme}://{part.netloc}" for part in parts if part.netloc}

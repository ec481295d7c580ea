"""Which customer a chat belongs to: a signed token that the page hands to the widget, good for one working day."""

from __future__ import annotations

from typing import Any

from flask import current_app
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from sqlalchemy import select

from example_app.database import db
from example_app.models import Customer as Account
from flask_cairnloop import Customer, HostFailure, WidgetVerifier

GOOD_FOR = 8 * 60 * 60  # seconds


def widget_token(account: Account) -> str:
    """What ``<cairnloop-widget token="…">`` carries."""
    return _serializer().dumps(account.ref)


class TrailmarkTokens(WidgetVerifier):
    def verify(self, token: str, **opts: Any) -> Customer:
        try:
            ref = _serializer().loads(token, max_age=GOOD_FOR)
        except SignatureExpired:
            raise HostFailure("the token has expired", permanent=True) from None
        except BadSignature:
            raise HostFailure("the token is not ours", permanent=True) from None
        account = db.session.scalars(select(Account).where(Account.ref == ref)).one_or_none()
        if account is None:
            raise HostFailure("there is no such customer any more", permanent=True)
        return Customer(ref=account.ref, name=account.name)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="trailmark-widget")

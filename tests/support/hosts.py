"""Host applications for tests: small, but shaped like real ones."""

from __future__ import annotations

from typing import Any

from flask import Flask, Request
from flask_sqlalchemy import SQLAlchemy
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.pool import NullPool

from flask_cairnloop import Cairnloop, Customer, Operator, OperatorResolver, WidgetVerifier
from flask_cairnloop.cli.database import upgrade
from flask_cairnloop.core.current import state
from flask_cairnloop.core.live import Hub

SECRET = "a secret for tests only"
OPERATORS = {"ada": "Ada Osei", "sam": "Sam Kim"}


class HeaderResolver(OperatorResolver):
    """Believes the header ``X-Operator``, or a cookie of the same meaning."""

    def resolve(self, request: Request) -> Operator | None:
        name = request.headers.get("X-Operator") or request.cookies.get("operator")
        if name not in OPERATORS:
            return None
        tenant = request.headers.get("X-Tenant", "")
        return Operator(id=name, name=OPERATORS[name], scopes=frozenset({"support"}), tenant=tenant)


class SignedVerifier(WidgetVerifier):
    """Believes tokens signed by ``token_for``."""

    def verify(self, token: str, **opts: Any) -> Customer | str:
        data = URLSafeTimedSerializer(SECRET).loads(token, max_age=3600)
        return Customer(ref=data["ref"], name=data.get("name"), tenant=data.get("tenant", ""))


def token_for(customer: Customer) -> str:
    """What the host would put into its page for this customer."""
    return str(
        URLSafeTimedSerializer(SECRET).dumps({"ref": customer.ref, "name": customer.name, "tenant": customer.tenant})
    )


def make_app(database_url: str, redis_url: str = "redis://127.0.0.1:1/0", **settings: Any) -> Flask:
    """A host with its own Flask-SQLAlchemy and the desk mounted at /support."""
    app = Flask("host")
    app.config.update(
        SECRET_KEY=SECRET,
        TESTING=True,
        SQLALCHEMY_DATABASE_URI=database_url,
        CAIRNLOOP_REDIS_URL=redis_url,
        CAIRNLOOP_WIDGET_VERIFIER=SignedVerifier,
        **{"CAIRNLOOP_OPERATOR_RESOLVER": HeaderResolver, "CAIRNLOOP_DRAFT_DELAY": 0, **settings},
    )
    SQLAlchemy(app)
    Cairnloop(app)
    return app


def close(app: Flask) -> None:
    """Give back everything the app holds."""
    with app.app_context():
        database = app.extensions["sqlalchemy"]
        database.session.remove()
        for name, shared in list(state(app).shared.items()):
            if isinstance(shared, Hub):
                shared.close()
            elif name == "redis":
                shared.close()  # type: ignore[attr-defined]
        for engine in database.engines.values():
            engine.dispose()


def migrate(database_url: str) -> None:
    """Bring a database up to date, as ``flask cairnloop db upgrade`` does."""
    app = make_app(database_url, SQLALCHEMY_ENGINE_OPTIONS={"poolclass": NullPool})
    with app.app_context():  # a command keeps to the context that is there
        result = app.test_cli_runner().invoke(upgrade, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    close(app)

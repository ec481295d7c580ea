"""``Cairnloop(app)``: connects the desk to a Flask application."""

from __future__ import annotations

from flask import Flask

from flask_cairnloop import governance, reactions
from flask_cairnloop.config import Settings
from flask_cairnloop.core.current import EXTENSION, State
from flask_cairnloop.core.errors import ConfigError
from flask_cairnloop.dashboard import create_blueprint as create_dashboard
from flask_cairnloop.widget import create_blueprint as create_widget

assert governance  # its tables and jobs belong to every desk

__all__ = ["Cairnloop"]


class Cairnloop:
    """The support desk of a Flask application.

    Use ``Cairnloop(app)``, or ``Cairnloop()`` and later ``init_app(app)``. Settings are read from ``app.config`` once,
    here; changes after this call are not seen. A second desk page on one app needs its own ``name`` and ``url_prefix``.
    """

    def __init__(self, app: Flask | None = None, *, name: str = "cairnloop", url_prefix: str | None = None) -> None:
        self.name = name
        self.url_prefix = url_prefix
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Mount the desk on ``app``.

        Raises ``ConfigError`` naming every fault of the configuration at once, and ``RuntimeError`` for a second
        registration that would collide with the first.
        """
        state = _state(app)
        prefix = state.settings.url_prefix if self.url_prefix is None else self.url_prefix.rstrip("/")
        _refuse_collision(state, self.name, prefix)
        _database(app)
        reactions.connect()
        app.register_blueprint(create_widget(f"{self.name}_widget"), url_prefix=prefix)
        app.register_blueprint(create_dashboard(self.name), url_prefix=prefix)
        state.mounts[self.name] = prefix


def _state(app: Flask) -> State:
    found: State | None = app.extensions.get(EXTENSION)
    if found is None:
        found = app.extensions[EXTENSION] = State(Settings.from_mapping(app.config))
    return found


def _refuse_collision(state: State, name: str, prefix: str) -> None:
    if name in state.mounts:
        raise RuntimeError(
            f"A Cairnloop named {name!r} is already registered on this app. "
            'Give the second one its own: Cairnloop(app, name="second", url_prefix="/second").'
        )
    if prefix in state.mounts.values():
        raise RuntimeError(
            f"Another Cairnloop is already mounted at {prefix or '/'!r}; give this one its own url_prefix."
        )


def _database(app: Flask) -> None:
    """The host's Flask-SQLAlchemy; where there is none, one made from the database setting."""
    if "sqlalchemy" in app.extensions:
        return
    if not app.config.get("SQLALCHEMY_DATABASE_URI") and not app.config.get("SQLALCHEMY_BINDS"):
        raise ConfigError(
            ["SQLALCHEMY_DATABASE_URI is not set, and no Flask-SQLAlchemy is on this app (call db.init_app(app) first)"]
        )
    from flask_sqlalchemy import SQLAlchemy

    SQLAlchemy(app)

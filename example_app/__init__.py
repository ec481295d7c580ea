"""Trailmark, a small developer-tools SaaS with a support desk inside: the example host of Flask-Cairnloop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from example_app import login, pages, safety, seed, settings
from example_app.database import db, migrate
from flask_cairnloop import Cairnloop

HERE = Path(__file__).parent


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Build the app: ``flask --app example_app run``. ``config`` outranks the environment."""
    app = Flask(__name__, instance_path=str(HERE / "instance"))
    app.config.from_mapping(settings.from_environment())
    app.config.from_mapping(config or {})
    if not app.config.get("SECRET_KEY"):
        app.config["SECRET_KEY"] = settings.kept_secret(Path(app.instance_path))

    db.init_app(app)
    migrate.init_app(app, db, directory=str(HERE / "migrations"))
    Cairnloop(app)

    app.register_blueprint(pages.bp)
    app.register_blueprint(login.bp)
    app.cli.add_command(seed.trailmark)
    safety.init_app(app)
    return app

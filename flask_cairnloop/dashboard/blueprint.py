"""The blueprint of one mount: every screen attached, guarded, and answered for when it fails."""

from __future__ import annotations

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from flask_cairnloop.assets import folder
from flask_cairnloop.dashboard import (
    access,
    articles,
    assets,
    conversations,
    drafts,
    errors,
    home,
    inbox,
    live,
    messages,
    pages,
    policy,
    settings,
)
from flask_cairnloop.dashboard.display import Display

SCREENS = (home, inbox, conversations, messages, drafts, articles, settings, live, pages, assets)


def create_blueprint(name: str) -> Blueprint:
    """The operator's screens under ``name``; register it with a ``url_prefix`` of its own."""
    blueprint = Blueprint(name, __name__, template_folder=str(folder("templates")))
    blueprint.record(_give_templates_their_name)
    blueprint.url_value_preprocessor(access.exempt_from_host_tokens)
    blueprint.before_request(access.admit)
    blueprint.after_request(policy.protect)
    for screen in SCREENS:
        screen.attach(blueprint)
    errors.attach(blueprint)
    return blueprint


def _give_templates_their_name(setup: BlueprintSetupState) -> None:
    setup.app.jinja_env.globals.setdefault("cl", Display())

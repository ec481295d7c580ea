"""The blueprint of one mount: every screen attached, guarded, and answered for when it fails."""

from __future__ import annotations

from flask import Blueprint

from flask_cairnloop.assets import folder
from flask_cairnloop.dashboard import (
    access,
    actions,
    approvals,
    articles,
    assets,
    audit,
    conversations,
    drafts,
    editor,
    errors,
    gaps,
    home,
    inbox,
    live,
    messages,
    pages,
    policy,
    revisions,
    search,
    settings,
)

SCREENS = (
    home,
    inbox,
    conversations,
    messages,
    drafts,
    actions,
    approvals,
    articles,
    editor,
    revisions,
    gaps,
    search,
    audit,
    settings,
    live,
    pages,
    assets,
)


def create_blueprint(name: str) -> Blueprint:
    """The operator's screens under ``name``; register it with a ``url_prefix`` of its own."""
    blueprint = Blueprint(name, __name__, template_folder=str(folder("templates")))
    blueprint.url_value_preprocessor(access.exempt_from_host_tokens)
    blueprint.before_request(access.admit)
    blueprint.after_request(policy.protect)
    for screen in SCREENS:
        screen.attach(blueprint)
    errors.attach(blueprint)
    return blueprint

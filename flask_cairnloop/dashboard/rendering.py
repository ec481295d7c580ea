"""Our templates, in an environment of their own: the host's gains no name and can take none of ours."""

from __future__ import annotations

from flask import current_app
from jinja2 import Environment

from flask_cairnloop.core.current import state
from flask_cairnloop.dashboard.display import Display


def render(template: str, **context: object) -> str:
    """A template of ``templates/cairnloop`` (or the host's own in its place), with the host's context processors."""
    current_app.update_template_context(context)
    return _environment().get_template(f"cairnloop/{template}").render(context)


def _environment() -> Environment:
    return state().once("templates", _make)


def _make() -> Environment:
    environment = current_app.jinja_env.overlay()
    environment.globals = {**current_app.jinja_env.globals, "cl": Display()}
    return environment

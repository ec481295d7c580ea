"""The tools the host declared, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_cairnloop.core.current import settings
from flask_cairnloop.core.errors import HostFailure, NotFound
from flask_cairnloop.governance import gates
from flask_cairnloop.host.people import Operator
from flask_cairnloop.host.tool import Tool


class UnknownTool(NotFound):
    """No tool has this name."""


def find(name: str) -> type[Tool]:
    """The tool of this name. Raises ``UnknownTool``."""
    for tool in settings.tools:
        if tool.tool_spec().name == name:
            return tool
    raise UnknownTool


def available_to(operator: Operator, context: Mapping[str, Any]) -> list[type[Tool]]:
    """The tools worth offering: those whose scopes the operator holds and whose mode lets them run at all.

    It spares people forms that cannot succeed; what may happen is decided by the gates alone.
    """
    offered = []
    for tool in settings.tools:
        try:
            missing = gates.required_scopes(tool) - operator.scopes
        except HostFailure:
            continue
        if not missing and gates.resolve_mode(tool).strictness < 2:
            offered.append(tool)
    return offered

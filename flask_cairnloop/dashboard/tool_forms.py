"""A tool's input as a form: typed controls from its schema, and what a browser posts back as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask_cairnloop.host.tool import Tool, ToolSpec

LONG_TEXT = 200  # characters from which a text gets several lines


class Control(StrEnum):
    """How a value is entered."""

    TEXT = "text"
    LINES = "lines"
    NUMBER = "number"
    SWITCH = "switch"
    SELECT = "select"
    DATE = "date"
    MOMENT = "moment"
    JSON = "json"


@dataclass(frozen=True)
class Field:
    """One control of the form."""

    name: str
    label: str
    control: Control
    required: bool
    value: str
    hint: str = ""
    options: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    step: str = "any"
    longest: int | None = None
    secret: bool = False


@dataclass(frozen=True)
class ToolForm:
    """A tool that can be asked for, with what was typed into its form and what is wrong with that."""

    spec: ToolSpec
    fields: tuple[Field, ...]
    #: The host's own template in place of the fields.
    template: str | None
    errors: Mapping[str, str]
    opened: bool = False


def form(
    tool: type[Tool], *, values: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> ToolForm:
    """The form of a tool, filled with ``values`` as they were posted, or with its defaults."""
    schema, spec = tool.input_schema(), tool.tool_spec()
    required = set(schema.get("required", ()))
    fields = tuple(
        _field(name, _resolved(each, schema), spec, required=name in required, values=values)
        for name, each in schema.get("properties", {}).items()
    )
    return ToolForm(spec, fields, tool.custom_ui(), errors or {}, opened=values is not None)


def read(tool: type[Tool], posted: Mapping[str, str]) -> dict[str, Any]:
    """The values of a posted form. What cannot be read stays as it was typed, for the tool to refuse."""
    schema = tool.input_schema()
    found: dict[str, Any] = {}
    for name, each in schema.get("properties", {}).items():
        control = _control(_resolved(each, schema))
        given = posted.get(f"input.{name}", "")
        if control == Control.SWITCH:
            found[name] = bool(given)
        elif given.strip():
            found[name] = _value(given, control)
    return found


def labels(tool: type[Tool]) -> dict[str, str]:
    """What each input is called."""
    schema = tool.input_schema()
    return {name: label(name, _resolved(each, schema)) for name, each in schema.get("properties", {}).items()}


def label(name: str, schema: Mapping[str, Any]) -> str:
    """What an input is called: its own title, not the one Pydantic makes up."""
    given = str(schema.get("title") or "")
    return given if given and given != name.replace("_", " ").title() else name.replace("_", " ").capitalize()


def _value(given: str, control: Control) -> Any:
    try:
        if control == Control.NUMBER:
            return float(given) if set(given) & set(".eE") else int(given)
        if control == Control.JSON:
            return json.loads(given)
    except (ValueError, RecursionError):
        return given
    return given


def _field(
    name: str, schema: Mapping[str, Any], spec: ToolSpec, *, required: bool, values: Mapping[str, str] | None
) -> Field:
    control = _control(schema)
    default = schema.get("default")
    typed = values.get(f"input.{name}", "") if values is not None else _shown(default, control)
    secret = spec.mask({name: "x"})[name] != "x"
    return Field(
        name=name,
        label=label(name, schema),
        control=control,
        required=required and control != Control.SWITCH,
        value="" if secret else typed,
        hint=str(schema.get("description", "")),
        options=tuple(str(option) for option in schema.get("enum", ())),
        low=schema.get("minimum", schema.get("exclusiveMinimum")),
        high=schema.get("maximum", schema.get("exclusiveMaximum")),
        step="1" if schema.get("type") == "integer" else "any",
        longest=schema.get("maxLength"),
        secret=secret,
    )


def _shown(default: Any, control: Control) -> str:
    if default is None:
        return ""
    if control == Control.SWITCH:
        return "1" if default else ""
    return json.dumps(default) if control == Control.JSON else str(default)


def _resolved(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """A field's schema with its reference followed, and the type of an optional one brought out."""
    found = dict(schema)
    for option in found.get("anyOf", ()):
        if option.get("type") != "null":
            found = _resolved(option, whole) | {key: value for key, value in found.items() if key != "anyOf"}
            break
    reference = found.pop("$ref", None)
    if isinstance(reference, str):
        target = whole.get("$defs", {}).get(reference.rpartition("/")[2], {})
        found = {key: value for key, value in target.items() if key != "title"} | found
    return found


def _control(schema: Mapping[str, Any]) -> Control:
    kind, shape = schema.get("type"), schema.get("format")
    if "enum" in schema:
        return Control.SELECT
    if kind == "boolean":
        return Control.SWITCH
    if kind in ("integer", "number"):
        return Control.NUMBER
    if kind == "string" and shape in ("date", "date-time"):
        return Control.DATE if shape == "date" else Control.MOMENT
    if kind == "string":
        return Control.LINES if schema.get("maxLength", 0) > LONG_TEXT else Control.TEXT
    return Control.JSON

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr

from flask_cairnloop import ALLOW, Deny, derive_approval_mode
from flask_cairnloop.config import ConfigError
from flask_cairnloop.host.tool import ApprovalMode, RiskTier, Tool
from tests.governance.tools import LookUpOrder, Refund, Reship, Shop
from tests.support.hosts import make_app

UNREACHABLE = "postgresql+psycopg://nobody@127.0.0.1:1/none"


def declare(namespace: Mapping[str, Any] | None = None, **options: Any) -> type[Tool]:
    """A tool called Misdeclared, as the options say."""
    kind: type[Tool] = type(Shop)("Misdeclared", (Shop,), {"__module__": __name__, **(namespace or {})}, **options)
    return kind


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"description": "No tier"}, "needs risk_tier: one of read_only, low_write, high_write, destructive"),
        ({"risk_tier": "risky"}, "risk_tier 'risky' is none of"),
        ({"risk_tier": None}, "risk_tier None is none of"),
        ({"risk_tier": "low_write", "approval_mode": "ask"}, "approval_mode 'ask' is none of"),
        ({"risk_tier": "low_write", "colour": "red"}, "has no option colour"),
        ({"risk_tier": "low_write", "name": "Issue refund"}, "needs to be a slug"),
        ({"risk_tier": "low_write", "name": 7}, "needs to be a slug"),
        ({"risk_tier": "low_write", "timeout": 0}, "timeout needs seconds above 0"),
        ({"risk_tier": "low_write", "timeout": True}, "timeout needs seconds above 0"),
        ({"risk_tier": "low_write", "timeout": 601}, "timeout needs seconds above 0 and up to 600"),
        ({"risk_tier": "low_write", "approval_ttl": -1}, "approval_ttl needs seconds above 0"),
        ({"risk_tier": "low_write", "sensitive": ("card",)}, "sensitive names no field: card"),
        ({"risk_tier": "low_write", "sensitive": "card"}, "sensitive needs a sequence of field names"),
        ({"risk_tier": "low_write", "sensitive": 5}, "sensitive needs a sequence of field names"),
        ({"risk_tier": "low_write", "idempotent": "yes"}, "idempotent needs True or False"),
        ({"risk_tier": "low_write", "four_eyes": 1}, "four_eyes needs True or False"),
        ({"risk_tier": "low_write", "per_conversation": 0}, "per_conversation needs True or False"),
        ({"risk_tier": "low_write", "title": 3}, "title needs a text"),
        ({"risk_tier": "low_write", "description": 3}, "description needs a text"),
        ({"risk_tier": "low_write", "approver_scope": {"billing"}}, "approver_scope needs a text"),
        ({"risk_tier": "low_write", "approver_scope": ""}, "approver_scope needs the name of a scope"),
    ],
)
def test_a_wrong_option_is_refused_when_the_class_is_defined_and_names_it(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=f"^Misdeclared.*{re.escape(words)}"):
        declare(**options)


@pytest.mark.parametrize(
    ("kind", "field", "words"),
    [
        (SecretStr, ..., "pin would be stored as stars"),
        (SecretStr | None, None, "pin would be stored as stars"),
        (str, Field(alias="PIN"), "pin has an alias"),
        (str, Field(validation_alias="PIN"), "pin has an alias"),
    ],
)
def test_an_input_that_would_not_come_back_as_it_was_is_refused(kind: Any, field: Any, words: str) -> None:
    inside: dict[str, Any] = {"__annotations__": {"pin": kind}}
    if field is not ...:
        inside["pin"] = field
    with pytest.raises(TypeError, match=f"^Misdeclared: {words}"):
        declare(inside, risk_tier="low_write")


@pytest.mark.filterwarnings("ignore:Field name")
def test_a_field_may_not_hide_a_method() -> None:
    with pytest.raises(TypeError, match="Misdeclared has a field named like a method of a tool: preview"):
        declare({"__annotations__": {"preview": str}, "preview": "x"}, risk_tier="low_write")


class Twin(Shop, risk_tier="low_write", name="reship"):
    """Named like another."""


class Mute(Tool, risk_tier="low_write"):
    """Says neither who may use it nor what it does."""


class Tierless(Tool):
    """A part other tools share; no tool itself."""


class Stranger(BaseModel):
    """No tool at all."""


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ((Reship, Twin), "Reship, Twin: two tools are named reship"),
        ((Reship, Reship), "Reship, Reship: two tools are named reship"),
        ((Mute,), "Mute lacks scope, run"),
        ((Tierless,), "Tierless needs risk_tier"),
        ((Stranger,), "Stranger.* is no subclass of Tool"),
        (("tests.governance.tools.Gone",), "cannot import 'tests.governance.tools.Gone'"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_when_the_desk_is_set_up(tools: tuple[Any, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_app(UNREACHABLE, CAIRNLOOP_TOOLS=tools)


@pytest.mark.parametrize(
    ("tier", "mode"),
    [
        (RiskTier.READ_ONLY, ApprovalMode.AUTO),
        ("low_write", ApprovalMode.REQUIRES_APPROVAL),
        (RiskTier.HIGH_WRITE, ApprovalMode.REQUIRES_APPROVAL),
        (RiskTier.DESTRUCTIVE, ApprovalMode.ALWAYS_BLOCK),
        ("anything else", ApprovalMode.ALWAYS_BLOCK),
        (None, ApprovalMode.ALWAYS_BLOCK),
    ],
)
def test_a_mode_follows_from_the_tier_and_fails_closed(tier: Any, mode: ApprovalMode) -> None:
    assert derive_approval_mode(tier) == mode
    if isinstance(tier, RiskTier):
        assert declare(risk_tier=tier).tool_spec().approval_mode == mode


def test_a_spec_says_all_there_is_and_cannot_be_changed() -> None:
    spec = Refund.tool_spec()
    assert (spec.name, spec.title, spec.risk_tier) == ("refund", "Refund", RiskTier.HIGH_WRITE)
    assert (spec.four_eyes, spec.idempotent, spec.timeout, spec.approval_ttl) == (True, False, 30.0, None)
    assert LookUpOrder.tool_spec().title == "Look up order"
    assert not Reship.tool_spec().four_eyes
    with pytest.raises(AttributeError):
        spec.timeout = 1.0  # type: ignore[misc]


def test_secrets_are_masked_at_any_depth_and_what_is_empty_stays_so() -> None:
    shown = Refund.tool_spec().mask(
        {
            "card": "4242",
            "order": "A",
            "api_token": "",
            "more": {"Password": "p", "lines": [{"secret_word": 1, "n": 2}]},
        }
    )
    masked = "••••••"
    more = {"Password": masked, "lines": [{"secret_word": masked, "n": 2}]}
    assert shown == {"card": masked, "order": "A", "api_token": "", "more": more}


def test_a_version_changes_with_the_options_and_with_the_schema_and_else_stays() -> None:
    plain = declare(risk_tier="low_write")
    variants = [
        declare(risk_tier="low_write", timeout=31),
        declare(risk_tier="low_write", approver_scope="billing"),
        declare(risk_tier="high_write"),
        declare({"__annotations__": {"order": str}}, risk_tier="low_write"),
        declare({"__annotations__": {"order": str}, "order": Field(max_length=5)}, risk_tier="low_write"),
        declare({"__annotations__": {"order": str}}, risk_tier="low_write", sensitive=("order",)),
    ]
    versions = {plain.version(), *(each.version() for each in variants)}
    assert len(versions) == len(variants) + 1
    assert declare(risk_tier="low_write").version() == plain.version()


def test_a_subclass_is_no_tool_before_it_says_how_risky_it_is() -> None:
    class Careless(Reship):
        pass

    with pytest.raises(TypeError, match="Careless needs risk_tier"):
        Careless.tool_spec()


def test_answers_are_what_they_say() -> None:
    assert repr(ALLOW) == "ALLOW"
    assert Mute().authorize("ada", {}) == Deny("no_policy_defined")
    assert (Mute().preview(), Mute.custom_ui()) == (None, None)
    for unsaid in (Mute.scope, lambda: Mute().run("ada", {})):
        with pytest.raises(NotImplementedError):
            unsaid()

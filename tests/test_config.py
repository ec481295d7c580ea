from __future__ import annotations

from typing import Any

import pytest

from flask_cairnloop import ConfigError, OperatorResolver
from flask_cairnloop.config import Settings, keys


def test_nothing_set_is_closed_and_valid() -> None:
    settings = Settings.from_mapping({})
    assert settings.url_prefix == "/support"
    assert settings.operator_resolver.resolve(None) is None  # type: ignore[arg-type]
    with pytest.raises(Exception, match="WIDGET_VERIFIER"):
        settings.widget_verifier.verify("anything")


def test_every_fault_is_reported_at_once_with_a_suggestion() -> None:
    class Half(OperatorResolver):
        pass

    with pytest.raises(ConfigError) as refused:
        Settings.from_mapping(
            {
                "CAIRNLOOP_URL_PREFX": "/desk",
                "CAIRNLOOP_REOPEN_DAYS": -1,
                "CAIRNLOOP_LIVE": "magic",
                "CAIRNLOOP_REDIS_URL": "localhost",
                "CAIRNLOOP_OPERATOR_RESOLVER": Half,
                "CAIRNLOOP_AUTOMATION_POLICY": "no.such:Policy",
                "CAIRNLOOP_STYLESHEETS": "one.css",
            }
        )
    text = str(refused.value)
    assert len(refused.value.faults) == 7
    assert "did you mean CAIRNLOOP_URL_PREFIX?" in text
    assert "Half lacks resolve" in text
    assert "cannot import 'no.such:Policy'" in text


@pytest.mark.parametrize(
    ("value", "kept"), [("/support", "/support"), ("/desk/", "/desk"), ("/", ""), ("/a/b", "/a/b")]
)
def test_a_prefix_is_normalised(value: str, kept: str) -> None:
    assert Settings.from_mapping({"CAIRNLOOP_URL_PREFIX": value}).url_prefix == kept


@pytest.mark.parametrize("value", ["support", "//x", "/a b", "/<id>", "", None, 7])
def test_an_impossible_prefix_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError):
        Settings.from_mapping({"CAIRNLOOP_URL_PREFIX": value})


def test_a_behaviour_may_be_a_class_an_instance_or_a_path() -> None:
    class Resolver:
        def resolve(self, request: object) -> None:
            return None

    for value in (Resolver, Resolver(), "tests.support.hosts:HeaderResolver", "tests.support.hosts.HeaderResolver"):
        settings = Settings.from_mapping({"CAIRNLOOP_OPERATOR_RESOLVER": value})
        assert callable(settings.operator_resolver.resolve)


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ConfigError, match="GROUNDING_CLARIFY"):
        Settings.from_mapping({"CAIRNLOOP_GROUNDING_STRONG": 0.2, "CAIRNLOOP_GROUNDING_CLARIFY": 0.9})


def test_every_setting_has_a_name_of_ours() -> None:
    assert all(key.startswith("CAIRNLOOP_") for key in keys())
    assert len(keys()) == len(set(keys()))

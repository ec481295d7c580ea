"""Every ``CAIRNLOOP_*`` setting: its default, its check, and what it is for. Read once, at ``init_app``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from importlib import import_module
from inspect import isclass
from typing import Any
from urllib.parse import urlsplit

from flask_cairnloop.core.errors import ConfigError
from flask_cairnloop.host.auditor import Auditor, NoAuditor
from flask_cairnloop.host.automation_policy import AutomationPolicy, RequireApproval
from flask_cairnloop.host.context_provider import ContextProvider, NoContext
from flask_cairnloop.host.draft_generator import DraftGenerator
from flask_cairnloop.host.embedder import Embedder
from flask_cairnloop.host.operators import Nobody, OperatorResolver
from flask_cairnloop.host.tool import ApprovalMode, Tool
from flask_cairnloop.host.widget_verifier import RefuseAll, WidgetVerifier

PREFIX = "CAIRNLOOP_"
Check = Callable[[Any], Any]


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        number = int(value) if isinstance(value, str) else value
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            raise ValueError(f"needs a whole number from {low} to {high}")
        return number

    return check


def _number(low: float, high: float) -> Check:
    def check(value: Any) -> float:
        number = float(value)
        if not low <= number <= high:
            raise ValueError(f"needs a number from {low:g} to {high:g}")
        return number

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("needs a text")
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(item, str) and item for item in value):
        raise ValueError("needs a list of texts")
    return tuple(value)


def _one_of(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"needs one of {', '.join(allowed)}")
        return str(value)

    return check


def _prefix(value: Any) -> str:
    prefix = _text(value).rstrip("/") if value != "/" else ""
    if prefix and (not prefix.startswith("/") or "//" in prefix or set(prefix) & set("<>?# ")):
        raise ValueError("needs a path such as /support")
    return prefix


def _redis(value: Any) -> str:
    if urlsplit(_text(value)).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("needs a redis://, rediss:// or unix:// address")
    return str(value)


def _behaviour(kind: type[Any]) -> Check:
    """A class, an instance or a dotted path of something with every method of ``kind``."""

    def check(value: Any) -> Any:
        found = _import(value) if isinstance(value, str) else value
        name = found.__name__ if isclass(found) else type(found).__name__
        wanted = [*kind.__abstractmethods__, *(n for n in getattr(kind, "__annotations__", {}))]
        missing = sorted(n for n in wanted if not _has(found, n))
        if missing:
            raise ValueError(f"{name} lacks {', '.join(missing)}, which {kind.__name__} needs")
        return found() if isclass(found) else found

    return check


def _has(found: Any, name: str) -> bool:
    member = getattr(found, name, None)
    return member is not None and not getattr(member, "__isabstractmethod__", False)


def _import(path: str) -> Any:
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"cannot import {path!r} ({error})") from error


def _tools(value: Any) -> tuple[type[Tool], ...]:
    """Tool classes or dotted paths to them: complete, and each name once."""
    found = [_import(each) if isinstance(each, str) else each for each in value]
    for tool in found:
        if not (isclass(tool) and issubclass(tool, Tool)):
            raise ValueError(f"{tool!r} is no subclass of Tool")
        tool.tool_spec()
        if lacking := tool.lacking():
            raise ValueError(f"{tool.__name__} lacks {', '.join(lacking)}, which a tool needs")
    names = [tool.tool_spec().name for tool in found]
    if twice := [tool for tool, name in zip(found, names, strict=True) if names.count(name) > 1]:
        classes = ", ".join(tool.__qualname__ for tool in twice)
        raise ValueError(
            f"{classes}: two tools are named {', '.join(sorted({each.tool_spec().name for each in twice}))}"
        )
    return tuple(found)


def _modes(value: Any) -> dict[str, ApprovalMode]:
    return {_text(name): ApprovalMode(mode) for name, mode in dict(value).items()}


def _setting(default: Any, check: Check, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"check": check}, repr=not secret)


@dataclass(frozen=True)
class Settings:
    """One app's settings, checked. The field ``url_prefix`` is set by ``CAIRNLOOP_URL_PREFIX``, and so on."""

    #: Where the desk is mounted.
    url_prefix: str = _setting("/support", _prefix)
    #: The name shown at the head of the navigation.
    brand: str = _setting("Support", _text)
    #: A link back to the host's own app, shown in the navigation.
    home_url: str | None = _setting(None, _optional_text)
    #: Stylesheets linked after ours; override ``--cl-*`` tokens in them.
    stylesheets: tuple[str, ...] = _setting((), _words)
    #: The Redis that carries jobs and the live stream.
    redis_url: str = _setting("redis://127.0.0.1:6379/0", _redis)
    #: The RQ queue's name; two desks that share a Redis need two names.
    queue: str = _setting("cairnloop", _text)
    #: How pages hear of changes: ``sse``, or ``poll`` for hosts on sync workers.
    live: str = _setting("sse", _one_of("sse", "poll"))
    #: A customer's message reopens a conversation resolved at most this many days ago; later it opens a new one.
    reopen_days: int = _setting(7, _whole(0, 3650))
    #: Seconds of quiet after a customer's message before a draft is made.
    draft_delay: float = _setting(5.0, _number(0, 3600))
    #: Score from which the evidence is strong enough to answer.
    grounding_strong: float = _setting(0.55, _number(0, 1))
    #: Score from which one question back to the customer is worth it; below, a person is needed.
    grounding_clarify: float = _setting(0.45, _number(0, 1))
    #: Whose resolved cases an operator finds: those of everyone in the ``tenant``, or only their own (``operator``).
    case_scope: str = _setting("tenant", _one_of("tenant", "operator"))
    #: Days an unanswered question is remembered.
    gap_retention_days: int = _setting(90, _whole(1, 3650))
    #: Where the local embedding model lies; None for the user's cache directory.
    model_dir: str | None = _setting(None, _optional_text)
    #: The key of the Anthropic generator; None for the environment's ``ANTHROPIC_API_KEY``. Never stored or logged.
    anthropic_api_key: str | None = _setting(None, _optional_text, secret=True)
    #: The model that composes.
    anthropic_model: str = _setting("claude-sonnet-4-6", _text)
    #: Tokens one draft may have, at most.
    anthropic_max_tokens: int = _setting(1024, _whole(64, 32_000))
    #: Seconds one draft may take, retries included; then the deterministic generator composes it. At most 45.
    anthropic_timeout: float = _setting(20.0, _number(1, 45))  # a draft's job has 60
    #: How often a call that failed in passing is tried again.
    anthropic_retries: int = _setting(1, _whole(0, 5))
    #: Another address of the same interface, such as a gateway's; None for Anthropic's own.
    anthropic_base_url: str | None = _setting(None, _optional_text)
    #: Origins besides the host's own whose pages may open the widget's socket.
    widget_origins: tuple[str, ...] = _setting((), _words)
    #: Messages a customer may send per minute.
    widget_rate: int = _setting(60, _whole(1, 100_000))

    #: What operators and assistants may ask the host to do; see ``Tool``.
    tools: tuple[type[Tool], ...] = _setting((), _tools)
    #: Stricter approval modes by tool name; a looser one than the tool's own changes nothing.
    approval_overrides: Mapping[str, ApprovalMode] = _setting((), _modes)
    #: Seconds a proposed action waits for a decision.
    approval_ttl: float = _setting(172_800.0, _number(1, 365 * 86_400))

    operator_resolver: OperatorResolver = _setting(Nobody, _behaviour(OperatorResolver))
    context_provider: ContextProvider = _setting(NoContext, _behaviour(ContextProvider))
    automation_policy: AutomationPolicy = _setting(RequireApproval, _behaviour(AutomationPolicy))
    draft_generator: DraftGenerator = _setting(
        "flask_cairnloop.drafts.engines.extractive:ExtractiveGenerator", _behaviour(DraftGenerator)
    )
    embedder: Embedder | None = _setting(
        "flask_cairnloop.minilm:LocalEmbedder",
        lambda value: None if value is None else _behaviour(Embedder)(value),
    )
    widget_verifier: WidgetVerifier = _setting(RefuseAll, _behaviour(WidgetVerifier))
    auditor: Auditor = _setting(NoAuditor, _behaviour(Auditor))

    @classmethod
    def from_mapping(cls, config: Mapping[str, Any]) -> Settings:
        """Read a Flask config. Raises ``ConfigError`` naming every fault at once."""
        faults = _unknown(config)
        values: dict[str, Any] = {}
        for each in fields(cls):
            key = PREFIX + each.name.upper()
            raw = config.get(key, each.default)
            assert raw is not MISSING
            try:
                values[each.name] = each.metadata["check"](raw)
            except (ValueError, TypeError) as error:
                faults.append(f"{key} {error}" if str(error).startswith("needs") else f"{key}: {error}")
        if not faults and values["grounding_clarify"] > values["grounding_strong"]:
            faults.append("CAIRNLOOP_GROUNDING_CLARIFY must not be above CAIRNLOOP_GROUNDING_STRONG")
        if faults:
            raise ConfigError(faults)
        return cls(**values)


def keys() -> list[str]:
    """The name of every setting."""
    return [PREFIX + each.name.upper() for each in fields(Settings)]


def _unknown(config: Mapping[str, Any]) -> list[str]:
    known = keys()
    faults = []
    for key in sorted(key for key in config if isinstance(key, str) and key.startswith(PREFIX) and key not in known):
        close = difflib.get_close_matches(key, known, n=1)
        faults.append(f"{key} is no setting of ours" + (f"; did you mean {close[0]}?" if close else ""))
    return faults

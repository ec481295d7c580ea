"""What may be done in the host's application, by whom, and how it is done."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, SecretBytes, SecretStr

Option = TypeVar("Option", bound=StrEnum)
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
LONGEST_RUN = 600.0  # seconds a tool may ask for
SECRET_WORDS = ("password", "passphrase", "secret", "token", "api_key", "apikey", "credential", "private_key")


class RiskTier(StrEnum):
    """What an action can do to the host."""

    READ_ONLY = "read_only"  #: It looks something up.
    LOW_WRITE = "low_write"  #: It changes something that is easily put right.
    HIGH_WRITE = "high_write"  #: It changes something that costs money or trust.
    DESTRUCTIVE = "destructive"  #: What it does cannot be undone.


class ApprovalMode(StrEnum):
    """What has to happen before an action runs, from the loosest to the strictest."""

    AUTO = "auto"  #: Nothing: it runs, with the same trail.
    REQUIRES_APPROVAL = "requires_approval"  #: A person approves it.
    ALWAYS_BLOCK = "always_block"  #: It never runs.

    @property
    def strictness(self) -> int:
        """Its place in the order, from 0."""
        return list(ApprovalMode).index(self)


def derive_approval_mode(tier: RiskTier | str | None) -> ApprovalMode:
    """The mode a tier asks for; anything that is no tier is blocked."""
    return {
        RiskTier.READ_ONLY: ApprovalMode.AUTO,
        RiskTier.LOW_WRITE: ApprovalMode.REQUIRES_APPROVAL,
        RiskTier.HIGH_WRITE: ApprovalMode.REQUIRES_APPROVAL,
    }.get(tier, ApprovalMode.ALWAYS_BLOCK)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Deny:
    """A tool's refusal, with the reason a person reads."""

    reason: str


class _Allow:
    """The one answer of ``authorize`` that lets an action pass."""

    def __repr__(self) -> str:
        return "ALLOW"


ALLOW: Final = _Allow()


@dataclass(frozen=True)
class ToolSpec:
    """What a tool declares, frozen when its class is defined."""

    name: str
    title: str
    description: str
    risk_tier: RiskTier
    approval_mode: ApprovalMode
    #: Running it twice under one run key does it once, so it may be tried again.
    idempotent: bool
    #: Seconds a run may take.
    timeout: float
    #: The scope an approver needs; None: any operator may approve.
    approver_scope: str | None
    #: Whether the same input in another conversation is another request.
    per_conversation: bool
    #: Whether the proposer may not approve it.
    four_eyes: bool
    #: Seconds an approval may wait; None for the setting.
    approval_ttl: float | None
    #: Fields masked wherever they are shown.
    sensitive: frozenset[str]

    def mask(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """``values`` fit to be shown: fields declared sensitive, or named like a secret, are hidden at any depth."""
        return {key: _masked(key, value, self.sensitive) for key, value in values.items()}


def _masked(key: str, value: Any, sensitive: frozenset[str]) -> Any:
    if key in sensitive or any(word in key.lower() for word in SECRET_WORDS):
        return "••••••" if value not in (None, "") else value
    if isinstance(value, Mapping):
        return {inner: _masked(str(inner), each, sensitive) for inner, each in value.items()}
    if isinstance(value, list):
        return [_masked(key, each, sensitive) for each in value]
    return value


class Tool(BaseModel):
    """A host action: its typed input, who may ask for it, and what it does.

    The fields are its input. Class options: ``risk_tier`` (required), ``title``, ``description``, ``approval_mode``
    (derived from the tier), ``name`` (a slug of the class's name), ``idempotent``, ``timeout`` (seconds),
    ``approver_scope``, ``four_eyes`` (on for ``high_write``), ``per_conversation``, ``approval_ttl`` (seconds),
    ``sensitive`` (field names).
    A wrong option is a ``TypeError`` when the class is defined::

        class IssueRefund(Tool, risk_tier="low_write", title="Issue refund"):
            charge_id: str

            @classmethod
            def scope(cls): return {"billing"}
            def authorize(self, actor_id, context): return ALLOW
            def run(self, actor_id, context): return refund(self.charge_id, key=context["run_key"])
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    _spec: ClassVar[ToolSpec | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Check the class options once the fields are known."""
        cls._spec = _read_options(cls, options) if "risk_tier" in options else None
        if cls._spec is None and options:
            raise TypeError(f"{cls.__name__} needs risk_tier: one of {', '.join(RiskTier)}")
        shadowing = sorted(set(cls.model_fields) & _METHODS)
        if shadowing:
            raise TypeError(f"{cls.__name__} has a field named like a method of a tool: {', '.join(shadowing)}")

    @classmethod
    def tool_spec(cls) -> ToolSpec:
        """What the class declares. Raises ``TypeError`` for one without a ``risk_tier``."""
        if cls._spec is None:
            raise TypeError(f"{cls.__name__} needs risk_tier: one of {', '.join(RiskTier)}")
        return cls._spec

    @classmethod
    def input_schema(cls) -> dict[str, Any]:
        """The JSON schema (2020-12) of its input."""
        return cls.model_json_schema()

    @classmethod
    def version(cls) -> str:
        """Changes whenever its options or its input's schema do."""
        spec = {key: sorted(v) if isinstance(v, frozenset) else v for key, v in vars(cls.tool_spec()).items()}
        words = json.dumps([spec, cls.input_schema()], sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(words.encode()).hexdigest()

    @classmethod
    def lacking(cls) -> list[str]:
        """Which of the methods a tool needs this class does not define."""
        own = {name for kind in cls.__mro__ if issubclass(kind, Tool) and kind is not Tool for name in vars(kind)}
        return [name for name in ("scope", "run") if name not in own]

    @classmethod
    def scope(cls) -> set[str]:
        """The scopes a proposer needs, all of them. Every tool says; ``set()`` where none."""
        raise NotImplementedError

    @classmethod
    def changeset(cls, attrs: Mapping[str, Any]) -> Tool:
        """The input from raw values. Raises ``pydantic.ValidationError``; override for checks over several fields."""
        return cls.model_validate(dict(attrs))

    @classmethod
    def custom_ui(cls) -> str | None:
        """A template of the host shown in place of the generated form; None for the form."""
        return None

    def authorize(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        """``ALLOW`` or ``Deny(reason)``; anything else denies, and so does a tool that does not say."""
        return Deny("no_policy_defined")

    def preview(self) -> str | None:
        """What will happen, in one sentence; None for a list of the inputs."""
        return None

    def run(self, actor_id: str, context: Mapping[str, Any]) -> Any:
        """Do it. Called by the execution job alone, at most once per proposal unless ``idempotent``.

        ``context`` holds ``run_key`` (stable per proposal), ``attempt``, ``conversation_id``, ``account_id``,
        ``tenant``, ``origin`` and ``scopes``. Raise ``HostFailure`` to say why it cannot be done.
        """
        raise NotImplementedError


_METHODS = frozenset({"scope", "changeset", "custom_ui", "authorize", "preview", "run", "version", "lacking"})


def _read_options(cls: type[Tool], options: dict[str, Any]) -> ToolSpec:
    known = {"risk_tier", "approval_mode", "description", "name", "idempotent", "timeout"}
    known |= {"approver_scope", "four_eyes", "approval_ttl", "sensitive", "title", "per_conversation"}
    if unknown := sorted(set(options) - known):
        raise TypeError(f"{cls.__name__} has no option {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    tier = _option(cls, "risk_tier", options["risk_tier"], RiskTier)
    mode = options.get("approval_mode")
    sensitive = options.get("sensitive", ())
    if isinstance(sensitive, str) or not isinstance(sensitive, Iterable):
        raise TypeError(f"{cls.__name__}: sensitive needs a sequence of field names")
    sensitive = frozenset(sensitive)
    if stray := sorted(str(each) for each in sensitive - set(cls.model_fields)):
        raise TypeError(f"{cls.__name__}: sensitive names no field: {', '.join(stray)}")
    name = options.get("name") or _slug(cls.__name__)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise TypeError(f"{cls.__name__}: name {name!r} needs to be a slug such as issue_refund")
    _check_kinds(cls, options)
    _check_fields(cls)
    timeout = _seconds(cls, "timeout", options.get("timeout", 30.0), LONGEST_RUN)
    ttl = options.get("approval_ttl")
    return ToolSpec(
        name=name,
        title=_title(cls),
        description=str(options.get("description") or ""),
        risk_tier=tier,
        approval_mode=derive_approval_mode(tier) if mode is None else _option(cls, "approval_mode", mode, ApprovalMode),
        idempotent=bool(options.get("idempotent", False)),
        timeout=timeout,
        approver_scope=options.get("approver_scope"),
        per_conversation=bool(options.get("per_conversation", False)),
        four_eyes=bool(options.get("four_eyes", tier == RiskTier.HIGH_WRITE)),
        approval_ttl=None if ttl is None else _seconds(cls, "approval_ttl", ttl, 365 * 86400.0),
        sensitive=sensitive,
    )


def _title(cls: type[Tool]) -> str:
    """Its own title, which Pydantic keeps for itself, or its name in words; never its parent's."""
    title = cls.model_config.get("title")
    parents = {kind.model_config.get("title") for kind in cls.__mro__[1:] if issubclass(kind, BaseModel)}
    if title is None or title in parents:
        return _words(cls.__name__)
    if not isinstance(title, str):
        raise TypeError(f"{cls.__name__}: title needs a text, not {title!r}")
    return title


def _check_kinds(cls: type[Tool], options: dict[str, Any]) -> None:
    for names, kind, words in (
        (("idempotent", "four_eyes", "per_conversation"), bool, "True or False"),
        (("description", "approver_scope"), str, "a text"),
    ):
        for name in names:
            value = options.get(name)
            if value is not None and not isinstance(value, kind):
                raise TypeError(f"{cls.__name__}: {name} needs {words}, not {value!r}")
    if options.get("approver_scope") == "":
        raise TypeError(f"{cls.__name__}: approver_scope needs the name of a scope")


def _check_fields(cls: type[Tool]) -> None:
    """What is asked for is stored as JSON and read again before it runs; it has to come back as it was."""
    for name, field in cls.model_fields.items():
        if field.alias is not None or field.validation_alias is not None:
            raise TypeError(f"{cls.__name__}: {name} has an alias; a tool's input goes by the names of its fields")
        if _hides(field.annotation):
            raise TypeError(f"{cls.__name__}: {name} would be stored as stars; use a text and sensitive=({name!r},)")


def _hides(annotation: Any) -> bool:
    kinds = (annotation, *get_args(annotation))
    return any(isinstance(kind, type) and issubclass(kind, SecretStr | SecretBytes) for kind in kinds)


def _option(cls: type[Tool], name: str, value: Any, kind: type[Option]) -> Option:
    try:
        return kind(value)
    except ValueError:
        raise TypeError(f"{cls.__name__}: {name} {value!r} is none of {', '.join(kind)}") from None


def _seconds(cls: type[Tool], name: str, value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise TypeError(f"{cls.__name__}: {name} needs seconds above 0 and up to {most:g}")
    return float(value)


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).capitalize()


def _slug(name: str) -> str:
    return _words(name).lower().replace(" ", "_")

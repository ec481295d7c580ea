"""Flask-Cairnloop: a whole customer-support desk inside a Flask application."""

from __future__ import annotations

from flask_cairnloop.core.database import joined
from flask_cairnloop.core.errors import (
    CairnloopError,
    ConfigError,
    HostFailure,
    InvalidInput,
    InvalidTransition,
    NotAllowed,
    NotFound,
    NotMigrated,
)
from flask_cairnloop.extension import Cairnloop
from flask_cairnloop.host import (
    SYSTEM,
    Auditor,
    AutomationPolicy,
    ContextProvider,
    Customer,
    Decision,
    DraftGenerator,
    DraftKind,
    DraftProposal,
    Embedder,
    Operator,
    OperatorResolver,
    Sentence,
    WidgetVerifier,
)
from flask_cairnloop.host.tool import ALLOW, ApprovalMode, Deny, RiskTier, Tool, ToolSpec, derive_approval_mode
from flask_cairnloop.http_embedder import HTTPEmbedder

__all__ = [
    "ALLOW",
    "SYSTEM",
    "ApprovalMode",
    "Auditor",
    "AutomationPolicy",
    "Cairnloop",
    "CairnloopError",
    "ConfigError",
    "ContextProvider",
    "Customer",
    "Decision",
    "Deny",
    "DraftGenerator",
    "DraftKind",
    "DraftProposal",
    "Embedder",
    "HTTPEmbedder",
    "HostFailure",
    "InvalidInput",
    "InvalidTransition",
    "NotAllowed",
    "NotFound",
    "NotMigrated",
    "Operator",
    "OperatorResolver",
    "RiskTier",
    "Sentence",
    "Tool",
    "ToolSpec",
    "WidgetVerifier",
    "derive_approval_mode",
    "joined",
]

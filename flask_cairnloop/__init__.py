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
from flask_cairnloop.http_embedder import HTTPEmbedder

__all__ = [
    "SYSTEM",
    "Auditor",
    "AutomationPolicy",
    "Cairnloop",
    "CairnloopError",
    "ConfigError",
    "ContextProvider",
    "Customer",
    "Decision",
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
    "Sentence",
    "WidgetVerifier",
    "joined",
]

"""What a host may supply: one behaviour per file, each with its default. Start reading here."""

from __future__ import annotations

from flask_cairnloop.host.auditor import Auditor
from flask_cairnloop.host.automation_policy import AutomationPolicy, Decision
from flask_cairnloop.host.context_provider import ContextProvider
from flask_cairnloop.host.draft_generator import DraftGenerator, DraftKind, DraftProposal, Sentence
from flask_cairnloop.host.embedder import Embedder
from flask_cairnloop.host.operators import OperatorResolver
from flask_cairnloop.host.people import SYSTEM, Actor, Customer, Operator, System
from flask_cairnloop.host.widget_verifier import WidgetVerifier

__all__ = [
    "SYSTEM",
    "Actor",
    "Auditor",
    "AutomationPolicy",
    "ContextProvider",
    "Customer",
    "Decision",
    "DraftGenerator",
    "DraftKind",
    "DraftProposal",
    "Embedder",
    "Operator",
    "OperatorResolver",
    "Sentence",
    "System",
    "WidgetVerifier",
]

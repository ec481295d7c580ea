"""Spans and metrics, for watching only: names are dotted, labels are closed sets, nothing on screen reads them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from blinker import Namespace
from flask import current_app

from flask_cairnloop.core.signalling import deliver

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

_spans = Namespace()

#: Every metric: name, help, and the values each label may take. Anything else is counted as ``other``.
COUNTERS: dict[str, tuple[str, dict[str, frozenset[str]]]] = {
    "cairnloop_messages": (
        "Messages saved",
        {"role": frozenset({"user", "agent", "system", "internal_note"})},
    ),
    "cairnloop_drafts": (
        "Drafts by what became of them",
        {"outcome": frozenset({"pending", "sent", "approved", "edited", "discarded", "superseded", "denied", "stale"})},
    ),
    "cairnloop_groundings": (
        "Questions by how well the knowledge base answers them",
        {"level": frozenset({"strong", "clarification", "escalation"})},
    ),
    "cairnloop_gaps": (
        "Questions the knowledge base did not answer",
        {"source": frozenset({"draft", "search"}), "level": frozenset({"clarification", "escalation"})},
    ),
    "cairnloop_host_failures": (
        "Calls into the host application that failed",
        {
            "behaviour": frozenset(
                {"operator_resolver", "context_provider", "automation_policy", "draft_generator", "embedder"}
                | {"widget_verifier", "auditor", "subscriber", "tool"}
            )
        },
    ),
    "cairnloop_actions": (
        "Steps of proposed actions",
        {
            "event": frozenset(
                {"proposal_created", "proposal_blocked", "approval_requested", "approved", "rejected", "deferred"}
                | {"returned", "withdrawn", "expired", "revalidation_passed", "revalidation_failed", "settled"}
                | {"execution_started", "execution_attempt_failed", "execution_succeeded", "execution_failed"}
                | {"outcome_lost"}
            ),
            "risk_tier": frozenset({"read_only", "low_write", "high_write", "destructive"}),
        },
    ),
    "cairnloop_widget_frames": (
        "Frames a widget sent",
        {"type": frozenset({"hello", "send", "typing", "seen", "history", "talk_to_person", "ping", "refused"})},
    ),
}
#: Every amount that is measured, as ``COUNTERS``; the last item holds the histogram's bounds.
AMOUNTS: dict[str, tuple[str, dict[str, frozenset[str]], tuple[float, ...]]] = {
    "cairnloop_draft_tokens": (
        "Tokens of one draft by a language model",
        {"kind": frozenset({"input", "cached", "output"})},
        (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000),
    ),
}
#: Every operation that is timed as a span.
SPANS = frozenset(
    {"conversation.resolve", "conversation.receive", "conversation.reply", "draft.generate", "draft.approve"}
    | {"retrieval.search", "retrieval.draft_grounding", "retrieval.index_case", "knowledge.index"}
    | {"governance.execute", "job.run"}
)


def count(name: str, **labels: str) -> None:
    """Add one to a counter of ``COUNTERS``. Unknown label values are counted as ``other``."""
    _counter(name).labels(**_closed(COUNTERS[name][1], labels)).inc()


def measure(name: str, amount: float, **labels: str) -> None:
    """Record one of ``AMOUNTS``. Unknown label values are recorded as ``other``."""
    help_text, allowed, bounds = AMOUNTS[name]
    if name not in _metrics:
        from prometheus_client import Histogram

        _metrics[name] = Histogram(name, help_text, list(allowed), buckets=bounds)
    _metrics[name].labels(**_closed(allowed, labels)).observe(amount)


def _closed(allowed: Mapping[str, frozenset[str]], labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value if value in allowed[key] else "other" for key, value in labels.items()}


@contextmanager
def span(name: str) -> Iterator[None]:
    """Time the block under a name of ``SPANS``.

    Sends the signals ``cairnloop.<name>.start``, then ``.stop`` with ``duration`` in seconds, or ``.exception``.
    """
    if name not in SPANS:
        raise ValueError(f"{name!r} is no span of ours")
    started = time.perf_counter()
    _send(f"cairnloop.{name}.start")
    try:
        yield
    except BaseException as error:
        duration = time.perf_counter() - started
        _send(f"cairnloop.{name}.exception", duration=duration, kind=type(error).__name__)
        _histogram().labels(span=name, outcome="exception").observe(duration)
        raise
    duration = time.perf_counter() - started
    _send(f"cairnloop.{name}.stop", duration=duration)
    _histogram().labels(span=name, outcome="ok").observe(duration)


def span_signal(name: str) -> Any:
    """The blinker signal of one span event, such as ``cairnloop.conversation.resolve.stop``."""
    return _spans.signal(name)


def _send(name: str, **measurements: object) -> None:
    signal = _spans.get(name)
    if signal is not None and signal.receivers:
        deliver(signal, current_app._get_current_object(), **measurements)  # type: ignore[attr-defined]


_metrics: dict[str, Any] = {}


def _counter(name: str) -> Counter:
    if name not in _metrics:
        from prometheus_client import Counter

        help_text, labels = COUNTERS[name]
        _metrics[name] = Counter(name, help_text, list(labels))
    found: Counter = _metrics[name]
    return found


def _histogram() -> Histogram:
    if "span" not in _metrics:
        from prometheus_client import Histogram

        _metrics["span"] = Histogram("cairnloop_span_seconds", "Time an operation took", ["span", "outcome"])
    found: Histogram = _metrics["span"]
    return found

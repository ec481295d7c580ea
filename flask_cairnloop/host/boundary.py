"""The one place where the host's code is called, and where whatever it raises becomes a ``HostFailure``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask_cairnloop.core import telemetry
from flask_cairnloop.core.errors import HostFailure

log = logging.getLogger("flask_cairnloop.host")
T = TypeVar("T")
SLOW = 0.5  # seconds
SLOW_WORK = 10.0  # seconds, for what only jobs ask
_WORK = frozenset({"embedder", "draft_generator"})


def ask(behaviour: str, method: Callable[..., T], *args: Any, **opts: Any) -> T:
    """Call a host behaviour.

    Raises ``HostFailure`` for anything it raises, and for a ``HostFailure`` it returns. A slow call is logged.
    """
    started = time.perf_counter()
    try:
        answer = method(*args, **opts)
    except HostFailure as failure:
        telemetry.count("cairnloop_host_failures", behaviour=behaviour)
        log.info("%s refused: %s", behaviour, failure.reason)
        raise
    except Exception as failure:
        telemetry.count("cairnloop_host_failures", behaviour=behaviour)
        # anybody can send a forged token, so a verifier that raises is no news worth a traceback
        level = logging.INFO if behaviour == "widget_verifier" else logging.ERROR
        log.log(level, "%s failed: %r", behaviour, failure, exc_info=level == logging.ERROR)
        raise HostFailure(f"{type(failure).__name__} in {behaviour}") from failure
    if isinstance(answer, HostFailure):
        telemetry.count("cairnloop_host_failures", behaviour=behaviour)
        raise answer
    if (took := time.perf_counter() - started) > (SLOW_WORK if behaviour in _WORK else SLOW):
        log.warning("%s took %.2f s", behaviour, took)
    return answer

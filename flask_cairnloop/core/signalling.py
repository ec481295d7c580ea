"""Handing a signal to the host's subscribers: a failing one is logged and never fails the change."""

from __future__ import annotations

import logging
from typing import Any

from blinker import Signal

log = logging.getLogger("flask_cairnloop.signals")


def deliver(signal: Signal, sender: object, **payload: Any) -> None:
    """Call every subscriber of ``signal``; what one raises is logged with its name."""
    for receiver in signal.receivers_for(sender):
        try:
            receiver(sender, **payload)
        except Exception:
            log.exception("a subscriber of %s failed: %r", getattr(signal, "name", signal), receiver)

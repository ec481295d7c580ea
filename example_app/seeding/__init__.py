"""Fills Trailmark with a believable month, through public verbs only. Running it again changes nothing."""

from __future__ import annotations

"""Draft generators that come with the desk."""

from __future__ import annotations

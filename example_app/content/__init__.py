"""The texts of the demo: articles, conversations, and what customers tend to ask."""

from __future__ import annotations

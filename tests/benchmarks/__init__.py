"""How fast, how many, compared with what: ratios measured side by side in one run. ``make bench`` prints them."""

from __future__ import annotations

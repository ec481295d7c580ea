"""What Trailmark supplies to its support desk: one behaviour per file."""

from __future__ import annotations

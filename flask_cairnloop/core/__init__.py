"""What every domain may lean on: database, jobs, live stream, states, errors, telemetry. It knows no support noun."""

from __future__ import annotations

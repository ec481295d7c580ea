"""Text from outside, made fit to store."""

from __future__ import annotations

from flask_cairnloop.core.errors import InvalidInput


def clean(value: object, *, field: str, limit: int, required: bool = True) -> str:
    """``value`` trimmed, without NUL bytes and lone surrogates, at most ``limit`` characters.

    Raises ``InvalidInput`` naming ``field`` when it is no text, too long, or empty though ``required``.
    """
    if not isinstance(value, str):
        raise InvalidInput({field: "needs to be text"})
    text = value.replace("\0", "").encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").strip()
    if required and not text:
        raise InvalidInput({field: "cannot be empty"})
    if len(text) > limit:
        raise InvalidInput({field: f"is {len(text):,} characters long; {limit:,} are allowed"})
    return text

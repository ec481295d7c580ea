"""May a page of this origin open the socket?"""

from __future__ import annotations

from collections.abc import Container
from urllib.parse import urlsplit

ANY = "*"


def allowed(origin: str | None, host: str, others: Container[str]) -> bool:
    """Whether ``origin`` is the host's own or among ``others``; ``*`` among them allows every page and none at all."""
    if ANY in others:
        return True
    if not origin:
        return False
    return origin.rstrip("/") in others or _place(urlsplit(origin).netloc) == _place(host)


def _place(netloc: str) -> str:
    return netloc.lower().removesuffix(":80").removesuffix(":443")

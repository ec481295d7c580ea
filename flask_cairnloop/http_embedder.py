"""An embedder behind an HTTP endpoint that speaks OpenAI's or Voyage's format. Importing loads nothing heavy."""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask_cairnloop.core.errors import HostFailure

if TYPE_CHECKING:
    from httpx2 import Client, Response

CONNECTING = 5.0  # seconds
BACKOFF = (0.5, 1.0, 2.0, 4.0)  # seconds before the next attempt, where the server names none
NUMBER_BYTES = 40  # of one number written out, at most
ANSWER_BYTES = 1 << 20  # of an answer beside its numbers
#: What each kind of endpoint is called by default, and where it keeps its key.
STYLES = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "voyage": ("https://api.voyageai.com/v1", "VOYAGE_API_KEY"),
}
_REFUSED = {
    400: "did not accept the request (400); check the model and the dimension",
    401: "did not accept the key (401)",
    402: "wants to be paid (402)",
    403: "does not allow this key to do it (403)",
    404: "knows no such model or address (404)",
    413: "found the texts too long (413)",
    422: "did not accept the request (422); check the model and the dimension",
}


class _Passing(Exception):
    """A failure that may be gone in a moment; ``wait`` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(reason)


class HTTPEmbedder:
    """Vectors from ``POST {base_url}/embeddings``.

    ``style`` is ``openai`` (and the many servers that copy it) or ``voyage``. Without ``api_key`` the environment's
    ``key_variable`` is read; at the vendor's own address that is ``OPENAI_API_KEY`` or ``VOYAGE_API_KEY`` unless said
    otherwise, and no key is ever sent anywhere else unasked. ``send_dimension`` asks the model for ``dimension``
    numbers; leave it out for models that know one length only. Texts are cut at ``longest`` characters;
    one call holds at most ``batch_size`` texts and ``batch_characters`` characters. ``timeout`` (seconds) bounds one
    ``embed``, every attempt and pause of it; ``question_timeout`` what an operator or a customer waits for.

    ``embed`` raises ``HostFailure``: permanent where the endpoint refuses, passing where it is busy or out of reach.
    """

    def __init__(
        self,
        model: str,
        dimension: int,
        *,
        style: str = "openai",
        base_url: str | None = None,
        api_key: str | None = None,
        key_variable: str | None = None,
        send_dimension: bool = False,
        batch_size: int = 64,
        batch_characters: int = 100_000,
        longest: int = 8_000,
        timeout: float = 60.0,
        question_timeout: float = 5.0,
        retries: int = 3,
    ) -> None:
        if style not in STYLES:
            raise ValueError(f"style needs one of {', '.join(STYLES)}")
        if not model or min(dimension, batch_size, batch_characters, longest) < 1 or retries < 0:
            raise ValueError("needs a model, and whole numbers above zero")
        if min(timeout, question_timeout) <= 0:
            raise ValueError("needs timeouts above zero")
        self.model = model
        self.dimension = dimension
        #: Model and length: vectors of two lengths are never compared.
        self.name = f"{model}/{dimension}"
        self.style = style
        self.base_url = (base_url or STYLES[style][0]).rstrip("/")
        if not self.base_url.startswith(("https://", "http://")):
            raise ValueError("base_url needs an http:// or https:// address")
        self.batch_size = batch_size
        self._batch_characters = batch_characters
        self._longest = longest
        self._send_dimension = send_dimension
        self._timeouts = {"document": timeout, "query": question_timeout}
        self._retries = retries
        self._key = api_key
        self._key_variable = key_variable or (STYLES[style][1] if base_url is None else "")
        self._clients: dict[int, Client] = {}
        self._opening = Lock()

    def __repr__(self) -> str:
        return f"HTTPEmbedder({self.name!r}, style={self.style!r})"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text, in order. Raises ``HostFailure``."""
        return self._embed(texts, "document", self._retries)

    def embed_questions(self, texts: Sequence[str]) -> list[list[float]]:
        """As ``embed``, for questions: Voyage's models tell them from passages; tried once, and in less time."""
        return self._embed(texts, "query", 0)

    def _embed(self, texts: Sequence[str], purpose: str, retries: int) -> list[list[float]]:
        deadline = time.monotonic() + self._timeouts[purpose]
        vectors: list[list[float]] = []
        for batch in self._batches(texts):
            vectors += self._insist(self._body(batch, purpose), len(batch), deadline, retries)
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        size = 0
        for text in texts:
            fit = text[: self._longest].encode("utf-8", "replace").decode("utf-8") or " "
            if batch and (len(batch) >= self.batch_size or size + len(fit) > self._batch_characters):
                yield batch
                batch, size = [], 0
            batch.append(fit)
            size += len(fit)
        if batch:
            yield batch

    def _body(self, batch: list[str], purpose: str) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "input": batch}
        if self.style == "voyage":
            body |= {"input_type": purpose, "truncation": True}
            return body | ({"output_dimension": self.dimension} if self._send_dimension else {})
        body["encoding_format"] = "float"
        return body | ({"dimensions": self.dimension} if self._send_dimension else {})

    def _insist(self, body: dict[str, Any], count: int, deadline: float, retries: int) -> list[list[float]]:
        attempt = 0
        while True:
            try:
                return self._checked(self._ask(body, count, deadline), count)
            except _Passing as failure:
                pause = BACKOFF[min(attempt, len(BACKOFF) - 1)] * random.uniform(0.8, 1.2)
                pause = pause if failure.wait is None else failure.wait
                if attempt >= retries or time.monotonic() + pause >= deadline:
                    raise HostFailure(f"the endpoint of {self.model} {failure}") from None
                attempt += 1
                time.sleep(pause)

    def _ask(self, body: dict[str, Any], count: int, deadline: float) -> Any:
        import httpx2

        left = deadline - time.monotonic()
        if left <= 0:
            raise _Passing("did not answer in time")
        limits = httpx2.Timeout(left, connect=min(CONNECTING, left))
        try:
            with self._client().stream(
                "POST", f"{self.base_url}/embeddings", json=body, headers=self._headers(), timeout=limits
            ) as response:
                self._refuse(response)
                answer = self._read(response, count, deadline)
        except httpx2.TimeoutException:
            raise _Passing("did not answer in time") from None
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.LocalProtocolError):
            raise self._permanent("cannot be called: check base_url and api_key") from None
        except httpx2.HTTPError as error:
            raise _Passing(f"could not be reached or broke off ({type(error).__name__})") from None
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise _Passing("answered something that is no JSON") from None

    def _refuse(self, response: Response) -> None:
        status = response.status_code
        if status == 200:
            return
        if status == 429 or status == 408 or status >= 500:
            words = "is at its rate limit (429)" if status == 429 else f"failed ({status})"
            raise _Passing(words, _wait(response.headers.get("retry-after")))
        raise self._permanent(_REFUSED.get(status, f"answered with status {status}"))

    def _read(self, response: Response, count: int, deadline: float) -> bytes:
        """The body, in bounded time and space: a read timeout alone lets a server trickle for ever."""
        most = ANSWER_BYTES + count * self.dimension * NUMBER_BYTES
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > most:
                raise self._permanent("answered more than any vectors need")
            if time.monotonic() > deadline:
                raise _Passing("did not answer in time")
        return bytes(body)

    def _checked(self, answer: Any, count: int) -> list[list[float]]:
        try:
            by_place = {int(item["index"]): [float(n) for n in item["embedding"]] for item in answer["data"]}
            vectors = [by_place[place] for place in range(count)]
            extra = len(answer["data"]) - count
        except (KeyError, TypeError, ValueError, OverflowError):
            raise _Passing(f"did not answer one vector for each of {count} texts") from None
        if extra:
            raise _Passing(f"answered {count + extra} vectors for {count} texts")
        for vector in vectors:
            if len(vector) != self.dimension:
                raise self._permanent(f"answered {len(vector)} numbers instead of {self.dimension}")
            length = math.hypot(*vector)
            if not math.isfinite(length) or length == 0:
                raise _Passing("answered a vector without direction")
        return vectors

    def _headers(self) -> dict[str, str]:
        key = (self._key if self._key is not None else os.environ.get(self._key_variable, "")).strip()
        if not (key.isascii() and key.isprintable()):
            raise self._permanent("was not called: the key has characters no key has")
        headers = {"Accept-Encoding": "identity"}  # nothing grows while it is unpacked
        return headers | ({"Authorization": f"Bearer {key}"} if key else {})

    def _client(self) -> Client:
        """This process's connections: after a fork the parent's are not ours to use."""
        import httpx2

        mine = os.getpid()
        with self._opening:
            if mine not in self._clients:
                self._clients = {mine: httpx2.Client(follow_redirects=False)}
            return self._clients[mine]

    def _permanent(self, words: str) -> HostFailure:
        return HostFailure(f"the endpoint of {self.model} {words}", permanent=True)


def _wait(header: str | None) -> float | None:
    """What ``Retry-After`` asks for, in seconds: a number or a date (RFC 9110, 10.2.3); None where it says neither."""
    try:
        seconds = float(header or "")
    except ValueError:
        try:
            moment = parsedate_to_datetime(header or "")
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None

"""What must not be kept of a text: addresses, numbers and secrets give way to short markers, and so do given names.

Every pattern is bounded, so the time grows with the text and no faster. Ordinary words, prices, dates, versions and
model numbers stay readable; where a number may be either, the shape in which people write it decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

from flask_cairnloop.retrieval.names import name_pattern

MARKER = re.compile(r"\[(?:e-mail|phone|card|iban|token|name)\]")
ROUNDS = 6  # one marker may lay bare what stood behind it; more than two are seldom needed

_URL = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s<>\"]+")
_EMAIL = re.compile(r"[\w.!#$%&'*+/=^`{|}~-]{1,64}[@＠](?:[\w-]{1,63}\.){0,8}(?:[^\W\d_][\w-]{1,62}|localhost)")
_EMAIL_IN_WORDS = re.compile(
    r"[\w.+-]{1,64} {0,2}[\[(] ?at ?[\])] {0,2}[\w-]{1,63}(?: ?[\[(] ?dot ?[\])] ?|\.)[^\W\d_]{2,63}", re.I
)
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?(?!\w)", re.ASCII)
_CARD = re.compile(r"(?<!\d)(?:\d[ \u00a0.-]?){12,}\d")

_S = r"[ \u00a0\u202f().‐‑–/-]"  # what people put between the digits of a telephone number
_END = r"(?!\w|\[(?:e-mail|phone|card|iban|token|name)\])"
_DATE = r"(?!\d{1,2}([./-])\d{1,2}\1\d{4}\b|[0-3]?\d([./-])[01]?\d\2\d\d(?!\d|[./-]\d))"
_EXTENSION = r"(?: {0,2}(?:x|ext\.?|extension|#) ?\d{1,5})?"
_CALL = r"(?:phone|telephone|tel|mobile|cell|fax|whatsapp|sms|call|dial|ring|handy)"
_PHONES = (
    re.compile(
        rf"(?<![\w+\]])(?:\+|\(\+|00(?=[ \u00a0(.-]?[1-9])){_S}{{0,2}}(?:\d{_S}{{0,3}}){{7,14}}\d{_END}{_EXTENSION}"
    ),
    re.compile(rf"(?<![\w.,+/\]-]){_DATE}\(?0\d(?:{_S}{{0,3}}\d){{7,10}}{_END}{_EXTENSION}"),
    re.compile(rf"(?<![\w.,\]-])(?:1[ .-]?)?(?:\(\d{{3}}\) ?|\d{{3}}[ .-])\d{{3}}[ .-]\d{{4}}(?!-){_END}{_EXTENSION}"),
)
_GROUPS = re.compile(rf"(?<![\w.,\]-])\d{{2,3}}(?:[ -]\d{{2,3}}){{2,}}(?!-){_END}")
_NATIONAL = re.compile(r"\d{3} \d\d \d\d \d\d|\d\d \d{3} \d\d \d\d|\d\d \d\d \d\d \d\d|\d{3}([ -])\d{3}\1\d{3}")
_CALLED = re.compile(
    rf"(?<![\w\[])({_CALL}\W{{0,4}}(?:(?:me|us|back|at|on|is|my|no|nr|number|under)\W{{1,3}}){{0,4}})"
    rf"(\+?\d(?:{_S}{{0,2}}\d){{5,14}}){_END}",
    re.I,
)

_SAID_SECRET = re.compile(
    r"(?<!\w)((?:[\w-]{0,30}[_-])?(?:token|key|secret|password|passwd|passphrase|pwd|passcode|pin|otp|auth|session|sig"
    r"|signature|credential|authorization|bearer|apikey)s?[\"']?(?: {0,2}[:=] {0,2}| )(?:bearer |basic )?)"
    r"([\"']?)([^\s\[\]\"',;]{3,400})",
    re.I,
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}(?:\.[\w-]+){1,4}")
_KNOWN = re.compile(
    r"(?<!\w)(?:(?:sk|pk|rk|whsec|gh[opsur]|github_pat|glpat|xox[abeprs]|xapp|hf|npm|pypi|shpat|dop_v1|sq0\w{3})[-_]"
    r"(?=[\w-]{0,200}\d)[\w-]{8,400}|(?:AKIA|ASIA)[0-9A-Z]{12,}|AIza[\w-]{20,}|ya29\.[\w-]{10,}|SG\.[\w.-]{20,})"
)
_RUN = re.compile(r"[A-Za-z0-9_-]{16,}=*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}=*")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_HEX = re.compile(r"[0-9a-f]{24,}", re.I)


def redact(text: str, *, names: Iterable[str | None] = ()) -> str:
    """``text`` with markers in the place of what must not be kept; redacting it again changes nothing.

    E-mail addresses, telephone, card and account numbers (IBAN), tokens (keys, JSON web tokens, long random strings,
    credentials and query strings of addresses) and the ``names`` of people. Card numbers are told from order numbers
    by their check digit (Luhn), account numbers by theirs (ISO 7064, mod 97-10). NUL bytes and lone surrogates go.
    """
    text = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    called = name_pattern(names, also=MARKER.pattern)
    for _ in range(ROUNDS):
        before, text = text, _once(text, called)
        if text == before:
            break
    return text


def _once(text: str, called: re.Pattern[str] | None) -> str:
    text = _URL.sub(_bare_url, text)
    for pattern, marker in ((_JWT, "[token]"), (_KNOWN, "[token]")):
        text = pattern.sub(marker, text)
    text = _SAID_SECRET.sub(_said_secret, text)
    text = _EMAIL_IN_WORDS.sub("[e-mail]", _EMAIL.sub("[e-mail]", text))
    text = _BASE64.sub(_judged(_is_base64), text)
    text = _RUN.sub(_judged(_is_secret), text)
    text = _IBAN.sub(_iban, text)
    text = _CARD.sub(_card, text)
    for pattern in _PHONES:
        text = pattern.sub("[phone]", text)
    text = _GROUPS.sub(lambda found: "[phone]" if _NATIONAL.fullmatch(found[0]) else found[0], text)
    text = _CALLED.sub(r"\1[phone]", text)
    if called is not None:
        text = called.sub(lambda found: found[0] if MARKER.fullmatch(found[0]) else "[name]", text)
    return text


def _bare_url(found: re.Match[str]) -> str:
    """An address without whom it speaks for and what it was asked."""
    scheme, _, rest = found[0].partition("://")
    place, mark, asked = re.split(r"([?#])", rest, maxsplit=1) if re.search(r"[?#]", rest) else (rest, "", "")
    host, slash, path = place.partition("/")
    if "@" in host:
        host = "[token]@" + host.rpartition("@")[2]
    end = re.search(r"[.,;:!?)]*$", asked)
    tail = end[0] if end and end[0] != asked else asked if end and end[0] == asked else ""
    return f"{scheme}://{host}{slash}{path}" + (mark + ("[token]" if asked != tail else "") + tail if mark else "")


def _said_secret(found: re.Match[str]) -> str:
    """What follows "password:" or "api_key=", where it looks like one."""
    said, quote, value = found.groups()
    end = re.search(r"[.!?)]*$", value)
    tail = end[0] if end else ""
    core = value.removesuffix(tail)
    mixed = len(core) > 3 and any(c.isdigit() for c in core) and not re.fullmatch(r"\d{1,3}(?:[.,]\d+)?%?", core)
    if said.endswith(" ") and not re.search(r"[:=] *$|(?:bearer|basic) $", said, re.I):
        mixed = mixed and any(c.isalpha() for c in core) and len(core) > 7 and "bearer" in said.lower()
    assigned = "=" in said and core != ""
    return f"{said}{quote}[token]{tail}" if mixed or assigned else found[0]


def _judged(judge: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    return lambda found: "[token]" if judge(found[0]) else found[0]


def _is_secret(run: str) -> bool:
    """Whether a run of letters and digits is none that people write: no word, no number, no model."""
    if _UUID.search(run):
        return True
    pieces = re.split(r"[-_=]+", run)
    if any(_is_random(piece) for piece in pieces if len(piece) > 15):
        return True
    mixed = [piece for piece in pieces if _turns(piece) > 1]
    return sum(map(len, mixed)) > 19 and any(map(str.islower, run)) and any(map(str.isupper, run))


def _is_random(piece: str) -> bool:
    if _HEX.fullmatch(piece):
        return True
    digits = sum(map(str.isdigit, piece))
    if digits == len(piece):
        return False
    cased = any(map(str.islower, piece)) and any(map(str.isupper, piece))
    if digits == 0:
        return len(piece) > 31 and cased and _turns(piece, str.isupper) > 5
    return _turns(piece) > 3 or (cased and digits > 1 and _turns(piece, str.isupper) > 3)


def _turns(piece: str, kind: Callable[[str], bool] = str.isdigit) -> int:
    """How often letters give way to digits, or the other way."""
    return sum(kind(a) != kind(b) for a, b in pairwise(piece))


def _is_base64(run: str) -> bool:
    pieces = re.split(r"[+/=]", run)
    return 2 * sum(len(piece) for piece in pieces if len(piece) > 15 and _is_random(piece)) > len(run)


def _iban(found: re.Match[str]) -> str:
    """The longest beginning that is an account number, by its check digits or else by being mostly digits."""
    groups = re.split(r"([ -])", found[0])
    for end in range(len(groups), 0, -2):
        compact = "".join(groups[0:end:2])
        if 15 <= len(compact) <= 34 and _checks_out(compact):
            return "[iban]" + "".join(groups[end:])
    while len(groups) > 1 and not any(map(str.isdigit, groups[-1])):
        groups = groups[:-2]
    known = "".join(groups)
    if len(known) > 14 and sum(map(str.isdigit, known)) > 11 and known[:2].isupper():
        return "[iban]" + found[0][len(known) :]
    return found[0]


def _checks_out(account: str) -> bool:
    return int("".join(str(int(c, 36)) for c in account[4:] + account[:4])) % 97 == 1


def _card(found: re.Match[str]) -> str:
    """A run of groups of digits, with those that are a card's number replaced."""
    groups = re.split(r"([ \u00a0.-])", found[0])
    numbers = groups[::2]
    start, told = 0, ""
    while start < len(numbers):
        end = _card_end(numbers, start)
        told += numbers[start] if end is None else "[card]"
        start = end or start + 1
        told += groups[2 * start - 1] if start < len(numbers) else ""
    return told


def _card_end(numbers: list[str], start: int) -> int | None:
    """Where the longest card's number ends that begins at ``start``: by its check digit, or four times four."""
    digits, longest = "", None
    for end in range(start, min(start + 7, len(numbers))):
        digits += numbers[end]
        fours = [len(number) for number in numbers[start : end + 1]] == [4, 4, 4, 4]
        if 13 <= len(digits) <= 19 and (fours or _luhn(digits)):
            longest = end + 1
        if len(numbers[end]) < 3 or len(digits) > 19:
            break
    return longest


def _luhn(digits: str) -> bool:
    numbers = [int(digit) for digit in reversed(digits)]
    doubled = sum(sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return (sum(numbers[::2]) + doubled) % 10 == 0 and any(numbers)

"""What in a sentence is either right or wrong: numbers, amounts, dates, times, addresses, codes and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import partial

from flask_cairnloop.drafts.stems import COMMON, WORD, stem

BESIDE = 2  # words with a meaning, on either side of a number, which say what it counts


FactKind = StrEnum("FactKind", ["ADDRESS", "AMOUNT", "DATE", "TIME", "NUMBER", "CODE", "NAME"])
"""An address is of the web, of mail or of a telephone; a code is letters and digits in one word."""


@dataclass(frozen=True)
class Fact:
    """One fact: its normalised ``values`` (several where the writing is ambiguous) and how it was ``shown``.

    ``beside`` are the words next to a number, ``around`` all of its sentence: a number is only carried by one that
    stands with at least one of the same words.
    """

    kind: FactKind
    values: frozenset[str]
    shown: str
    unit: str = ""
    beside: frozenset[str] = frozenset()
    around: frozenset[str] = frozenset()

    def is_carried_by(self, other: Fact) -> bool:
        """Whether ``other``, read from the evidence, says the same of the same thing."""
        if not self.values & other.values:
            return False
        if self.kind in _EXACT:
            return self.kind == other.kind
        if self.kind == FactKind.AMOUNT and other.kind != FactKind.AMOUNT:
            return False
        if self.unit and self.unit != other.unit and (other.unit or self.unit not in other.around):
            return False
        return not self.beside or bool(self.beside & other.around)


_EXACT = frozenset({FactKind.ADDRESS, FactKind.DATE, FactKind.TIME, FactKind.CODE, FactKind.NAME})

_TOP = (
    "com|org|net|edu|gov|mil|int|info|biz|io|co|ai|app|dev|me|tv|us|uk|de|fr|es|it|nl|eu|ch|at|be|se|no|dk|fi|pl|ru|cn"
    "|jp|in|au|ca|br|mx|xyz|site|online|shop|store|cloud|support|help|example|test|invalid"
)
_SCHEME = r"(?:[a-z][a-z0-9+.-]{1,20}://|(?:javascript|data|mailto|tel|sms|file|vbscript):)"
_ADDRESS = re.compile(
    rf"""{_SCHEME}[^\s<>"'“”‘’]+ | www\.[^\s<>"'“”‘’]+
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
    | (?<![\w@.-])(?:[\w-]+\.)+(?:{_TOP})(?![\w-]|\.\w)(?:[:/?\#][^\s<>"'“”‘’]*)?""",
    re.IGNORECASE | re.VERBOSE,
)
_PHONE = re.compile(r"(?<![\w.])(?:\+\s?|\(\s?)?\d(?:[\s().\-–/]{0,2}\d){6,17}(?![\w])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})\b",
        r"\b(?P<first>\d{1,2})[-/.](?P<second>\d{1,2})[-/.](?P<year>\d{4}|\d{2})\b",
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>\d{{4}})\b)?",
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?!\w)(?:,?\s+(?P<year>\d{{4}})\b)?",
    )
)
_TIME = re.compile(
    r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s?(?P<half>[ap])\.?m\b\.?"
    r"|\b(?P<hour24>\d{1,2}):(?P<minute24>[0-5]\d)\b",
    re.IGNORECASE,
)
_CURRENCIES = {
    word: words.split()[0]
    for words in (
        "usd $ us$ dollar",
        "eur € euro",
        "gbp £ pound",
        "jpy ¥ yen",
        "inr ₹ rupee",
        "chf franc",
        "cad",
        "aud",
    )
    for word in words.split()
} | {"cent": "cent", "¢": "cent", "btc": "btc", "bitcoin": "btc"}
_UNITS = {
    word: words.split()[0]
    for words in (
        *("% percent", "second s sec", "minute min", "hour h hr", "day", "week", "month", "year", "night", "time"),
        *("kb", "mb", "gb", "tb", "mbps", "hz", "ghz", "kg", "g", "km", "m", "cm", "mm", "inch", "mile", "w", "v"),
        *("°c", "°f", "person people", "point"),
    )
    for word in words.split()
}
_NUMBER = re.compile(
    r"""(?P<before>(?:US)?[$€£¥₹]\s?|\b(?:USD|EUR|GBP|JPY|INR|CHF|CAD|AUD)\s?)?
    (?P<sign>(?<![\w.)\]])[-−](?=\d))?
    (?P<digits>\d+(?:[.,'’\u00a0\u202f]\d+)*)
    (?:(?:st|nd|rd|th)\b)?
    (?P<scale>\s?(?:thousand|million|billion|bn)\b)?
    (?P<after>[\s-]?(?:%|°[CF]\b|[€£¥₹¢]|[A-Za-z]+(?!\d)))?""",
    re.VERBOSE,
)
_CODE = re.compile(r"(?<![\w.])(?=[\w.+/-]*\d)(?=[\w.+/-]*[A-Za-z])[A-Za-z0-9][\w+]*(?:[.-]\w+)*|\d+(?:\.\d+){2,}")
_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "bn": 10**9}
_ONE = "|".join(sorted(_VALUES, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"\b(?P<number>{_ONE})(?:[\s-](?P<more>{'|'.join(_SMALL[1:10])}))?(?:\s(?P<scale>hundred|thousand|million))?\b"
    r"(?P<after>[\s-]?(?:%|[A-Za-z]+))?",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?<![\w@/.])[^\W\d_a-z][\w'’]*", re.UNICODE)


def read(text: str, *, is_claim: bool = True) -> list[Fact]:
    """The facts of one sentence. In evidence (``is_claim=False``) "a day" is one day, and "one" is a number too."""
    rest, found = _taken_out(text, is_claim)
    return [*found, *_names(rest)]


def without(text: str) -> str:
    """The sentence with its facts blotted out, all but the names."""
    return _taken_out(text, is_claim=True)[0]


def _taken_out(text: str, is_claim: bool) -> tuple[str, list[Fact]]:
    rest = text
    found: list[Fact] = []
    dates, written = partial(_dates, is_claim=is_claim), partial(_written, is_claim=is_claim)
    for reader in (_addresses, dates, _times, _phones, _numbers, _codes, written):
        for fact, (start, stop) in list(reader(rest)):
            found.append(_placed(fact, text, start, stop))
            rest = rest[:start] + " " * (stop - start) + rest[stop:]
    return rest, found


_Found = Iterator[tuple[Fact, tuple[int, int]]]


def _placed(fact: Fact, text: str, start: int, stop: int) -> Fact:
    if fact.kind in _EXACT:
        return fact
    before, after = _meaning(text[:start]), _meaning(text[stop:])
    beside = frozenset([*before[-BESIDE:], *after[:BESIDE]])
    return replace(fact, beside=beside, around=frozenset([*before, *after]))


def _meaning(text: str) -> list[str]:
    return [stem(word) for word in WORD.findall(text.lower()) if word not in COMMON and not word[0].isdigit()]


def _addresses(text: str) -> _Found:
    for match in _ADDRESS.finditer(text):
        shown = match.group().rstrip(".,;:!?…)]}*_~")
        bare = re.sub(r"^(?:https?://|mailto:)?(?:www\.)?", "", shown, flags=re.IGNORECASE)
        host, slash, path = bare.partition("/")
        yield Fact(FactKind.ADDRESS, frozenset({host.lower() + (slash + path).rstrip("/")}), shown), match.span()


def _phones(text: str) -> _Found:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        grouped = re.fullmatch(r"\d{1,3}(?:[,.’' ]\d{3})+|\d+", match.group().strip())
        if grouped and len(digits) < 10:
            continue  # a long number rather
        yield Fact(FactKind.ADDRESS, frozenset({digits}), match.group().strip(" .")), match.span()


def _dates(text: str, is_claim: bool) -> _Found:
    taken: list[tuple[int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() < stop and start < match.end() for start, stop in taken):
                continue
            if days := _days(match.groupdict()):
                taken.append(match.span())
                year = match["year"]
                values = days if year is None else frozenset(f"{int(year) % 100}-{day}" for day in days)
                values |= frozenset() if is_claim else days  # "5 March 2026" also carries "5 March"
                yield Fact(FactKind.DATE, values, match.group().strip(" .")), match.span()


def _days(part: Mapping[str, str | None]) -> frozenset[str]:
    """Month and day, in both orders where only the writer knows which is which."""
    month, day = part.get("month"), part.get("day")
    if month and day:
        days = {(_MONTHS.index(month[:3].lower()) + 1 if month[0].isalpha() else int(month), int(day))}
    else:
        first, second = int(part["first"] or 0), int(part["second"] or 0)
        days = {(first, second), (second, first)}
    return frozenset(f"{month}-{day}" for month, day in days if 1 <= month <= 12 and 1 <= day <= 31)


def _times(text: str) -> _Found:
    for match in _TIME.finditer(text):
        half = (match["half"] or "").lower()
        hour, minute = int(match["hour"] or match["hour24"]), int(match["minute"] or match["minute24"] or 0)
        if hour > 24 or (half and not 1 <= hour <= 12):
            continue
        hours = (
            {hour % 12 + (12 if half == "p" else 0)} if half else {hour, hour + 12} if 1 <= hour < 12 else {hour % 24}
        )
        yield (
            Fact(FactKind.TIME, frozenset(f"{each}:{minute:02}" for each in hours), match.group().strip()),
            match.span(),
        )


def _numbers(text: str) -> _Found:
    for match in _NUMBER.finditer(text):
        start, stop = match.span()
        after = (match["after"] or "").strip(" -").lower()
        unit, counted = _one_of(after, _UNITS), _one_of(after, _CURRENCIES)
        currency = _CURRENCIES.get((match["before"] or "").strip().lower(), "") or counted
        glued = match["after"] is not None and match["after"][0] not in " -%°€£¥₹¢\u00a0"
        if (start and (text[start - 1].isalnum() or text[start - 1] in "._")) or (glued and not unit and not currency):
            continue  # part of a code
        if len(re.findall(r"[.]", match["digits"])) > 1 and not re.fullmatch(
            r"\d{1,3}(\.\d{3})+(,\d+)?", match["digits"]
        ):
            continue  # a version
        if not unit and not counted:
            stop = match.end("scale") if match["scale"] else match.end("digits")
        value = _value(match["digits"]) * _SCALES.get((match["scale"] or "").strip().lower(), 1)
        shown = text[start:stop].strip()
        kind = FactKind.AMOUNT if currency else FactKind.NUMBER
        yield (
            Fact(kind, frozenset({_plain(-value if match["sign"] else value)}), shown, currency or unit),
            (start, stop),
        )


def _one_of(word: str, names: Mapping[str, str]) -> str:
    """The name of a unit or currency, in the singular or the plural."""
    return next((names[each] for each in (word, word.removesuffix("s"), word.removesuffix("es")) if each in names), "")


def _value(digits: str) -> Decimal:
    digits = re.sub(r"['’\u00a0\u202f]", "", digits)
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", digits):
        return Decimal(digits.replace(",", ""))
    if re.fullmatch(r"\d{1,3}(\.\d{3}){2,}(,\d+)?|\d{1,3}(\.\d{3})+,\d+", digits):
        return Decimal(digits.replace(".", "").replace(",", "."))
    whole, _, part = digits.replace(",", ".").partition(".")
    return Decimal(f"{whole}.{part.replace('.', '') or 0}")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _written(text: str, is_claim: bool) -> _Found:
    for match in _WRITTEN.finditer(text):
        word = match["number"].lower()
        if is_claim and word == "one" and not match["scale"]:
            continue  # "one" stands for things as well
        value = _VALUES[word] + (_VALUES[match["more"].lower()] if match["more"] and word in _TENS else 0)
        value *= _SCALES.get((match["scale"] or "").lower(), 1)
        after = (match["after"] or "").strip(" -").lower()
        unit, currency = _one_of(after, _UNITS), _one_of(after, _CURRENCIES)
        stop = match.end() if unit or currency else match.start("after") if match["after"] else match.end()
        kind = FactKind.AMOUNT if currency else FactKind.NUMBER
        shown = text[match.start() : stop].strip()
        yield Fact(kind, frozenset({str(value)}), shown, currency or unit), (match.start(), stop)
    if not is_claim:
        for match in re.finditer(r"\ban?\s([a-z]+)", text, re.IGNORECASE):
            if unit := _UNITS.get(match[1].lower(), ""):
                yield Fact(FactKind.NUMBER, frozenset({"1"}), match.group(), unit), match.span()


def _codes(text: str) -> _Found:
    for match in _CODE.finditer(text):
        yield Fact(FactKind.CODE, frozenset({match.group().lower().rstrip(".-")}), match.group()), match.span()


def _names(text: str) -> Iterator[Fact]:
    """Words with a capital that do not begin the sentence."""
    first = re.match(r"[\W\d_]*\w+", text)
    for match in _CAPITAL.finditer(text, first.end() if first else 0):
        word = match.group().lower().rstrip("'’").removesuffix("'s").removesuffix("’s")
        if len(word) > 1 and word not in COMMON and text[: match.start()].rstrip()[-1:] not in set(".!?:"):
            yield Fact(FactKind.NAME, frozenset({stem(word)}), match.group())

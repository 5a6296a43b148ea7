"""Values in words: numbers, money, dates and words of ours as a tenant writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import cached_property, lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision

from vitals.domain.instants import zone
from vitals.domain.model import LIFECYCLES, TIERS
from vitals.domain.reports import document as kinds
from vitals.domain.reports.document import Figure, Line, Plain
from vitals.domain.reports.look import Look

UNKNOWN = "–"
MINUS = "−"
UNCHANGED = "unchanged"
ROUND_FROM = 10_000
"""Amounts of so much are shown whole, and with them those that stand in line."""
_SPOKEN = {"atrisk": "at risk", "days": "days since contact"}
_SEVERAL = 2
_OURS = frozenset({*TIERS, *LIFECYCLES})
ACRONYMS = {"api", "arr", "csat", "csm", "crm", "id", "mrr", "nps", "smb"}

NUMERIC = frozenset(
    {
        kinds.COUNT, kinds.MONEY, kinds.PERCENT, kinds.DAYS, kinds.SCORE, kinds.AVERAGE,
        kinds.POINTS, kinds.INDEX, kinds.NUMBER,
    }
)  # fmt: skip
"""The kinds of numbers, which stand flush right."""

_DIGITS = {kinds.PERCENT: 1, kinds.AVERAGE: 1, kinds.POINTS: 1, kinds.INDEX: 4, kinds.NUMBER: 4}
_FINEST = 8
"""An index is known to so many decimals."""
_GROUPS = re.compile("[#,]*0")
# Neither XML nor a PDF can hold these.
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Those that break a line; hard spaces stay.
_SPACES = re.compile("[ \t\n\r\f\v\u2028\u2029]+")
# They turn the direction of what follows, and a name could turn a whole line; the last one is the
# mark that a file begins with, which has nothing to say within a name.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str) -> str:
    """Return *text* as one line; what cannot be printed is shown as U+FFFD."""
    shown = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", _TURNING.sub("", text))
    return _SPACES.sub(" ", shown).strip(" ")


class Words:
    """How values are worded in a look, in the time zone that a report is made in."""

    def __init__(self, look: Look, time_zone: str = "UTC") -> None:
        self.look = look
        self.time_zone = time_zone
        self.locale = _locale(look.locale)

    @cached_property
    def where(self) -> tzinfo:
        """The time zone."""
        return zone(self.time_zone)

    def worded(self, kind: str, value: Plain, digits: int | None = None) -> str:
        """Return *value* of *kind* in words, a number with *digits* decimals; None as a dash."""
        if value is None or value in ((), ""):
            return UNKNOWN
        if isinstance(value, tuple):
            words = map(phrase, value) if kind == kinds.WORD else value
            return clean(", ".join(words))
        if isinstance(value, datetime):
            return self.instant(value)
        if isinstance(value, date):
            return self.month(value) if kind == kinds.MONTH else self.day(value)
        if isinstance(value, str):
            # A tag among segments is spelled as somebody spelled it.
            ours = kind in (kinds.WORD, kinds.BAND) or (kind == kinds.SEGMENT and value in _OURS)
            return phrase(value) if ours else clean(value)
        return self._number(kind, value, self.digits(kind, (value,)) if digits is None else digits)

    def column(self, kind: str, values: Sequence[Plain]) -> list[str]:
        """Return *values* in words, as many decimals in each, so that they stand in line."""
        digits = self.digits(kind, values) if kind in NUMERIC else None
        return [self.worded(kind, value, digits) for value in values]

    def said(self, line: Line) -> str:
        """Return *line* with its values in words."""
        return clean(line.text.format(*(self._told(kind, value) for kind, value in line.values)))

    def _told(self, kind: str, value: Plain) -> str:
        """Return *value* as a sentence has it: before the last of several words is an "and"."""
        if kind != kinds.WORD or not isinstance(value, tuple) or len(value) < _SEVERAL:
            return self.worded(kind, value)
        *first, last = (self.worded(kind, (each,)) for each in value)
        return f"{', '.join(first)} and {last}"

    def figure(self, figure: Figure) -> str:
        """Return the value of *figure*, which has no column's heading to say that it is days."""
        shown = self.worded(figure.kind, figure.value)
        if figure.kind != kinds.DAYS or not isinstance(figure.value, int):
            return shown
        return f"{shown} {'day' if abs(figure.value) == 1 else 'days'}"

    def change(self, kind: str, value: Plain, previous: Plain) -> str:
        """Return what became of *previous*: "" where either is no number."""
        if not isinstance(value, int | Decimal) or not isinstance(previous, int | Decimal):
            return ""
        digits = self.digits(kind, (value, previous))
        delta = self.difference(value, previous, digits)
        if not delta:
            return UNCHANGED
        unit = " points" if kind == kinds.PERCENT else ""
        was = self.worded(kind, previous, digits)
        return f"{self.signed(kind, delta, digits)}{unit} (was {was})"

    def difference(self, value: int | Decimal, previous: int | Decimal, digits: int) -> Decimal:
        """Return the difference of two numbers as *digits* show them: that which a reader finds."""
        return _rounded(value, digits) - _rounded(previous, digits)

    def signed(self, kind: str, delta: int | Decimal, digits: int) -> str:
        """Return a difference with its sign; one of percentages as a bare number."""
        plain = kinds.NUMBER if kind in (kinds.PERCENT, kinds.POINTS) else kind
        amount = self._number(plain, -delta if delta < 0 else delta, digits)
        zero = not _rounded(delta, digits)
        return amount if zero else f"{MINUS if delta < 0 else '+'}{amount}"

    def parts(self, values: Sequence[int | Decimal], digits: int) -> list[Decimal]:
        """Return a first total, the changes after it and the last total, as *digits* show them.

        The changes are apportioned by their largest remainders (AMB-30), so that what is shown
        adds up as what is exact does; none changes its sign. Totals are zero or more.
        """
        first, *changes, last = values
        opening, closing = _rounded(first, digits), _rounded(last, digits)
        unit = Decimal(1).scaleb(-digits)
        shown = [Decimal(each).quantize(unit, ROUND_FLOOR) + 0 for each in changes]
        lost = sorted(
            (shown[at] - each, at) for at, each in enumerate(changes) if shown[at] != each
        )
        missing = int((closing - opening - sum(shown)) / unit)
        for _, at in lost[: max(0, missing)]:
            shown[at] += unit
        return [opening, *shown, closing]

    def digits(self, kind: str, values: Sequence[Plain]) -> int:
        """Return how many decimals numbers of *kind* need to be shown alike."""
        numbers = [each for each in values if isinstance(each, int | Decimal)]
        if kind == kinds.MONEY:
            # Cents beside thousands are noise on paper; the CSV has them.
            if any(each >= ROUND_FROM or each <= -ROUND_FROM for each in numbers):
                return 0
            most = get_currency_precision(self.look.currency) if self.look.currency else 2
            return most if any(_rounded(each, most) % 1 for each in numbers) else 0
        most = _DIGITS.get(kind, 0)
        if kind == kinds.AVERAGE:
            return most
        if kind == kinds.INDEX and any(numbers):
            # Of ten thousand customers each has a ten-thousandth of the revenue, and less priority.
            largest = max(abs(Decimal(each)) for each in numbers)
            most = min(max(most, 2 - largest.adjusted()), _FINEST)
        return max((_decimals(_rounded(each, most)) for each in numbers), default=0)

    def day(self, value: date) -> str:
        """Return a date."""
        return format_date(value, "medium", locale=self.locale)

    def month(self, value: date, *, year: bool = True) -> str:
        """Return the month of a date, with its year or without."""
        return format_skeleton("yMMM" if year else "MMM", value, locale=self.locale)

    def instant(self, value: datetime) -> str:
        """Return an instant in the report's zone, to the minute."""
        there = self._there(value)
        time = format_time(there, "short", tzinfo=self.where, locale=self.locale)
        return f"{self.day(there.date())}, {time}"

    def zone_name(self, value: datetime) -> str:
        """Return the name of the report's zone and how far from UTC it is at an instant."""
        offset = self._there(value).strftime("%z")
        shown = f"UTC{MINUS if offset[0] == '-' else '+'}{offset[1:3]}:{offset[3:5]}"
        return "UTC" if self.time_zone == "UTC" else f"{self.time_zone} ({shown})"

    def _there(self, value: datetime) -> datetime:
        return value.astimezone(self.where)

    def _number(self, kind: str, value: int | Decimal, digits: int) -> str:
        exact = _rounded(value, digits)
        if kind == kinds.POINTS:
            return self.signed(kinds.NUMBER, exact, digits)
        if kind == kinds.MONEY and self.look.currency:
            # The wide sign of Japanese has no heavy form.
            return _minus(self._money(exact, digits)).replace("￥", "¥")
        pattern = _GROUPS.search(self.locale.decimal_formats[None].pattern)
        whole = pattern.group() if pattern else "#,##0"
        shown = format_decimal(exact, whole + _fraction(digits), locale=self.locale)
        if kind == kinds.PERCENT:
            shown = _GROUPS.sub(shown, self.locale.percent_formats[None].pattern)
        return _minus(shown)

    def _money(self, exact: Decimal, digits: int) -> str:
        pattern = self.locale.currency_formats["standard"].pattern
        whole = re.sub(r"0\.0+", "0" + _fraction(digits), pattern)
        return format_currency(
            exact, self.look.currency or "", whole, locale=self.locale, currency_digits=False
        )


def phrase(word: str) -> str:
    """Return a word of ours, like at_risk, as it is written in a sentence of its own."""
    parts = clean(_SPOKEN.get(word, word).replace("_", " ")).split(" ")
    shown = [part.upper() if part.lower() in ACRONYMS else part for part in parts]
    text = " ".join(shown)
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=16)
def _locale(tag: str) -> Locale:
    """Return the locale of a BCP 47 tag; the nearest known one of an unknown one."""
    parts = tag.replace("_", "-").split("-")
    for count in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:count]), sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


def _rounded(value: int | Decimal, digits: int) -> Decimal:
    # Added to 0, since a small loss would else be shown as a loss of nothing: −0.
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _fraction(digits: int) -> str:
    return "." + "0" * digits if digits else ""


def _minus(text: str) -> str:
    return text.replace("-", MINUS)

"""An event's values as people read them: one line, no surprises, whatever is stored."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from vitals.domain.instants import zone

MINUS = "−"
LONGEST = 300
_NAMES: Mapping[str, str] = {
    "atrisk": "at risk", "csm": "CSM", "id": "ID", "mrr": "MRR", "arr": "ARR", "nps": "NPS",
    "api": "API",
}  # fmt: skip
# Characters that reverse the text around them: a name must not rewrite the line it stands in.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def mapping(value: object) -> Mapping[str, Any]:
    """Return *value* if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (each for each in value if isinstance(each, Mapping))


def text(value: object, longest: int = LONGEST) -> str:
    """Return *value* as one line of at most *longest* characters, without control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return number(value)
    line = " ".join("".join(map(_printable, str(value))).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _printable(character: str) -> str:
    if character in _TURNING:
        return ""
    category = unicodedata.category(character)
    if category == "Cs":  # half a character, which UTF-8 has no form for
        return "\ufffd"
    return " " if category in ("Cc", "Zl", "Zp") else character


def phrase(name: object) -> str:
    """Return a field's or a state's name as words: `nps_detractor` is "NPS detractor"."""
    spoken = text(name).replace(".", " ").replace("_", " ").split()
    return " ".join(_NAMES.get(word, word) for word in spoken)


def words(name: object) -> str:
    """Return those words as they begin a line: `at_risk` is "At risk"."""
    line = phrase(name)
    return line[:1].upper() + line[1:]


def number(value: object) -> str:
    """Return a number, or a decimal's text, with its thousands apart; other texts as they are."""
    exact = _exact(value)
    if exact is None:
        return text(str(value)) if value is not None else ""
    digits = f"{exact:,f}"
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return digits.replace("-", MINUS) if exact else "0"


def signed(value: object) -> str:
    """Return a change with its sign."""
    exact = _exact(value)
    return f"+{number(value)}" if exact is not None and exact > 0 else number(value)


def _exact(value: object) -> Decimal | None:
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return None
    # No billion digits for "1e999999999".
    return exact if exact.is_finite() and abs(exact.adjusted()) < 30 else None  # noqa: PLR2004 - far beyond any amount


def instant(value: object) -> str:
    """Return an instant to the minute in UTC; what is none, as it is."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return text(value)
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    try:
        return f"{aware.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return text(value)


def local_instant(value: object, time_zone: str) -> str:
    """Return an instant to the minute in *time_zone*; in UTC if there is none of that name."""
    at = _local(value, time_zone)
    return f"{_day(at)}, {at:%H:%M} {time_zone}" if at else instant(value)


def local_day(value: object, time_zone: str) -> str:
    """Return the day of an instant in *time_zone*; "" for what is none, or no zone."""
    at = _local(value, time_zone)
    return _day(at) if at else ""


def day(value: object) -> str:
    """Return a day of the calendar as people write it: 16 Nov 2026; "" for what is none."""
    try:
        return _day(date.fromisoformat(str(value)))
    except ValueError:
        return ""


def _local(value: object, time_zone: str) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).astimezone(zone(time_zone))
    except (KeyError, ValueError, OSError, OverflowError):
        return None


def _day(of: date) -> str:
    return f"{of.day} {of:%b} {of.year}"

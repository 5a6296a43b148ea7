"""Instants and days: how they are read, written and told apart by time zone."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

_UNRENDERED = re.compile(r"\{\{.*\}\}")
_LOST_PLUS = re.compile(r"(T.*) (\d\d:?\d\d)$")


def iso(instant: datetime) -> str:
    """Return *instant* as RFC 3339 in UTC with milliseconds, as every answer shows it."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(raw: str) -> datetime:
    """Return the instant that *raw* names in ISO 8601, to the millisecond.

    A date alone is the start of that day, and a time without an offset is, in UTC (AMB-55).
    Raises ValueError.
    """
    # A plus sign in a query string arrives as a space.
    parsed = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", raw.strip()))
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    try:
        utc = aware.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no such instant") from error
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def parse_day(raw: str) -> date:
    """Return the day that *raw* names in ISO 8601; of an instant, the day as written.

    Raises ValueError, also for forms like 03/04/2026 that two countries read as two days.
    """
    text = raw.strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text).date()


def is_unrendered(raw: str, *, whole: bool = False) -> bool:
    """Tell whether *raw* holds (if *whole*: is) a template not filled in, like {{last_poll}}."""
    return bool(_UNRENDERED.fullmatch(raw.strip()) if whole else _UNRENDERED.search(raw))


def zone(name: str) -> tzinfo:
    """Return the time zone called *name* (IANA)."""
    return UTC if name == "UTC" else _zone(name)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    # Most tenants keep UTC: only the others pay for the import.
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see above

    return ZoneInfo(name)


def local_day(instant: datetime, where: tzinfo) -> date:
    """Return the day that *instant* falls on in *where*, at the calendar's ends in UTC."""
    try:
        return instant.astimezone(where).date()
    except OverflowError:
        return instant.date()


def start_of(day: date, where: tzinfo) -> datetime:
    """Return the instant at which *day* begins in *where*."""
    return datetime(day.year, day.month, day.day, tzinfo=where).astimezone(UTC)


def months_after(day: date, count: int) -> date:
    """Return the same day *count* months later, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_after(day: date, count: int) -> date | None:
    """Return the day *count* days after *day*; None beyond the calendar's end."""
    try:
        return day + timedelta(days=count)
    except OverflowError:
        return None

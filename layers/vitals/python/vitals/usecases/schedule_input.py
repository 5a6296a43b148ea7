"""When something goes out again and again, as a caller says it: kind, local time, day, zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated, Any

from pydantic import PlainValidator

from vitals.domain.instants import zone
from vitals.domain.schedule import (
    KINDS,
    MONTHLY,
    REALTIME,
    RECURRING,
    WEEKDAYS,
    WEEKLY,
)
from vitals.usecases.fields import bounded, refuse, word

LAST_DAY = 31


def _schedule(raw: object, kinds: Sequence[str]) -> dict[str, Any]:
    """Return a schedule of one of *kinds*: its name, or {type, at, on, time_zone}."""
    given = {"type": raw} if isinstance(raw, str) else raw
    if not isinstance(given, dict):
        refuse("must_be_object", 'must be like {"type": "daily", "at": "09:00"}')
    kind = word(given.get("type", kinds[0]), kinds)
    found: dict[str, Any] = {"type": kind}
    if kind != REALTIME:
        found["at"] = _time(given.get("at", "09:00"))
        if given.get("time_zone") is not None:
            found["time_zone"] = _zone(given["time_zone"])
    if kind == WEEKLY:
        found["on"] = _weekday(given.get("on", WEEKDAYS[0]))
    if kind == MONTHLY:
        found["on"] = _day_of_month(given.get("on", 1))
    for name in given.keys() - {"type", "at", "on", "time_zone"}:
        refuse("unknown_field", f"a schedule has no {name!r}; it takes type, at, on, time_zone")
    return found


def _weekday(raw: object) -> str:
    on = str(raw).strip().casefold()
    days = [day for day in WEEKDAYS if len(on) > 1 and day.startswith(on)]
    if len(days) != 1:
        refuse("unknown_value", f"on must be one of: {', '.join(WEEKDAYS)}")
    return days[0]


def _day_of_month(raw: object) -> int:
    found = bounded(raw, 1, LAST_DAY)
    if not isinstance(found, int):
        refuse("must_be_whole", f"on must be a day of the month, from 1 to {LAST_DAY}")
    return found


def _time(raw: object) -> str:
    try:
        found = time.fromisoformat(str(raw).strip().zfill(5))
    except ValueError:
        found = None
    if found is None or found.tzinfo or found.second or found.microsecond:
        refuse("must_be_time", "at must be a local time like 09:00")
    return found.isoformat(timespec="minutes")


def _zone(raw: object) -> str:
    try:
        zone(str(raw))
    except (KeyError, ValueError, OSError):
        refuse("unknown_value", "time_zone must be an IANA name, like Europe/Berlin")
    return str(raw)


def _of(kinds: Sequence[str]) -> Any:
    return PlainValidator(
        lambda raw: _schedule(raw, kinds), json_schema_input_type=dict[str, str] | str
    )


Timing = Annotated[dict[str, Any], _of(KINDS)]
"""When a rule's messages go out."""
Recurrence = Annotated[dict[str, Any], _of(RECURRING)]
"""When a report does."""

"""When a rule's messages go out: at once, or together at a local time (IQ-125 to 127, AMB-45)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from vitals.domain.instants import zone

REALTIME, DAILY, WEEKLY = "realtime", "daily", "weekly"
KINDS = (REALTIME, DAILY, WEEKLY)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Schedule:
    """At once, or every day, or one *weekday* a week, at the local time *at*.

    *time_zone* is the rule's own (IANA); None: the tenant's.
    """

    kind: str = REALTIME
    at: time = time(9)
    weekday: int = 0
    time_zone: str | None = None

    def next_after(self, instant: datetime, tenants: tzinfo) -> datetime | None:
        """Return the first occurrence after *instant*, in UTC; None for one that has none.

        A local time that a clock change skips is the instant at which the clock was put on; one
        that comes twice is the first of the two. *tenants* is the tenant's time zone.
        """
        if self.kind == REALTIME:
            return None
        where = zone(self.time_zone) if self.time_zone else tenants
        day = instant.astimezone(where).date() - timedelta(days=1)
        while True:
            if self.kind == DAILY or day.weekday() == self.weekday:
                found = instant_of(day, self.at, where)
                if found > instant:
                    return found
            day += timedelta(days=1)


def instant_of(day: date, at: time, where: tzinfo) -> datetime:
    """Return the instant, in UTC, of the local time *at* on *day*: see `Schedule.next_after`."""
    local = datetime.combine(day, at, tzinfo=where)
    # Read with the offset before the change, a time that was skipped lies behind the change by as
    # much as it lay behind the clock's last moment: going back by the gap gives that moment.
    found = local.astimezone(UTC)
    offset, after = local.utcoffset(), found.astimezone(where).utcoffset()
    if offset is not None and after is not None and found.astimezone(where).time() != at:
        return _change_between(found - (after - offset), found, where)
    return found


def _change_between(low: datetime, high: datetime, where: tzinfo) -> datetime:
    """Return the instant between *low* and *high* at which the offset of *where* changes."""
    before = low.astimezone(where).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(where).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)

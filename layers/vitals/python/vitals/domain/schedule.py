"""When a rule's messages go out: at once, or together at a local time (IQ-125 to 127, AMB-45)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from vitals.domain.instants import zone

REALTIME, DAILY, WEEKLY, MONTHLY = "realtime", "daily", "weekly", "monthly"
KINDS = (REALTIME, DAILY, WEEKLY)
"""When a rule's messages may go out."""
RECURRING = (DAILY, WEEKLY, MONTHLY)
"""When a report may (IQ-147)."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Schedule:
    """At once, or every day, one *weekday* a week or one *day* a month, at the local time *at*.

    A month that is too short has its last day. *time_zone* is its own (IANA); None: the tenant's.
    """

    kind: str = REALTIME
    at: time = time(9)
    weekday: int = 0
    time_zone: str | None = None
    day: int = 1

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
            if self._is_on(day):
                found = instant_of(day, self.at, where)
                if found > instant:
                    return found
            day += timedelta(days=1)

    def last_until(self, instant: datetime, tenants: tzinfo) -> datetime | None:
        """Return the last occurrence at or before *instant*, in UTC; None for one that has none."""
        found = None
        following = self.next_after(instant - timedelta(days=32), tenants)
        while following is not None and following <= instant:
            found, following = following, self.next_after(following, tenants)
        return found

    def _is_on(self, day: date) -> bool:
        if self.kind == MONTHLY:
            return day.day == min(self.day, monthrange(day.year, day.month)[1])
        return self.kind == DAILY or day.weekday() == self.weekday


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

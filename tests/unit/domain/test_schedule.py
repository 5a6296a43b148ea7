"""When summaries go out: at a local time, every day or week, whatever the clocks do (AMB-45)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.strategies import instants

from vitals.domain.schedule import DAILY, MONTHLY, RECURRING, WEEKLY, Schedule, instant_of

MINUTE = timedelta(minutes=1)
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe",
    "America/Santiago", "Africa/Cairo", "Asia/Beirut", "Africa/Casablanca", "Asia/Kathmandu",
    "America/Havana", "Antarctica/Troll", "Atlantic/Azores", "Pacific/Chatham",
)  # fmt: skip
zones = st.sampled_from(ZONES)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
weekdays = st.none() | st.integers(0, 6)


def schedule_of(at: time, weekday: int | None, zone: str | None = None) -> Schedule:
    return Schedule(WEEKLY if weekday is not None else DAILY, at, weekday or 0, zone)


def walked(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the first minute of *day* whose local time is *at*, or the first after a gap there."""
    minute = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    while True:
        local = minute.astimezone(zone)
        if (local.date(), local.time()) >= (day, at):
            return minute
        minute += MINUTE


@given(zones, times, weekdays, instants)
@example("Europe/Berlin", time(2, 30), None, datetime(2026, 3, 28, 12, tzinfo=UTC))
@example("Europe/Berlin", time(2, 30), None, datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
@example("Africa/Cairo", time(0, 30), None, datetime(2026, 4, 23, 12, tzinfo=UTC))
@example("America/Santiago", time(0), None, datetime(2026, 9, 5, 12, tzinfo=UTC))
@example("Australia/Lord_Howe", time(2, 15), None, datetime(2026, 10, 3, 1, tzinfo=UTC))
def test_the_next_is_the_first_after_that_comes_at_the_local_time(
    zone: str, at: time, weekday: int | None, instant: datetime
) -> None:
    where = ZoneInfo(zone)
    found = schedule_of(at, weekday).next_after(instant, where)
    assert found is not None
    assert found > instant
    day = instant.astimezone(where).date() - timedelta(days=1)
    while True:
        if weekday is None or day.weekday() == weekday:
            expected = walked(day, at, where)
            if expected > instant:
                break
        day += timedelta(days=1)
    assert found == expected


@given(zones, times, weekdays, instants)
def test_one_follows_the_other_and_none_is_missed(
    zone: str, at: time, weekday: int | None, instant: datetime
) -> None:
    where = ZoneInfo(zone)
    schedule = schedule_of(at, weekday)
    first = schedule.next_after(instant, where)
    assert first is not None
    second = schedule.next_after(first, where)
    assert second is not None
    days = (second.astimezone(where).date() - first.astimezone(where).date()).days
    assert days == (1 if weekday is None else 7)
    between = first + (second - first) / 2
    assert schedule.next_after(between, where) == second
    assert schedule.next_after(second - timedelta(milliseconds=1), where) == second


@given(zones, zones, times, instants)
def test_a_rules_own_zone_goes_before_the_tenants(
    own: str, tenants: str, at: time, instant: datetime
) -> None:
    ours = schedule_of(at, None, own).next_after(instant, ZoneInfo(tenants))
    assert ours == schedule_of(at, None).next_after(instant, ZoneInfo(own))


def test_what_goes_out_at_once_has_no_next() -> None:
    assert Schedule().next_after(datetime(2026, 3, 2, tzinfo=UTC), UTC) is None


@pytest.mark.parametrize(
    ("zone", "day", "at", "instant"),
    [
        ("Europe/Berlin", "2026-03-28", "09:00", "2026-03-28T08:00:00+00:00"),
        ("Europe/Berlin", "2026-03-29", "09:00", "2026-03-29T07:00:00+00:00"),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00+00:00"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00+00:00"),
        ("Africa/Cairo", "2026-04-24", "00:30", "2026-04-23T22:00:00+00:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00+00:00"),
    ],
)
def test_a_skipped_time_is_the_change_and_a_double_one_the_first(
    zone: str, day: str, at: str, instant: str
) -> None:
    found = instant_of(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone))
    assert found == datetime.fromisoformat(instant)


def test_a_month_that_is_too_short_has_its_last_day() -> None:
    monthly = Schedule(MONTHLY, time(9), day=31)
    found, months = datetime(2026, 1, 1, tzinfo=UTC), []
    for _ in range(4):
        following = monthly.next_after(found, UTC)
        assert following is not None
        found = following
        months.append((found.month, found.day, found.hour))
    assert months == [(1, 31, 9), (2, 28, 9), (3, 31, 9), (4, 30, 9)]


@given(st.sampled_from(RECURRING), times, st.integers(1, 31), instants, zones)
def test_nothing_occurs_between_the_last_occurrence_and_the_next(
    kind: str, at: time, day: int, instant: datetime, zone: str
) -> None:
    schedule, where = Schedule(kind, at, day % 7, day=day), ZoneInfo(zone)
    last, following = schedule.last_until(instant, where), schedule.next_after(instant, where)
    assert last is not None
    assert last <= instant
    assert schedule.next_after(last, where) == following

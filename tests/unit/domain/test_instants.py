from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.strategies import days, instants

from vitals.domain.instants import (
    days_after,
    is_unrendered,
    iso,
    local_day,
    months_after,
    parse_day,
    parse_instant,
    start_of,
    zone,
)


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("20260301", "2026-03-01T00:00:00.000Z"),
        (" 2026-03-01 ", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01T10:30", "2026-03-01T10:30:00.000Z"),
        ("2026-03-01 10:30:00", "2026-03-01T10:30:00.000Z"),
        ("2026-03-01T10:30:00.5Z", "2026-03-01T10:30:00.500Z"),
        ("2026-03-01T10:30:00.123456Z", "2026-03-01T10:30:00.123Z"),
        ("2026-03-01T10:30:00.1239999Z", "2026-03-01T10:30:00.123Z"),
        ("2026-03-01T10:30:00+02:00", "2026-03-01T08:30:00.000Z"),
        ("2026-03-01T10:30:00-0500", "2026-03-01T15:30:00.000Z"),
        ("2026-03-01T10:30:00.250+05:45", "2026-03-01T04:45:00.250Z"),
        # In a query string a plus sign that was not escaped arrives as a space.
        ("2026-03-01T10:30:00 02:00", "2026-03-01T08:30:00.000Z"),
        ("2026-03-01T10:30:00 0200", "2026-03-01T08:30:00.000Z"),
        ("2026-03-01T10:30:00.250 10:00", "2026-03-01T00:30:00.250Z"),
        ("2026-03-01T10:30:00 13:45", "2026-02-28T20:45:00.000Z"),
    ],
)
def test_instants_are_read_in_every_form_that_is_sent(raw: str, instant: str) -> None:
    parsed = parse_instant(raw)
    assert iso(parsed) == instant
    assert parsed == datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "yesterday",
        "03/01/2026",
        "1772323200",
        "2026-02-30",
        "2026-13-01T00:00:00Z",
        "2026-03-01T25:00:00Z",
        "2026-03-01T10:30:00+25:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "{{last_poll}}",
    ],
)
def test_what_names_no_instant_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(raw)


@given(instants, st.integers(-14 * 60, 14 * 60))
@settings(max_examples=150)
def test_an_instant_survives_its_text_in_any_offset_and_in_a_query(
    instant: datetime, minutes: int
) -> None:
    assert parse_instant(iso(instant)) == instant
    there = instant.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    assert parse_instant(there) == instant
    [(_, unescaped)] = parse_qsl(f"since={there}")
    assert parse_instant(unescaped) == instant


@pytest.mark.parametrize(
    "raw",
    [
        "2026-03-01",
        " 2026-03-01 ",
        "20260301",
        "2026-W09-7",
        "2026-03-01T23:30:00Z",
        "2026-03-01T23:30:00-11:00",
        "2026-03-01 00:15",
        "2026-03-01T10:30:00.123456+02:00",
    ],
)
def test_days_are_read_in_every_form_as_written(raw: str) -> None:
    assert parse_day(raw) == date(2026, 3, 1)


@pytest.mark.parametrize(
    "raw",
    ["", "03/04/2026", "04.03.2026", "2026-02-29", "2026-3-1", "2026", "March 1, 2026", "26-03-01"],
)
def test_what_two_countries_read_as_two_days_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_day(raw)


@pytest.mark.parametrize(
    ("raw", "unrendered"),
    [
        ("{{last_poll}}", True),
        ("{{ 123__updated }}", True),
        ("since {{x}}", True),
        ("2026-03-01", False),
        ("{last_poll}", False),
        ("}} {{", False),
    ],
)
def test_a_template_that_nobody_filled_in_is_told(raw: str, unrendered: bool) -> None:
    assert is_unrendered(raw) == unrendered


def test_a_text_about_templates_is_not_one() -> None:
    assert is_unrendered(" {{note}} ", whole=True)
    assert not is_unrendered("ask for {{last_poll}}", whole=True)


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "Africa/Cairo", "America/Santiago", "Asia/Kolkata", "Pacific/Apia"]
)


@given(days, ZONES)
@settings(max_examples=150)
def test_a_day_starts_at_its_first_instant(day: date, name: str) -> None:
    where = zone(name)
    begins = start_of(day, where)
    assert local_day(begins, where) == day
    assert local_day(begins - timedelta(milliseconds=1), where) == day - timedelta(days=1)


def test_a_day_that_clocks_begin_at_one_starts_then() -> None:
    # In Cairo, 24 April 2026 has no midnight.
    begins = start_of(date(2026, 4, 24), ZoneInfo("Africa/Cairo"))
    assert begins == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert begins.astimezone(ZoneInfo("Africa/Cairo")).hour == 1


@pytest.mark.parametrize("name", ["Asia/Tokyo", "America/New_York", "UTC"])
@pytest.mark.parametrize("raw", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_have_a_day_everywhere(name: str, raw: str) -> None:
    # The latter is how some systems say never.
    at = parse_instant(raw)
    assert abs(local_day(at, zone(name)) - at.date()) <= timedelta(days=1)


@given(days, st.integers(0, 1200))
@settings(max_examples=150)
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, count: int) -> None:
    later = months_after(day, count)
    assert (later.year - day.year) * 12 + later.month - day.month == count
    next_day = later + timedelta(days=1)
    assert later.day == day.day or (later.day < day.day and next_day.day == 1)


def test_there_are_no_days_beyond_the_calendar() -> None:
    assert days_after(date(9999, 12, 30), 1) == date(9999, 12, 31)
    assert days_after(date(9999, 12, 31), 1) is None
    assert days_after(date(2026, 3, 1), 10**15) is None

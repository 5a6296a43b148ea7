"""A score by day and week, against a walk over the changes (LU-044)."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, a_change, customer_number

from vitals.domain.change import Change
from vitals.domain.instants import local_day, zone
from vitals.domain.score_days import Point, daily, weekly

ZONES = ("UTC", "America/Santiago", "Pacific/Auckland")


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """Draw a customer's changes, newest first, of whom some move the score."""
    made: list[Change] = []
    instant, score = NOW, None
    for version in range(1, draw(st.integers(1, 8)) + 1):
        instant += timedelta(hours=draw(st.integers(1, 300)))
        after = draw(st.sampled_from([score, None, 10, 60, 90]))
        customer = customer_number(1, version=version, score=after, updated_at=instant)
        status = "unscored" if after is None else f"band {after}"
        made.append(a_change(customer, score_before=score, score_after=after, status_after=status))
        score = after
    return made[::-1]


def expected(history: list[Change], day: date, where: str) -> Point:
    """Return the point of one day by looking at every change."""
    until = [each for each in history[::-1] if local_day(each.at, zone(where)) <= day]
    that_day = [each for each in until if local_day(each.at, zone(where)) == day]
    moves = sum(each.score_before != each.score_after for each in that_day)
    if not until:
        return Point(day, None, None, moves)
    return Point(day, until[-1].score_after, until[-1].status_after, moves)


@given(changes(), st.sampled_from(ZONES), st.integers(-5, 60), st.integers(0, 60))
def test_each_day_has_what_was_published_at_its_end(
    history: list[Change], where: str, begin: int, length: int
) -> None:
    first = NOW.date() + timedelta(days=begin)
    last = first + timedelta(days=length)
    # As it is read: back to one before the first day.
    cut = next(
        (n for n, each in enumerate(history, 1) if local_day(each.at, zone(where)) < first),
        len(history),
    )
    points = daily(history[:cut], first, last, zone(where))
    days = [first + timedelta(days=number) for number in range(length + 1)]
    assert points == [expected(history, day, where) for day in days]
    weeks = weekly(points)
    ends = [day for day in days if day.isoweekday() == 7 or day == last]
    assert [week.date for week in weeks] == ends
    by_day = {point.date: point for point in points}
    for week in weeks:
        own = [day for day in days if day.isocalendar()[:2] == week.date.isocalendar()[:2]]
        assert week.moves == sum(by_day[day].moves for day in own)
        assert (week.score, week.band) == (by_day[week.date].score, by_day[week.date].band)


def test_today_shows_what_stands_now() -> None:
    customer = customer_number(1, score=70, updated_at=NOW)
    history = [a_change(customer, score_after=70, status_after="healthy")]
    today = NOW.date() + timedelta(days=1)
    points = daily(history, NOW.date(), today, zone("UTC"), (69, "healthy"))
    assert [(point.score, point.moves) for point in points] == [(70, 1), (69, 0)]

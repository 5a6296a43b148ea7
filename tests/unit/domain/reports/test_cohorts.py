"""Cohorts: who came together, and who was still there when each span ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, a_customer, customer_number
from tests.unit.domain.reports.portfolio_books import share

from vitals.domain.customer import Customer
from vitals.domain.instants import months_after
from vitals.domain.reports.cohorts import cohort_figures

TODAY = date(2026, 3, 15)
DAYS = st.dates(date(2024, 11, 1), date(2026, 4, 30))
CUSTOMERS = st.lists(
    st.builds(
        a_customer,
        since=st.none() | DAYS,
        created_at=DAYS.map(lambda day: datetime(day.year, day.month, day.day, 23, tzinfo=UTC)),
        lifecycle=st.sampled_from(["active", "churned", "churned"]),
        churned_on=st.none() | DAYS,
        deleted_at=st.sampled_from([None, None, None, NOW]),
    ),
    max_size=14,
)


def began(day: date, months: int) -> date:
    """Return the first day of the month or quarter of *day*."""
    return date(day.year, (day.month - 1) // months * months + 1, 1)


@given(CUSTOMERS, st.sampled_from([("month", 1), ("quarter", 3)]), st.integers(1, 14))
def test_a_cohort_retains_whoever_had_not_left_when_a_span_ended(
    customers: Sequence[Customer], period: tuple[str, int], months_out: int
) -> None:
    name, months = period
    here = [each for each in customers if each.deleted_at is None]
    unknown = [each for each in here if each.lifecycle == "churned" and not each.churned_on]
    known = [each for each in here if each not in unknown]
    wanted: dict[date, list[Customer]] = {}
    for each in known:
        start = began(each.since or each.created_at.date(), months)
        wanted.setdefault(start, []).append(each)
    found = cohort_figures(customers, TODAY, name, months_out)
    assert (found["customers"], found["unknown"]) == (len(known), len(unknown))
    assert [each["cohort"] for each in found["cohorts"]] == sorted(wanted)
    for cohort in found["cohorts"]:
        own = wanted[cohort["cohort"]]
        expected = []
        for offset in range(months_out // months + 1):
            ends = months_after(cohort["cohort"], (offset + 1) * months) - timedelta(days=1)
            if ends >= began(TODAY, months):
                break
            stayed = [
                each
                for each in own
                if each.lifecycle != "churned" or (each.churned_on and each.churned_on > ends)
            ]
            expected.append((offset, len(stayed), share(len(stayed), len(own))))
        rows = [(row["offset"], row["count"], row["percent"]) for row in cohort["retained"]]
        assert rows == expected
        assert cohort["size"] == len(own)
        now = sum(each.lifecycle != "churned" for each in own)
        assert cohort["current"] == {"count": now, "percent": share(now, len(own))}
    for row in found["overall"]:
        same = [
            (cohort["size"], each["count"])
            for cohort in found["cohorts"]
            for each in cohort["retained"]
            if each["offset"] == row["offset"]
        ]
        assert row["size"] == sum(size for size, _ in same)
        assert row["count"] == sum(count for _, count in same)
        assert row["percent"] == share(row["count"], row["size"])


def test_of_four_who_came_in_november_one_left_in_january() -> None:
    customers = [customer_number(number, since=date(2025, 11, 9)) for number in range(3)]
    left = customer_number(
        3, since=date(2025, 11, 30), lifecycle="churned", churned_on=date(2026, 1, 31)
    )
    [cohort] = cohort_figures([*customers, left], TODAY)["cohorts"]
    assert (cohort["cohort"], cohort["size"]) == (date(2025, 11, 1), 4)
    assert [row["percent"] for row in cohort["retained"]] == [100, 100, 75, 75]
    assert cohort["current"] == {"count": 3, "percent": 75}


def test_a_month_that_runs_has_not_passed() -> None:
    [cohort] = cohort_figures([customer_number(1, since=TODAY)], TODAY)["cohorts"]
    assert cohort["retained"] == []


def test_who_never_said_since_when_came_on_the_local_day_of_creation() -> None:
    created = datetime(2026, 1, 31, 23, tzinfo=UTC)
    customer = customer_number(1, created_at=created)
    where = ZoneInfo("Europe/Berlin")
    [here] = cohort_figures([customer], TODAY)["cohorts"]
    [there] = cohort_figures([customer], TODAY, where=where)["cohorts"]
    assert (here["cohort"], there["cohort"]) == (date(2026, 1, 1), date(2026, 2, 1))


def test_nobody_is_no_cohort() -> None:
    found = cohort_figures([], TODAY)
    assert (found["cohorts"], found["overall"], found["unknown"]) == ([], [], 0)


def test_cohorts_are_of_months_or_quarters() -> None:
    with pytest.raises(KeyError, match="week"):
        cohort_figures([], TODAY, "week")

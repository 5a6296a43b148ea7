"""Cohorts: who came together, and who was still there when each span ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
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
    assert found["observed_from"] == min((each.created_at.date() for each in known), default=None)
    assert [each["cohort"] for each in found["cohorts"]] == sorted(wanted)
    for cohort in found["cohorts"]:
        first, own = cohort["cohort"], wanted[cohort["cohort"]]
        expected: list[tuple[int, int, int]] = []
        for offset in range(months_out // months + 1):
            begins = months_after(first, offset * months)
            ends = months_after(first, (offset + 1) * months) - timedelta(days=1)
            if ends >= began(TODAY, months):
                break
            # At the first span's beginning nobody was there yet: on record is who was by its end.
            seen = [each for each in own if each.created_at.date() < begins] if offset else [
                each for each in own if each.created_at.date() <= ends
            ]  # fmt: skip
            there = [each for each in seen if offset == 0 or not gone(each, before=begins)]
            stayed = [each for each in there if not gone(each, before=months_after(begins, months))]
            expected.append((offset, len(there), len(stayed)))
        rows = [(row["offset"], row["size"], row["count"]) for row in cohort["retained"]]
        assert rows == expected
        assert [row["percent"] for row in cohort["retained"]] == products(cohort["retained"])
        assert cohort["size"] == len(own)
        now = sum(each.lifecycle != "churned" for each in own)
        assert cohort["current"] == {"count": now, "percent": share(now, len(own))}
    for row in found["overall"]:
        same = [
            each
            for cohort in found["cohorts"]
            for each in cohort["retained"]
            if each["offset"] == row["offset"]
        ]
        assert row["size"] == sum(each["size"] for each in same)
        assert row["count"] == sum(each["count"] for each in same)
    assert [row["percent"] for row in found["overall"]] == products(found["overall"])


def gone(customer: Customer, *, before: date) -> bool:
    """Tell whether the customer had left before a day."""
    return customer.lifecycle == "churned" and (customer.churned_on or date.max) < before


def products(rows: Sequence[Mapping[str, Any]]) -> list[Fraction | None]:
    """Return the percentage that stayed to each row's end, each from the beginning."""
    found: list[Fraction | None] = []
    for end in range(1, len(rows) + 1):
        top = bottom = 1
        for row in rows[:end]:
            if top == 0:
                break
            top, bottom = top * row["count"], bottom * row["size"]
        found.append(share(top, bottom))
    return found


@given(CUSTOMERS)
def test_if_all_were_on_record_when_they_came_a_part_is_of_all_who_did(
    customers: Sequence[Customer],
) -> None:
    on_time = [
        replace(each, created_at=datetime(2024, 10, 1, tzinfo=UTC), since=each.since or TODAY)
        for each in customers
    ]
    found = cohort_figures(on_time, TODAY)
    assert found["late"] == 0
    for cohort in found["cohorts"]:
        for row in cohort["retained"]:
            assert row["percent"] == share(row["count"], cohort["size"])


def on(year: int, month: int, day: int = 1) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def test_of_who_came_before_the_records_began_nothing_is_claimed() -> None:
    old = [
        customer_number(number, since=date(2023, 5, 9), created_at=on(2025, 12))
        for number in range(3)
    ]
    found = cohort_figures(old, TODAY)
    assert (found["observed_from"], found["late"]) == (date(2025, 12, 1), 3)
    [cohort] = found["cohorts"]
    assert {(row["size"], row["percent"]) for row in cohort["retained"]} == {(0, None)}
    assert {row["percent"] for row in found["overall"]} == {None}
    assert cohort["current"] == {"count": 3, "percent": 100}


def test_who_came_on_record_later_counts_from_then_on() -> None:
    """Two on record when they came, of whom one left; four more whom only later months know."""
    stayed = customer_number(1, since=date(2025, 10, 9), created_at=on(2025, 10, 9))
    left = customer_number(
        2, since=date(2025, 10, 9), created_at=on(2025, 10, 9), lifecycle="churned",
        churned_on=date(2025, 11, 20),
    )  # fmt: skip
    later = [
        customer_number(number, since=date(2025, 10, 9), created_at=on(2025, 12, 5))
        for number in (3, 4, 5)
    ]
    gone = customer_number(
        6, since=date(2025, 10, 9), created_at=on(2025, 12, 5), lifecycle="churned",
        churned_on=date(2026, 1, 2),
    )  # fmt: skip
    [cohort] = cohort_figures([stayed, left, *later, gone], TODAY)["cohorts"]
    rows = [(row["size"], row["count"], row["percent"]) for row in cohort["retained"]]
    assert rows == [(2, 2, 100), (2, 1, 50), (1, 1, 50), (5, 4, 40), (4, 4, 40)]


def test_who_was_taken_over_as_churned_was_never_seen_to_leave() -> None:
    churned = customer_number(
        1, since=date(2025, 10, 9), created_at=on(2025, 12, 5), lifecycle="churned",
        churned_on=date(2025, 12, 5),
    )  # fmt: skip
    here = customer_number(2, since=date(2025, 10, 9), created_at=on(2025, 10, 9))
    [cohort] = cohort_figures([churned, here], TODAY)["cohorts"]
    assert [(row["size"], row["percent"]) for row in cohort["retained"]] == [(1, 100)] * 5
    assert cohort["current"] == {"count": 1, "percent": 50}


def test_of_four_who_came_in_november_one_left_in_january() -> None:
    came = {"created_at": on(2025, 11, 9)}
    customers = [customer_number(number, since=date(2025, 11, 9), **came) for number in range(3)]
    left = customer_number(
        3, since=date(2025, 11, 30), lifecycle="churned", churned_on=date(2026, 1, 31), **came
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

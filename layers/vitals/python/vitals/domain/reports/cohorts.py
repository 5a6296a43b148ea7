"""Cohorts: of those who came in one month or quarter, how many are still here (LU-067)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, tzinfo
from typing import Any, Final

from vitals.domain.customer import Customer
from vitals.domain.instants import local_day
from vitals.domain.model import CHURNED
from vitals.domain.reports.accounts import percent

MONTH, QUARTER = "month", "quarter"
PERIODS: Final = {MONTH: 1, QUARTER: 3}
"""How many months a cohort spans."""
MONTHS_OUT: Final = 12

Span = int
"""A month or quarter, counted from the year 0."""


def cohort_figures(
    customers: Iterable[Customer],
    today: date,
    period: str = MONTH,
    months_out: int = MONTHS_OUT,
    *,
    where: tzinfo = UTC,
) -> dict[str, Any]:
    """Return the cohorts of *customers* by *period*, month or quarter, the oldest first.

    A customer belongs where its `since` falls, else the day of its creation in *where*, and leaves
    in the span of its `churned_on`. `retained` are those who had not left when a span ended, for
    each span that has, up to *months_out* months after the cohort's own; `current` are those here
    now. `overall` is the same over all cohorts that have come so far. Those who churned nobody
    knows when are `unknown`, and in no cohort; nor are those in the trash. Whether revenue was
    retained is not known.

    Raises KeyError for another period.
    """
    months = PERIODS[period]
    sizes: Counter[Span] = Counter()
    left: dict[Span, Counter[int]] = defaultdict(Counter)
    unknown = 0
    for customer in customers:
        if customer.deleted_at is not None:
            continue
        gone = customer.lifecycle == CHURNED
        if gone and customer.churned_on is None:
            unknown += 1
            continue
        start = _span(customer.since or local_day(customer.created_at, where), months)
        sizes[start] += 1
        if gone and customer.churned_on is not None:
            # Whoever left before coming never was there at a span's end.
            left[start][max(0, _span(customer.churned_on, months) - start)] += 1
    here = _span(today, months)
    cohorts = [
        _cohort(start, size, left[start], min(here - start, months_out // months + 1), months)
        for start, size in sorted(sizes.items())
    ]
    return {
        "period": period,
        "months_out": months_out,
        "customers": sum(sizes.values()),
        "unknown": unknown,
        "cohorts": cohorts,
        "overall": _overall(cohorts),
    }


def _span(day: date, months: int) -> Span:
    return (day.year * 12 + day.month - 1) // months


def _cohort(start: Span, size: int, left: Counter[int], ended: int, months: int) -> dict[str, Any]:
    """Return one cohort at each of the spans that have *ended* since it began."""
    retained, here = [], size
    for offset in range(ended):
        here -= left[offset]
        retained.append({"offset": offset, "count": here, "percent": percent(here, size)})
    now = size - left.total()
    year, month = divmod(start * months, 12)
    return {
        "cohort": date(year, month + 1, 1),
        "size": size,
        "retained": retained,
        "current": {"count": now, "percent": percent(now, size)},
    }


def _overall(cohorts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how many of all who have come so far were retained at each offset."""
    sizes: Counter[int] = Counter()
    counts: Counter[int] = Counter()
    for cohort in cohorts:
        for each in cohort["retained"]:
            sizes[each["offset"]] += cohort["size"]
            counts[each["offset"]] += each["count"]
    return [
        {
            "offset": offset,
            "size": sizes[offset],
            "count": counts[offset],
            "percent": percent(counts[offset], sizes[offset]),
        }
        for offset in sorted(sizes)
    ]

"""Cohorts: of those who came in one month or quarter, how many are still here (LU-067)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from fractions import Fraction
from typing import Any, Final

from vitals.domain.customer import Customer
from vitals.domain.instants import local_day
from vitals.domain.model import CHURNED
from vitals.domain.numbers import Number, published_ratio
from vitals.domain.reports.accounts import percent

MONTH, QUARTER = "month", "quarter"
PERIODS: Final = {MONTH: 1, QUARTER: 3}
"""How many months a cohort spans."""
MONTHS_OUT: Final = 12

Span = int
"""A month or quarter, counted from the year 0."""


@dataclass(slots=True)
class _Cohort:
    """Who came in one span, by how many spans later.

    *entered* are by the first span in which they could be seen to leave, *left* of these by the
    span in which they did; *size* are all, *gone* those not here any more.
    """

    size: int = 0
    gone: int = 0
    entered: Counter[int] = field(default_factory=Counter)
    left: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Span:
    """How many were at risk of leaving in one span, and how many of these did not leave."""

    size: int
    count: int


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
    in the span of its `churned_on`. Whoever left before there was a record of them is not known: so
    a customer counts in a span once it was on record when that began, in the cohort's own span once
    it was by its end (delayed entry). `retained` are, for each span that has ended, up to
    *months_out* months after the cohort's own: `size` who was so and still here, `count` who of
    them was when it ended, and `percent` of those who came how many stayed so long, as the product
    of count / size so far (the product-limit estimate); None from the first span of which nobody is
    known. `current` are those here now, of all who are on record; `overall` is as `retained`, of
    all cohorts together. `observed_from` is the day of the first record. `late` are those whose
    record began after the span in which they came. Those who churned nobody knows when are
    `unknown`, and in no cohort; nor are those in the trash. Whether revenue was retained is not
    known.

    Raises KeyError for another period.
    """
    months = PERIODS[period]
    found: dict[Span, _Cohort] = {}
    unknown = late = 0
    first: date | None = None
    for customer in customers:
        if customer.deleted_at is not None:
            continue
        gone = customer.lifecycle == CHURNED
        if gone and customer.churned_on is None:
            unknown += 1
            continue
        created = local_day(customer.created_at, where)
        first = min(first or created, created)
        start = _span(customer.since or created, months)
        cohort = found.setdefault(start, _Cohort())
        recorded = _span(created, months) - start
        entered = 0 if recorded <= 0 else recorded + 1
        late += entered > 0
        cohort.size += 1
        cohort.gone += gone
        # Whoever left before coming never was there at a span's end.
        left = max(0, _span(customer.churned_on, months) - start) if customer.churned_on else None
        if not gone or left is None:
            cohort.entered[entered] += 1
        elif left >= entered:
            cohort.entered[entered] += 1
            cohort.left[left] += 1
    here, most = _span(today, months), months_out // months + 1
    spans = {
        start: _spans(cohort, min(here - start, most)) for start, cohort in sorted(found.items())
    }
    return {
        "period": period,
        "months_out": months_out,
        "customers": sum(cohort.size for cohort in found.values()),
        "unknown": unknown,
        "observed_from": first,
        "late": late,
        "cohorts": [_shown(start, found[start], spans[start], months) for start in spans],
        "overall": _retained(_together(list(spans.values()))),
    }


def _span(day: date, months: int) -> Span:
    return (day.year * 12 + day.month - 1) // months


def _spans(cohort: _Cohort, ended: int) -> list[_Span]:
    """Return who was at risk in each of the spans that have *ended* since the cohort began."""
    spans, here = [], 0
    for offset in range(ended):
        here += cohort.entered[offset]
        spans.append(_Span(here, here - cohort.left[offset]))
        here -= cohort.left[offset]
    return spans


def _together(spans: Sequence[Sequence[_Span]]) -> list[_Span]:
    """Return the spans of all cohorts at each offset that one has reached."""
    return [
        _Span(sum(each.size for each in same), sum(each.count for each in same))
        for offset in range(max(map(len, spans), default=0))
        if (same := [own[offset] for own in spans if len(own) > offset])
    ]


def _retained(spans: Sequence[_Span]) -> list[dict[str, Any]]:
    """Return *spans* as shown, each with the part of those who came that stayed to its end."""
    stayed: Fraction | None = Fraction(1)
    shown = []
    for offset, span in enumerate(spans):
        if stayed:
            stayed = stayed * Fraction(span.count, span.size) if span.size else None
        shown.append(
            {"offset": offset, "size": span.size, "count": span.count, "percent": _percent(stayed)}
        )
    return shown


def _percent(part: Fraction | None) -> Number | None:
    return None if part is None else published_ratio(100 * part.numerator, part.denominator)


def _shown(start: Span, cohort: _Cohort, spans: Sequence[_Span], months: int) -> dict[str, Any]:
    year, month = divmod(start * months, 12)
    now = cohort.size - cohort.gone
    return {
        "cohort": date(year, month + 1, 1),
        "size": cohort.size,
        "retained": _retained(spans),
        "current": {"count": now, "percent": percent(now, cohort.size)},
    }

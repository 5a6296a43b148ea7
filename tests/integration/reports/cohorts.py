"""What an oracle expects of cohorts."""

from __future__ import annotations

from datetime import date, timedelta

from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import Row, day_of, percent
from tests.integration.reports.parts import answer


def get_cohorts(folio: Folio, period: str = "month", months_out: int = 12) -> Row:
    """Who came together, and who stayed."""
    step = {"month": 1, "quarter": 3}[period]

    def span(day: date) -> date:
        month = (day.month - 1) // step * step + 1
        return date(day.year, month, 1)

    def spans_from(first: date) -> list[date]:
        """The spans that have ended, from *first* on."""
        found: list[date] = []
        while first < span(folio.today) and len(found) <= months_out // step:
            found.append(first)
            first = span(first + timedelta(days=step * 31))
        return found

    came: dict[date, list[date | None]] = {}
    unknown = 0
    for each in (*folio.accounts, *folio.churned):
        gone = day_of(each.view["churned_on"]) if each.stage == "churned" else None
        if each.stage == "churned" and gone is None:
            unknown += 1
            continue
        start = day_of(each.view["since"]) or folio.local(each.view["created_at"])
        came.setdefault(span(start), []).append(gone)
    cohorts: list[Row] = []
    for first in sorted(came):
        left = came[first]
        retained = []
        for offset, ended in enumerate(spans_from(first)):
            here = sum(gone is None or span(gone) > ended for gone in left)
            retained.append({"offset": offset, "count": here, "percent": percent(here, len(left))})
        here = left.count(None)
        cohorts.append(
            {
                "cohort": first,
                "size": len(left),
                "retained": retained,
                "current": {"count": here, "percent": percent(here, len(left))},
            }
        )
    overall = []
    for offset in range(months_out + 1):
        reached = [each for each in cohorts if len(each["retained"]) > offset]
        if reached:
            size = sum(each["size"] for each in reached)
            count = sum(each["retained"][offset]["count"] for each in reached)
            overall.append(
                {"offset": offset, "size": size, "count": count, "percent": percent(count, size)}
            )
    return answer(
        folio,
        {
            "period": period,
            "months_out": months_out,
            "customers": sum(len(left) for left in came.values()),
            "unknown": unknown,
            "cohorts": cohorts,
            "overall": overall,
        },
    )

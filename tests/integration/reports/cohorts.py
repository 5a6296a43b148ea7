"""What an oracle expects of cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import prod

from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import Row, day_of, four, percent
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

    came: dict[date, list[tuple[date, date | None]]] = {}
    unknown = late = 0
    recorded: list[date] = []
    for each in (*folio.accounts, *folio.churned):
        gone = day_of(each.view["churned_on"]) if each.stage == "churned" else None
        if each.stage == "churned" and gone is None:
            unknown += 1
            continue
        created = folio.local(each.view["created_at"])
        start = day_of(each.view["since"]) or created
        came.setdefault(span(start), []).append((created, gone))
        recorded.append(created)
        late += span(created) > span(start)
    cohorts: list[Row] = []
    for first in sorted(came):
        left = came[first]
        seen = []
        for now in spans_from(first):
            known = [
                gone
                for created, gone in left
                if (span(created) < now or now == first >= span(created))
                and (gone is None or span(gone) >= now or now == first)
            ]
            seen.append((len(known), sum(gone is None or span(gone) > now for gone in known)))
        retained = _rows(seen)
        here = sum(gone is None for _, gone in left)
        cohorts.append(
            {
                "cohort": first,
                "size": len(left),
                "retained": retained,
                "current": {"count": here, "percent": percent(here, len(left))},
            }
        )
    everybody = []
    for offset in range(months_out + 1):
        at = [row for each in cohorts for row in each["retained"] if row["offset"] == offset]
        if at:
            everybody.append((sum(row["size"] for row in at), sum(row["count"] for row in at)))
    return answer(
        folio,
        {
            "period": period,
            "months_out": months_out,
            "customers": sum(len(left) for left in came.values()),
            "unknown": unknown,
            "observed_from": min(recorded, default=None),
            "late": late,
            "cohorts": cohorts,
            "overall": _rows(everybody),
        },
    )


def _rows(seen: Sequence[tuple[int, int]]) -> list[Row]:
    """Return rows of how many there were and stayed: a part of a part of a part."""
    rows = []
    for offset, (size, count) in enumerate(seen):
        parts = [
            Fraction(after, before) if before else None for before, after in seen[: offset + 1]
        ]
        if Fraction(0) in parts:
            parts = parts[: parts.index(Fraction(0)) + 1]
        known = [part for part in parts if part is not None]
        stayed = four(prod(known, start=Fraction(100))) if len(known) == len(parts) else None
        rows.append({"offset": offset, "size": size, "count": count, "percent": stayed})
    return rows

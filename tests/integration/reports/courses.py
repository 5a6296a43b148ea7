"""What an oracle expects of trends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.integration.reports.agreement import Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.insights import insights
from tests.integration.reports.movement import Movement
from tests.integration.reports.numbers import Row, exact
from tests.integration.reports.parts import (
    answer,
    document,
    figure,
    kpis,
    mover,
    mover_table,
    spelled,
    standing,
    table,
)
from tests.integration.reports.seen import Seen, movers


def trend(folio: Folio) -> Row:
    """How the average went."""
    days = folio.days(1 if folio.period <= 180 else 7)
    values = [each.average for each in days.values()]
    known = [(day, value) for day, value in zip(days, values, strict=True) if value is not None]
    lines_of = {
        name: [_on(folio, day, name).metric("health_score") for day in days]
        for name in _largest(folio)
    }
    said = insights(
        ("health_score", list(days), values),
        [
            ("mrr", list(days), [each.mrr for each in days.values()]),
            *[("health_score", list(days), own, name) for name, own in lines_of.items()],
        ],
    )
    fell, rose = movers(folio, 10)
    moved = Movement(folio)
    counts = moved.counts if moved.known else None
    only = [value for _, value in known]
    parts: list[Row] = []
    if moved.known:
        opening, left, improved, declined, joined, closing = moved.values
        gone, up, down, new = moved.counts
        stayed = len(moved.stayed) - up - down
        parts = [
            {"part": "No longer scored", "customers": gone, "points": left},
            {"part": "Improved", "customers": up, "points": improved},
            {"part": "Declined", "customers": down, "points": declined},
            {"part": "Unchanged", "customers": stayed, "points": 0},
            {"part": "Newly scored", "customers": new, "points": joined},
        ]
    told = [each["line"] for each in said if each["kind"] != "move"]
    lines = [standing(folio), *told[:2]]
    lines += [mover(found[0]) for found in (fell, rose) if found]
    told_line: list[Any] = []
    if len(list(days)) == 1 and known:
        told_line = [known[-1][1]]
    elif known:
        told_line = [*known[0][::-1], known[-1][1], list(days)[-1], min(only), max(only)]
    for name, own in lines_of.items():
        some = [value for value in own if value is not None]
        told_line += [name, some[0], some[-1]] if some else []
    weeks = folio.days(7)
    daily = folio.days(1)
    # The first known day stands beside the weeks, or the one that all is compared with.
    weeks = {day: each for day, each in daily.items() if day in (min(daily), *weeks)}
    if folio.then and folio.before and folio.then < min(weeks):
        weeks = {folio.then: folio.before, **{day: weeks[day] for day in folio.days(7)}}
    return document(
        folio,
        lines if len(lines) > 1 else [*lines, Said(folio.then) if folio.then else Said()],
        {
            "kpis": {
                **kpis(folio, "average_score", "customers", "mrr", "at_risk", "revenue_at_risk"),
                "lowest": figure(min(only, default=None)),
                "highest": figure(max(only, default=None)),
                "improved": figure(counts and counts[1]),
                "declined": figure(counts and counts[2]),
            },
            "score_line": {
                "labels": list(days),
                "series": {
                    "book": values,
                    **{f"manager:{name}": own for name, own in lines_of.items()},
                },
                "says": Said(*told_line),
            },
            "insights": [each["line"] for each in said] or [Said()],
            "movement": moved.chart(),
            "movement_parts": table(
                "part customers points", parts, *((opening, closing) if moved.known else ())
            ),
            "fell_most": mover_table(fell),
            "rose_most": mover_table(rose),
            "days": table(
                "day average_score customers mrr at_risk at_risk_mrr",
                [
                    {
                        "day": day,
                        "average_score": each.average,
                        "customers": each.customers,
                        "mrr": each.mrr,
                        "at_risk": each.at_risk,
                        "at_risk_mrr": each.at_risk_mrr,
                    }
                    for day, each in reversed(weeks.items())
                ],
            ),
        },
        [Said(), Said(), Said(2, 5), Said()],
    )


def _largest(folio: Folio) -> list[str]:
    """Return the four managers with the most accounts, if everybody is looked at."""
    names = [each.manager for each in folio.accounts if each.manager]
    usual = spelled(names)
    own = sorted({usual[name] for name in names})
    size = {each: sum(usual[name] == each for name in names) for each in own}
    own.sort(key=lambda name: (-size[name], name.casefold()))
    return [] if folio.filters else sorted(own[:4])


def day_scores(each: Seen, days: Sequence[date]) -> list[int | None]:
    """Return a score at the end of each day, the last of which is now."""
    return [each.score_on(day) for day in days[:-1]] + [each.score]


def get_trend(
    folio: Folio,
    span: str,
    metric: str,
    secondary: str | None,
    *,
    managers: Sequence[str] = (),
    customers: Sequence[str] = (),
) -> Row:
    """A metric day by day."""
    every = 7 if folio.period > 180 else 1
    found = folio.days(every)
    days = list(found)
    values = [each.metric(metric) for each in found.values()]
    second = [each.metric(secondary) for each in found.values()] if secondary else None
    lines: list[Row] = []
    for name in managers:
        own = [_on(folio, day, name).metric(metric) for day in days]
        lines.append({"manager": name, "customer_id": None, "label": name, "values": own})
    for each_id in customers:
        [*here] = [each for each in (*folio.accounts, *folio.churned) if each.id == each_id]
        label = here[0].name if here else each_id
        own = fact_by_day(here[0], days, metric) if here else [None] * len(days)
        lines.append({"manager": None, "customer_id": each_id, "label": label, "values": own})
    others: list[Any] = [(secondary, days, second)] if secondary else []
    others += [(metric, days, each["values"], each["label"]) for each in lines]
    known = [value for value in values if value is not None]
    summary = {
        "first": known[0] if known else None,
        "last": known[-1] if known else None,
        "change": known[-1] - known[0] if known else None,
        "lowest": min(known, default=None),
        "highest": max(known, default=None),
    }
    fell, rose = movers(folio, 10)
    return answer(
        folio,
        {
            "range": span,
            "metric": metric,
            "secondary": secondary,
            "every": every,
            "days": days,
            "values": values,
            "secondary_values": second,
            "overlays": lines,
            "summary": summary,
            "insights": insights((metric, days, values), others),
            "movers": {
                "compared_with": folio.then,
                "fell": [_mover(each) for each in fell],
                "rose": [_mover(each) for each in rose],
            },
        },
    )


def _on(folio: Folio, day: date, manager: str) -> Any:
    return folio.on(day, {"manager": [manager]})


def fact_by_day(each: Seen, days: Sequence[date], metric: str) -> list[Any]:
    """Return a customer's own metric at the end of each day, the last of which is now."""
    if metric == "health_score":
        return list(day_scores(each, days))
    if metric in ("customers", "at_risk", "at_risk_mrr"):
        return [None] * len(days)
    found = []
    for day in days:
        value = None
        for change in reversed(each.history):
            if each.folio.local(change["at"]) <= day and metric in change["new"]:
                value = change["new"][metric]
        found.append(exact(value))
    return found


def _mover(each: Seen) -> Row:
    return {
        "id": each.id,
        "name": each.name,
        "manager": each.manager,
        "mrr": each.mrr,
        "score_then": each.was,
        "score": each.score,
        "status": each.status,
        "change": each.moved,
        "moved_by": [{"signal": name, "change": change} for name, change in each.moved_by],
    }

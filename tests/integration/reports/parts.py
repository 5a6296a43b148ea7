"""What an oracle expects of the reports: the sections that several share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.integration.reports.agreement import Given, Percent, Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import Row, mean, percent
from tests.integration.reports.seen import Seen, change_moves, paid, urgent
from tests.unit import oracle

NOTE = Said()


_CAUSED = ("signal_1", "change_1", "signal_2", "change_2")


def document(
    folio: Folio,
    headlines: Sequence[Said | None],
    sections: Mapping[str, Any],
    reading: Sequence[Said] = (),
    period: tuple[Any, Any] | None = None,
    *,
    compares: bool = True,
) -> dict[str, Any]:
    """Return what a report's JSON is to be."""
    first, last = period or (folio.then, folio.today)
    watch = folio.settings["bands"]["watch"]
    found = {
        "subject": folio.raw.tenant_name,
        "as_of": folio.raw.now,
        "time_zone": folio.zone.key,
        "period": {"from": first, "to": last} if first else None,
        "filters": {name: _spelled(folio, name) for name in folio.filters},
        "model_version": folio.settings["version"],
        "headlines": [line for line in headlines if line is not None],
    }
    if compares and folio.model_then:
        version, before = folio.settings["version"], folio.model_then["version"]
        found["headlines"].append(Said(version, folio.model_since, before))
    shown = {name: section for name, section in sections.items() if section is not None}
    names = [name for section in shown.values() for name in _names(section)]
    lines = [*reading]
    if compares:
        lines += [compared(folio)]
        lines += [Said()] if folio.before is not None and folio.filters else []
    lines += [Said(watch)] if any("at_risk" in name for name in names) else []
    lines += [Said(100, 100, 0, 1)] if "priority" in names else []
    return found | {"sections": {**shown, "reading": lines}}


def _spelled(folio: Folio, part: str) -> list[str]:
    """Return what a filter asked for, as most accounts spell it."""
    views = [each.view for each in folio.accounts]
    have = [view["manager"] or "" for view in views] if part == "manager" else []
    have += [tag for view in views for tag in view["tags"]] if part == "tag" else []
    best = {name.casefold(): spelling for name, spelling in spelled(have).items()}
    return [best.get(value, value) for value in sorted(folio.filters[part])]


def _names(section: Any) -> list[str]:
    """Return what the figures or columns of a section are called."""
    if isinstance(section, list) or "says" in section:
        return []
    return list(section.get("columns", section))


def compared(folio: Folio) -> Said:
    """Return what is said of the day that is compared with."""
    return Said(folio.then) if folio.then else Said()


def figure(value: Any, previous: Any = None, *note: Any) -> list[Any]:
    """Return one figure, and the numbers of its note."""
    return [value, previous, Said(*note)]


def table(columns: str, rows: Sequence[Mapping[str, Any]], *note: Any) -> dict[str, Any]:
    """Return a table of *columns*, each row of which has them and may have more."""
    names = columns.split()
    return {
        "columns": names,
        "rows": [{name: row[name] for name in names} for row in rows],
        "note": Said(*note),
    }


def kpis(folio: Folio, *names: str) -> dict[str, Any]:
    """Return the figures that a day's are set beside."""
    fields = {
        "average_score": "average",
        "customers": "customers",
        "mrr": "mrr",
        "arr": "arr",
        "at_risk": "at_risk",
        "revenue_at_risk": "at_risk_mrr",
    }
    return {
        name: figure(getattr(folio.now, field), getattr(folio.before, field, None))
        for name, field in fields.items()
        if not names or name in names
    }


def about(each: Seen) -> Row:
    """Return everything that tables say of one account, by column."""
    view = each.view
    return {
        "name": each.name,
        "manager": each.manager,
        "tier": each.tier,
        "mrr": each.paid,
        "score": each.score,
        "score_then": each.was,
        "status": each.status,
        "moved": each.moved,
        "renewal_date": Given(view["renewal_date"]),
        "days_until_renewal": each.days,
        "last_contact_on": Given(view["last_contact_on"]),
        "quiet_days": each.quiet,
        "cadence": each.cadence,
        "reason": each.reasons,
        **each.parts,
    }


def driving(moves: Sequence[tuple[str, Fraction]]) -> list[tuple[str, Fraction]]:
    """Return the two largest moves, if one decimal shows them."""
    return [(name, change) for name, change in moves[:2] if abs(change) >= Fraction(1, 20)]


def caused(moves: Sequence[tuple[str, Fraction]]) -> Row:
    """Return the two largest moves by column."""
    flat = [part for move in driving(moves) for part in move]
    return dict(zip(_CAUSED, [*flat, None, None, None, None], strict=False))


def calls(folio: Folio, accounts: Sequence[Seen] | None = None) -> dict[str, Any]:
    """Return the table of whom to call first."""
    found = urgent(folio.accounts if accounts is None else accounts)[:10]
    return table(
        "name manager score status mrr days_until_renewal risk revenue_share renewal_factor "
        "priority reason",
        [about(each) for each in found],
    )


def call(folio: Folio, accounts: Sequence[Seen] | None = None) -> Said | None:
    """Return the sentence on whom to call first."""
    found = urgent(folio.accounts if accounts is None else accounts)
    if not found or not found[0].priority or not found[0].priority["priority"]:
        return None
    first = found[0]
    return Said(first.name, first.mrr, first.score, first.reasons)


def standing(folio: Folio) -> Said:
    """Return the sentence on the average."""
    now, before = folio.now, folio.before
    if now.average is None:
        return Said(now.customers)
    if before is None or before.average is None:
        return Said(now.customers, now.average)
    return Said(now.customers, now.average, before.average, folio.then)


def at_risk(folio: Folio) -> Said:
    """Return the sentence on who is at risk."""
    now, before = folio.now, folio.before
    values = [now.at_risk, now.at_risk_mrr]
    share = percent(now.at_risk_mrr, now.mrr)
    values += [] if share is None else [Percent(share)]
    if before is None:
        return Said(*values)
    return Said(*values, before.at_risk, before.at_risk_mrr, folio.then)


def mover(each: Seen) -> Said:
    """Return the sentence on one who moved."""
    drivers = [name for name, _ in driving(each.moved_by)]
    return Said(each.name, each.was, each.score, *([drivers] if drivers else []))


def mover_table(accounts: Sequence[Seen]) -> dict[str, Any]:
    """Return the table of those who moved."""
    return table(
        "name manager mrr score_then score status moved signal_1 change_1 signal_2 change_2",
        [about(each) | caused(each.moved_by) for each in accounts],
    )


def costs_chart(means: Sequence[tuple[str, Fraction]]) -> dict[str, Any] | None:
    """Return the chart of what each signal costs."""
    if not means or not means[0][1]:
        return None
    return {
        "labels": [name for name, _ in means],
        "series": {"costs": [-lost for _, lost in means]},
        "says": Said(means[0][0], means[0][1], 100),
    }


def mean_costs(accounts: Sequence[Seen]) -> list[tuple[str, Fraction]]:
    """Return what each signal costs on the mean of the scored accounts, the most first."""
    having = [each.costs for each in accounts if each.score is not None and each.costs]
    totals: dict[str, Fraction] = {}
    for costs in having:
        for name, lost, _, _ in costs:
            totals[name] = totals.get(name, Fraction(0)) + lost
    found = [(name, oracle.four_decimals(total / len(having))) for name, total in totals.items()]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def change_rows(folio: Folio, changes: Sequence[Row]) -> list[Row]:
    """Return the rows of a table of changes."""
    return [
        {
            "at": Given(change["at"]),
            "name": change["name"],
            "score_before": change["old"]["score"],
            "score_after": change["new"]["score"],
            "change": points(change),
            "status_after": change["new"]["status"],
            "cause": change["cause"],
            "by": folio.raw.actors.get(change["by"], change["by"]),
            **caused(change_moves(change)),
        }
        for change in changes
    ]


def points(change: Row) -> int | None:
    """Return by how many points one change moved the score."""
    before, after = change["old"]["score"], change["new"]["score"]
    return None if before is None or after is None else after - before


def bands(accounts: Sequence[Seen]) -> dict[str, int]:
    """Return how many accounts are in each band."""
    names = ("critical", "at_risk", "watch", "healthy", "expansion", "unscored")
    return {name: sum(each.status == name for each in accounts) for name in names}


def group(accounts: Sequence[Seen]) -> Row:
    """Return some accounts in figures, as the analytics show them."""
    risky = [each for each in accounts if each.at_risk]
    both = [each for each in accounts if each.moved is not None]
    trend = None
    if both:
        then, now = mean(each.was for each in both), mean(each.score for each in both)
        trend = {
            "accounts": len(both),
            "then": then,
            "now": now,
            "change": (now or 0) - (then or 0),
            "improved": sum((each.moved or 0) > 0 for each in both),
            "declined": sum((each.moved or 0) < 0 for each in both),
        }
    return {
        "accounts": len(accounts),
        "mrr": paid(accounts),
        "scored": sum(each.score is not None for each in accounts),
        "average_score": mean(each.score for each in accounts),
        "bands": bands(accounts),
        "at_risk": len(risky),
        "at_risk_percent": percent(len(risky), len(accounts)),
        "at_risk_mrr": paid(risky),
        "trend": trend,
    }


def spelled(names: Sequence[str]) -> dict[str, str]:
    """Return how each name is written: as most write it, whatever its case."""
    folds: dict[str, list[str]] = {}
    for name in names:
        folds.setdefault(name.casefold(), []).append(name)
    best = {
        fold: min(found, key=lambda name: (-found.count(name), name))
        for fold, found in folds.items()
    }
    return {name: best[name.casefold()] for name in names}


def answer(folio: Folio, figures: Mapping[str, Any]) -> Row:
    """Return what an answer is to be: what it is true of, and its *figures*."""
    return {
        "as_of": folio.raw.now,
        "time_zone": folio.zone.key,
        "model_version": folio.settings["version"],
        "filters": {name: _spelled(folio, name) for name in folio.filters},
        "compared_with": folio.then,
        **figures,
    }


def who(each: Seen) -> Row:
    """Return how an account is named."""
    return {
        "id": each.id,
        "name": each.name,
        "manager": each.manager,
        "tier": each.tier,
        "score": each.score,
        "status": each.status,
        "mrr": each.paid,
    }


def renewing(folio: Folio, first: int, last: int) -> list[Seen]:
    """Return who renews in so many days."""
    return [each for each in folio.accounts if each.days is not None and first <= each.days <= last]


def risky(accounts: Sequence[Seen]) -> list[Seen]:
    """Return who of them is at risk."""
    return [each for each in accounts if each.at_risk]

"""Managers and segments by an oracle, in figures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.integration.reports.agreement import Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import STAGES, TIERS, Row, four, percent
from tests.integration.reports.parts import group, spelled
from tests.integration.reports.seen import Seen, paid

Pair = tuple[Any, Any]


def managed(folio: Folio) -> dict[str, list[Seen]]:
    """Return each manager's accounts, those of none under ""."""
    names = spelled([each.manager or "" for each in folio.accounts])
    found: dict[str, list[Seen]] = {}
    for each in folio.accounts:
        found.setdefault(names[each.manager or ""], []).append(each)
    return found


def leaderboard(folio: Folio) -> tuple[list[Row], list[Row]]:
    """Return the managers, the best first, and what passes a threshold."""
    board, focus = [], []
    for name, accounts in managed(folio).items():
        late = [each for each in accounts if each.overdue]
        near = [each for each in accounts if each.days is not None and 0 <= each.days <= 90]
        fresh = [
            each
            for each in accounts
            if each.view["last_contact_on"] and (folio.today - each.contacted).days <= 6
        ]
        row = {
            "rank": None,
            "manager": name,
            **group(accounts),
            "overdue_contacts": len(late),
            "overdue_percent": percent(len(late), len(accounts)),
            "contacted": len(fresh),
            "renewals": {
                "accounts": len(near),
                "mrr": paid(near),
                "at_risk": sum(each.at_risk for each in near),
                "at_risk_mrr": paid([each for each in near if each.at_risk]),
            },
        }
        board.append(row)
        focus += _focus(folio, row, accounts, late)
    board.sort(key=_place)
    ranked = [row for row in board if row["manager"] and row["average_score"] is not None]
    for row in ranked:
        better = [each for each in ranked if each["average_score"] > row["average_score"]]
        row["rank"] = len(better) + 1
    return board, sorted(focus, key=lambda area: (-area["mrr"], area["kind"], area["manager"]))


def _place(row: Row) -> tuple[Any, ...]:
    average = row["average_score"]
    worst = -1 if average is None else average
    return row["manager"] == "", -worst, -row["mrr"], row["manager"]


def _focus(folio: Folio, row: Row, accounts: Sequence[Seen], late: Sequence[Seen]) -> list[Row]:
    name, count, mrr = row["manager"], row["accounts"], row["mrr"]
    if name == "":
        return [_area("unassigned", "", (count, 1), (count, mrr), (count, mrr))]
    found = []
    told: tuple[Any, ...]
    if row["at_risk_percent"] >= 30:
        share, risky, risky_mrr = row["at_risk_percent"], row["at_risk"], row["at_risk_mrr"]
        told = (name, share, risky, count, risky_mrr)
        found.append(_area("at_risk", name, (share, 30), (risky, risky_mrr), told))
    if row["overdue_percent"] >= 25:
        share, late_mrr = row["overdue_percent"], paid(late)
        told = (name, len(late), count, share, late_mrr)
        found.append(_area("overdue", name, (share, 25), (len(late), late_mrr), told))
    both = [each for each in accounts if each.moved is not None]
    if len(both) >= 3 and sum(each.moved or 0 for each in both) <= -2 * len(both):
        fell = [each for each in both if (each.moved or 0) < 0]
        change = row["trend"]["change"]
        told = (name, change, folio.then, len(fell), len(both), paid(fell))
        found.append(_area("declining", name, (change, -2), (len(fell), paid(fell)), told))
    return found


def _area(kind: str, manager: str, passed: Pair, whom: Pair, told: tuple[Any, ...]) -> Row:
    return {
        "kind": kind,
        "manager": manager,
        "value": passed[0],
        "threshold": passed[1],
        "accounts": whom[0],
        "mrr": whom[1],
        "line": Said(*told),
    }


def workload(folio: Folio) -> Row:
    """Return each manager's share of the managed accounts."""
    own = {name: accounts for name, accounts in managed(folio).items() if name}
    everybody = [each for accounts in own.values() for each in accounts]
    even = four(Fraction(100, len(own))) if own else None
    rows: list[Row] = []
    for name, accounts in own.items():
        by_count = percent(len(accounts), len(everybody))
        by_mrr = percent(paid(accounts), paid(everybody))
        rows.append(
            {
                "manager": name,
                "accounts": len(accounts),
                "accounts_percent": by_count,
                "accounts_over_even": (by_count or 0) - (even or 0),
                "mrr": paid(accounts),
                "mrr_percent": by_mrr,
                "mrr_over_even": None if by_mrr is None else by_mrr - (even or 0),
                "heavy": len(accounts) >= Fraction(3, 2) * Fraction(len(everybody), len(own)),
            }
        )
    rows.sort(key=lambda row: (-row["accounts"], -row["mrr"], row["manager"]))
    return {"managers": len(own), "even_percent": even, "rows": rows}


def segments(folio: Folio) -> Row:
    """Return the tags, tiers and stages in figures."""
    accounts, everybody = folio.accounts, [*folio.accounts, *folio.churned]
    names = spelled([tag for each in accounts for tag in each.view["tags"]])
    tags: dict[str, list[Seen]] = {}
    for each in accounts:
        for name in {names[tag] for tag in each.view["tags"]} or {""}:
            tags.setdefault(name, []).append(each)
    by_size = sorted(tags, key=lambda name: (name == "", -len(tags[name]), name))
    parts = {
        "tags": [{"segment": name, **group(tags[name])} for name in by_size],
        "tiers": _rows((*TIERS, ""), accounts, lambda each: each.tier or ""),
        "stages": _rows(STAGES, everybody, lambda each: each.stage),
    }
    now, before = folio.now, folio.before
    named = [row for rows in parts.values() for row in rows if row["segment"]]
    figures = {
        "kpis": {
            "segments": len(named),
            "accounts": now.customers,
            "mrr": now.mrr,
            "at_risk": now.at_risk,
            "average_score": now.average,
        },
        "kpis_then": before
        and {
            "accounts": before.customers,
            "mrr": before.mrr,
            "at_risk": before.at_risk,
            "average_score": before.average,
        },
    }
    return figures | parts | {"analysis": _analysis(folio, named)}


def _rows(names: Sequence[str], accounts: Sequence[Seen], of: Any) -> list[Row]:
    own = {name: [each for each in accounts if of(each) == name] for name in names}
    return [{"segment": name, **group(found)} for name, found in own.items() if found]


_LOW = ("churned", "atrisk")


def _analysis(folio: Folio, named: Sequence[Row]) -> list[Said]:
    big = [row for row in named if row["scored"] >= 3 and row["segment"] not in _LOW]
    lines = []
    if big:
        best = max(row["average_score"] for row in big)
        worst = min(row["average_score"] for row in big)
        if best != worst:
            first = next(row for row in big if row["average_score"] == best)
            last = next(row for row in reversed(big) if row["average_score"] == worst)
            lines = [
                Said(row["segment"], row["average_score"], row["scored"]) for row in (first, last)
            ]
    moving = [
        row for row in big if row["trend"] and row["trend"]["accounts"] >= 3
        and row["trend"]["change"]
    ]  # fmt: skip
    if moving:
        most = max(abs(row["trend"]["change"]) for row in moving)
        row = next(row for row in moving if abs(row["trend"]["change"]) == most)
        trend = row["trend"]
        lines.append(Said(row["segment"], trend["change"], folio.then, trend["accounts"]))
    return lines

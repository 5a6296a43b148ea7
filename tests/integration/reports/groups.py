"""Managers and segments by an oracle, in figures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.integration.reports.agreement import Percent, Points, Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import STAGES, TIERS, Row, four, percent, sure
from tests.integration.reports.parts import group, spelled
from tests.integration.reports.seen import Seen, paid

Pair = tuple[Any, Any]


def managed(folio: Folio) -> dict[str, list[Seen]]:
    """Return each manager's accounts, those of none under ""."""
    everybody = [each.manager for each in folio.accounts]
    everybody += [view["manager"] for view in lost(folio)]
    names = spelled([manager or "" for manager in everybody])
    found: dict[str, list[Seen]] = {}
    for each in folio.accounts:
        found.setdefault(names[each.manager or ""], []).append(each)
    return found


def lost(folio: Folio) -> list[Row]:
    """Return who churned or was deleted since the day that is compared with, and was there."""
    known = [each.view for each in folio.churned] + folio.trashed
    return [view for view in known if folio.knows_gone and view["id"] in folio.scores_then]


def leaderboard(folio: Folio) -> tuple[list[Row], list[Row]]:
    """Return the managers, the best first, and what passes a threshold."""
    board, focus = [], []
    left = lost(folio)
    names = spelled(
        [each.manager or "" for each in folio.accounts] + [view["manager"] or "" for view in left]
    )
    own = managed(folio)
    for name in {**own, **dict.fromkeys(names[view["manager"] or ""] for view in left)}:
        accounts = own.get(name, [])
        gone = [sure(view["mrr"]) for view in left if names[view["manager"] or ""] == name]
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
            "lost": {
                "accounts": len(gone) if folio.knows_gone else None,
                "mrr": sum(gone, start=Fraction(0)) if folio.knows_gone else None,
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
    if name == "" and count:
        return [_area("unassigned", "", (count, 1), (count, mrr), (count, mrr))]
    found: list[Row] = []
    if count < 3:
        return found
    told: tuple[Any, ...]
    if row["at_risk_percent"] >= 30:
        share, risky, risky_mrr = row["at_risk_percent"], row["at_risk"], row["at_risk_mrr"]
        told = (name, Percent(share), risky, count, risky_mrr)
        found.append(_area("at_risk", name, (share, 30), (risky, risky_mrr), told))
    if row["overdue_percent"] >= 25:
        share, late_mrr = row["overdue_percent"], paid(late)
        told = (name, len(late), count, Percent(share), late_mrr)
        found.append(_area("overdue", name, (share, 25), (len(late), late_mrr), told))
    both = [each for each in accounts if each.moved is not None]
    if len(both) >= 3 and sum(each.moved or 0 for each in both) <= -2 * len(both):
        fell = [each for each in both if (each.moved or 0) < 0]
        change = row["trend"]["change"]
        told = (name, Points(change), folio.then, len(fell), len(both), paid(fell))
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
    for row in parts["stages"]:
        if row["segment"] == "churned" and folio.churned:
            row |= {name: None for name in row if name.startswith("at_risk")}
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
    compared = [
        row
        for rows, of in (("tags", ()), ("tiers", ()), ("stages", FOLLOWING))
        for row in parts[rows]
        if row["segment"] not in ("", *of)
    ]
    return figures | parts | {"analysis": _analysis(folio, compared)}


def _rows(names: Sequence[str], accounts: Sequence[Seen], of: Any) -> list[Row]:
    own = {name: [each for each in accounts if of(each) == name] for name in names}
    return [{"segment": name, **group(found)} for name, found in own.items() if found]


FOLLOWING = ("active", "churned", "atrisk")


def _analysis(folio: Folio, named: Sequence[Row]) -> list[Said]:
    big = [row for row in named if row["scored"] >= 3]
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
        change = Points(trend["change"])
        lines.append(Said(row["segment"], change, folio.then, trend["accounts"]))
    return lines

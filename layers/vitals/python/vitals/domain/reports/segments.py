"""Segments: the accounts by tag, tier and stage, side by side (IQ-184)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from vitals.domain.model import CHURNED, LIFECYCLES, TIERS
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import AVERAGE, COUNT, DAY, POINTS, TEXT, WORD, Line
from vitals.domain.reports.groups import Group, Spellings
from vitals.domain.snapshot import WITHOUT

ENOUGH: Final = 3
"""A segment of fewer accounts with a score is compared with no other."""
TAG, TIER, STAGE = "tag", "tier", "stage"

Row = dict[str, Any]


def segment_figures(book: Book) -> dict[str, Any]:
    """Return the segments of *book* in figures, from one pass over its accounts.

    Tags that differ by case alone are one. "" is no tag or no tier. Whoever churned counts in the
    stage of that name alone, which is at risk no more: its figures of risk are None. `trend` is of
    the same accounts on `book.then` and now. `analysis` are sentences on segments that `told_apart`
    lets through.
    """
    tags, tiers, stages = _divided(book)
    parts = {"tags": _by_size(tags), "tiers": _in(TIERS, tiers), "stages": _in(LIFECYCLES, stages)}
    if CHURNED not in book.filters.lifecycles:
        parts["stages"] = [_past_risk(row) for row in parts["stages"]]
    now, then = book.figures, book.figures_then
    named = [row for rows in parts.values() for row in rows if row["segment"] != WITHOUT]
    return {
        "kpis": {
            "segments": len(named),
            "accounts": now.customers,
            "mrr": now.mrr,
            "at_risk": now.at_risk,
            "average_score": now.average,
        },
        "kpis_then": {
            "accounts": then.customers,
            "mrr": then.mrr,
            "at_risk": then.at_risk,
            "average_score": then.average,
        }
        if then
        else None,
        **parts,
        "analysis": _analysis(book, parts),
    }


def _divided(book: Book) -> tuple[dict[str, Group], dict[str, Group], dict[str, Group]]:
    """Return the groups by tag, by tier and by stage."""
    alike: dict[tuple[tuple[str, ...], str, str], Group] = {}
    for account in (*book.accounts, *book.churned):
        customer = account.customer
        key = (customer.tags, customer.tier or WITHOUT, customer.lifecycle)
        group = alike.get(key)
        if group is None:
            group = alike[key] = Group()
        group.count(account)
    asked = CHURNED in book.filters.lifecycles
    spellings = Spellings()
    tags: dict[str, Group] = {}
    tiers: dict[str, Group] = {}
    stages: dict[str, Group] = {}
    for (own, tier, stage), group in alike.items():
        stages.setdefault(stage, Group()).include(group)
        if stage == CHURNED and not asked:
            continue
        tiers.setdefault(tier, Group()).include(group)
        for fold in {spellings.take(tag, group.customers) for tag in own or (WITHOUT,)}:
            tags.setdefault(fold, Group()).include(group)
    return {spellings.of(fold): group for fold, group in tags.items()}, tiers, stages


def _by_size(groups: Mapping[str, Group]) -> list[Row]:
    names = sorted(groups, key=lambda name: (name == WITHOUT, -groups[name].customers, name))
    return [{"segment": name, **groups[name].shown()} for name in names]


def _in(order: Iterable[str], groups: Mapping[str, Group]) -> list[Row]:
    names = [name for name in (*order, WITHOUT) if name in groups]
    return [{"segment": name, **groups[name].shown()} for name in names]


def _past_risk(row: Row) -> Row:
    """Return *row* without figures of risk if it is of those who churned, else as it is."""
    none = {"at_risk": None, "at_risk_percent": None, "at_risk_mrr": None}
    return row | none if row["segment"] == CHURNED else row


FOLLOWING: Final = ("active", "atrisk", CHURNED)
"""Stages that follow from the score, or end it: that they are strong or weak says nothing."""


def told_apart(kind: str, row: Row) -> bool:
    """Tell whether a segment may be called the strongest: named, of ENOUGH, no stage by score."""
    follows = kind == STAGE and row["segment"] in FOLLOWING
    return row["segment"] != WITHOUT and not follows and row["scored"] >= ENOUGH


def _analysis(book: Book, parts: Mapping[str, list[Row]]) -> list[Line]:
    """Return which segment is the strongest, the weakest and the fastest to move, if any is."""
    kinds = {"tags": TAG, "tiers": TIER, "stages": STAGE}
    named = [
        (kinds[part], row)
        for part, rows in parts.items()
        for row in rows
        if told_apart(kinds[part], row)
    ]
    lines = []
    ordered = sorted(named, key=lambda pair: -pair[1]["average_score"])
    if ordered and ordered[0][1]["average_score"] != ordered[-1][1]["average_score"]:
        lines = [_standing("strongest", *ordered[0]), _standing("weakest", *ordered[-1])]
    moved = [
        (kind, row)
        for kind, row in named
        if row["trend"] and row["trend"]["accounts"] >= ENOUGH and row["trend"]["change"]
    ]
    if moved:
        lines.append(_moving(book, *max(moved, key=lambda pair: abs(pair[1]["trend"]["change"]))))
    return lines


def segment_value(kind: str, name: str) -> tuple[str, str]:
    """Return the name of a segment as a sentence's value: a tag is the user's own word."""
    return (TEXT if kind == TAG else WORD), name


def _standing(which: str, kind: str, row: Row) -> Line:
    return Line(
        f"The {which} segment is the {kind} {{}}: average score {{}}, of {{}} scored accounts.",
        (
            segment_value(kind, row["segment"]),
            (AVERAGE, row["average_score"]),
            (COUNT, row["scored"]),
        ),
    )


def _moving(book: Book, kind: str, row: Row) -> Line:
    trend = row["trend"]
    return Line(
        f"The fastest to move is the {kind} {{}}: {{}} points since {{}}, of {{}} accounts scored "
        "both times.",
        (
            segment_value(kind, row["segment"]),
            (POINTS, trend["change"]),
            (DAY, book.then),
            (COUNT, trend["accounts"]),
        ),
    )

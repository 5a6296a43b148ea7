"""What a course says, by an oracle: its move, momentum, divergence, acceleration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.integration.reports.agreement import Points, Said
from tests.integration.reports.numbers import Row, four

Course = tuple[str, Sequence[date], Sequence[Fraction | int | None]]
"""A metric, days, and its values."""


LABELS: Mapping[str, str] = {
    "health_score": "Health score",
    "customers": "Customers",
    "mrr": "MRR",
    "arr": "ARR",
    "at_risk": "Customers at risk",
    "at_risk_mrr": "MRR at risk",
}


def insights(own: Course, others: Sequence[Course | tuple[str, Any, Any, str]]) -> list[Row]:
    """Return what a course says by itself, and beside *others*, which may have a name."""
    metric, days, values = own
    known = [(day, value) for day, value in zip(days, values, strict=True) if value is not None]
    found = []
    if known and known[0][0] < known[-1][0]:
        found += _move(metric, known)
        found += _momentum(metric, known)
    for other, _, theirs, *label in others:
        found += _divergence(metric, own, other, theirs, label[0] if label else _label(other))
    if known:
        found += _acceleration(metric, known)
    return found


def _label(metric: str) -> str:
    return LABELS.get(metric, metric)


def _matters(metric: str, before: Any, move: Any) -> bool:
    if metric == "health_score":
        return bool(abs(move) >= 2)
    return bool(move and abs(move) >= Fraction(abs(before)) / 20)


def _least(metric: str) -> int:
    return 2 if metric == "health_score" else 5


def _latest(known: Sequence[tuple[date, Any]], day: date) -> tuple[date, Any]:
    found = known[0]
    for each in known:
        if each[0] <= day:
            found = each
    return found


def _worded(metric: str, move: Any) -> Any:
    """Return how a sentence names a move: one of a score is of points."""
    return Points(move) if metric == "health_score" else move


def _move(metric: str, known: Sequence[tuple[date, Any]]) -> list[Row]:
    (first, start), (last, end) = known[0], known[-1]
    if not _matters(metric, start, end - start):
        return []
    days = (last - first).days
    line = Said(_label(metric), _worded(metric, end - start), days, start, end, _least(metric))
    values = {"days": days, "from": start, "to": end, "change": end - start}
    return [{"kind": "move", **values, "line": line}]


def _momentum(metric: str, known: Sequence[tuple[date, Any]]) -> list[Row]:
    last, now = known[-1]
    part = timedelta(days=max(1, (last - known[0][0]).days // 4))
    since, then = _latest(known, last - part)
    if since == known[0][0] or not _matters(metric, then, now - then):
        return []
    days = (last - since).days
    line = Said(_label(metric), _worded(metric, now - then), days, then, now, _least(metric))
    values = {"days": days, "from": then, "to": now, "change": now - then}
    return [{"kind": "momentum", **values, "line": line}]


def _divergence(metric: str, own: Course, other: str, theirs: Any, label: str) -> list[Row]:
    _, days, values = own
    both = [
        each for each in zip(days, values, theirs, strict=True) if None not in (each[1], each[2])
    ]
    if not both:
        return []
    (first, before, other_before), (last, now, other_now) = both[0], both[-1]
    move, other_move = (now or 0) - (before or 0), other_now - other_before
    if move * other_move >= 0 or not _matters(metric, before, move):
        return []
    if not _matters(other, other_before, other_move):
        return []
    line = Said(
        _label(metric), _worded(metric, move), label, _worded(other, other_move),
        (last - first).days, 2, 5,
    )  # fmt: skip
    values_ = {"with": label, "change": move, "other_change": other_move}
    return [{"kind": "divergence", **values_, "line": line}]


def _acceleration(metric: str, known: Sequence[tuple[date, Any]]) -> list[Row]:
    (first, start), (last, end) = known[0], known[-1]
    length = (last - first).days
    half = length // 2
    middle, halfway = _latest(known, first + timedelta(days=half))
    if middle in (first, last):
        return []
    before = Fraction(halfway - start) / (middle - first).days * half
    after = Fraction(end - halfway) / (last - middle).days * half
    if not _matters(metric, start, after - before):
        return []
    money = metric in ("mrr", "arr", "at_risk_mrr")
    old, new = (_cents(each) if money else four(each) for each in (before, after))
    line = Said(
        _label(metric), _way(before, after), _worded(metric, old), half, _worded(metric, new),
        _least(metric),
    )  # fmt: skip
    values = {"per_days": half, "before": old, "after": new}
    return [{"kind": "acceleration", **values, "line": line}]


def _cents(exact: Fraction) -> Fraction:
    return Fraction((exact * 100 + Fraction(1, 2)) // 1, 100)


def _way(before: Fraction, after: Fraction) -> str:
    """Return which way the second half went, beside the first."""
    signs = {each > 0 for each in (before, after) if each}
    if len(signs) > 1:
        return "turned"
    faster = "faster" if abs(before) < abs(after) else "more slowly"
    return f"rose {faster}" if signs == {True} else f"fell {faster}"

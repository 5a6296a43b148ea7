"""Exact numbers as JSON and the oracle have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.unit import oracle

Row = dict[str, Any]
Filters = Mapping[str, Sequence[str]]
RISKY = ("critical", "at_risk")
BANDS = ("critical", "at_risk", "watch", "healthy", "expansion", "unscored")
TIERS = ("enterprise", "mid", "smb")
STAGES = ("onboarding", "trial", "active", "atrisk", "paused", "won", "churned")


def exact(value: Any) -> Fraction | None:
    """Return a JSON number as the decimal that it was written as."""
    return None if value is None else Fraction(str(value))


def sure(value: Any) -> Fraction:
    """Return a JSON number as the decimal that it was written as, 0 for none."""
    return exact(value) or Fraction(0)


def four(value: Fraction) -> Fraction:
    """Return *value* to four decimals, halves up."""
    return oracle.four_decimals(value)


def mean(values: Iterable[Any]) -> Fraction | None:
    """Return the mean of the values that there are, to four decimals."""
    known = [Fraction(value) for value in values if value is not None]
    return four(sum(known, start=Fraction(0)) / len(known)) if known else None


def percent(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    """Return *part* of *whole* in percent."""
    return four(Fraction(100) * part / whole) if whole else None


def spread(parts: Sequence[Fraction], total: int) -> list[Fraction]:
    """Return *parts* to four decimals, summing to *total* 1/10,000: most lost, most given."""
    floors = [part * 10_000 // 1 for part in parts]
    lost = [part * 10_000 - floor for part, floor in zip(parts, floors, strict=True)]
    while sum(floors) < total:
        place = max(range(len(parts)), key=lambda index: (lost[index], -index))
        floors[place] += 1
        lost[place] = Fraction(-1)
    return [Fraction(floor, 10_000) for floor in floors]


def day_of(text: str | None) -> date | None:
    """Return a date that JSON writes."""
    return None if text is None else date.fromisoformat(text)


def eight(value: Fraction) -> Fraction:
    """Return *value* to eight decimals."""
    return Fraction(round(value * 10**8), 10**8)


def number_of(value: Any) -> Any:
    """Return *value* as a curve takes it."""
    return (
        value if isinstance(value, str) else Decimal(value.numerator) / Decimal(value.denominator)
    )

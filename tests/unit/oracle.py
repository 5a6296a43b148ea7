"""The score once more, slow and plain, from a model's document: fractions and loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

Document = Mapping[str, Any]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Scored:
    exact: Fraction | None
    value: int | None
    band: str
    coverage: Fraction
    low_confidence: bool
    parts: Mapping[str, Fraction]


def points(curve: Document, value: Any) -> Fraction:
    """Return the points of *value*, as docs/scoring.md says."""
    if curve["type"] == "choice":
        return Fraction(curve["options"][value])
    if curve["type"] == "linear":
        zero, full = Fraction(curve["zero"]), Fraction(curve["full"])
        return min(Fraction(100), max(Fraction(0), 100 * (Fraction(value) - zero) / (full - zero)))
    if curve["type"] == "step":
        found = curve["steps"][0][1]
        for bound, worth in curve["steps"]:
            if Fraction(bound) <= Fraction(value):
                found = worth
        return Fraction(found)
    with localcontext(prec=50):
        if value <= 0:
            return Fraction(100)
        if curve["type"] == "half_life":
            share = Decimal(2) ** (-Decimal(value) / Decimal(curve["half_life"]))
        elif value >= curve["zero"]:
            return Fraction(0)
        else:
            share = 1 - (Decimal(value) / Decimal(curve["zero"])) ** (1 / Decimal(curve["delta"]))
        return Fraction((100 * share).quantize(Decimal("1e-12"), ROUND_HALF_EVEN))


def half_up(exact: Fraction) -> int:
    """Return *exact* rounded, halves up."""
    whole = exact.numerator // exact.denominator
    return whole + 1 if exact - whole >= Fraction(1, 2) else whole


def band(document: Document, value: int | None) -> str:
    """Return the highest band whose lowest score is not above *value*."""
    if value is None:
        return "unscored"
    bounds: Mapping[str, int] = document["bands"]
    return max((name for name in bounds if bounds[name] <= value), key=lambda name: bounds[name])


def score(document: Document, profile: str | None, values: Values) -> Scored:
    """Return everything about the score of *values*."""
    weights = {name: Fraction(given["weight"]) for name, given in document["signals"].items()}
    if profile in document["profiles"]:
        preset = document["profiles"][profile]
        weights = {name: Fraction(preset.get(name, 0)) for name in weights}
    total = sum(weights.values())
    present = sum((weights[name] for name in values if name in weights), Fraction(0))
    rows: dict[str, tuple[Fraction, Fraction]] = {}
    for name, weight in weights.items():
        signal = document["signals"][name]
        policy = signal.get("missing_policy", document["missing_policy"])
        if not weight:
            continue
        if name in values:
            rows[name] = weight, points(signal["curve"], values[name])
        elif policy == "zero":
            rows[name] = weight, Fraction(0)
        elif policy != "exclude":
            rows[name] = weight, Fraction(policy["neutral"])
    coverage = present / total if total else Fraction(0)
    low = present < Fraction(document["low_confidence_below"]) * total
    if not present or coverage < Fraction(document["min_coverage"]):
        return Scored(None, None, "unscored", coverage, low, {})
    used = sum(weight for weight, _ in rows.values())
    parts = {name: weight * worth / used for name, (weight, worth) in rows.items()}
    exact = sum(parts.values(), Fraction(0))
    return Scored(exact, half_up(exact), band(document, half_up(exact)), coverage, low, parts)


def four_decimals(exact: Fraction) -> Fraction:
    """Return *exact* as it is published: half-up to four decimals."""
    return Fraction(half_up(exact * 10_000), 10_000)

"""The score: a weighted average of curve points, exact, with every part of it (IQ-059, 069)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vitals.domain.curves import Value
from vitals.domain.model import UNSCORED, WEIGHT_UNIT, ScoringModel
from vitals.domain.numbers import (
    Number,
    Ratio,
    apportion,
    published,
    published_ratio,
    ratio,
    round_half_up,
)


@dataclass(frozen=True, slots=True)
class Score:
    """A computed score: *exact* is numerator/denominator, *value* its half-up rounding.

    No signal, or less coverage than the model asks for: exact and value are None and the band is
    `unscored`, never 0 and critical (AMB-01). Weights are in 1/10,000; *used* is what the score
    was divided by, *present* the part of *total* that has a value.
    """

    exact: Ratio | None
    value: int | None
    band: str
    used: int
    present: int
    total: int

    @property
    def coverage(self) -> Number:
        """Return the share of weight that has a value, from 0 to 1, to four decimals."""
        return published_ratio(self.present, self.total) if self.total else 0


@dataclass(frozen=True, slots=True)
class Contribution:
    """One signal's part of a score; the parts sum to score_exact as published (PLUS-01)."""

    signal: str
    value: Value | None
    points: Number
    weight: Number
    contribution: Number


def score(model: ScoringModel, profile: str | None, values: Mapping[str, Value]) -> Score:
    """Return the score of *values* (by signal; a missing signal has no entry), exactly.

    The one hot loop of Vitals: decay, lists and rescores run it for every customer.
    """
    top, bottom, used, present, total = 0, 1, 0, 0, 0
    for signal, weight in model.weights(profile):
        total += weight
        value = values.get(signal.name)
        if value is not None:
            present += weight
            numerator, denominator = signal.curve.points(value)
        else:
            points = (signal.missing or model.missing).points
            if points is None:
                continue
            numerator, denominator = ratio(points)
        used += weight
        # One denominator for the whole sum; most points are whole or share it.
        if denominator == 1:
            top += weight * numerator * bottom
        elif denominator == bottom:
            top += weight * numerator
        else:
            top = top * denominator + weight * numerator * bottom
            bottom *= denominator
    # In whole numbers: a product of fractions takes a fifth of the whole score.
    least, of = model.min_coverage.as_integer_ratio()
    if not present or present * of < least * total:
        return Score(None, None, UNSCORED, used, present, total)
    bottom *= used
    rounded = round_half_up(top, bottom)
    return Score((top, bottom), rounded, model.band(rounded), used, present, total)


def counting(
    model: ScoringModel, profile: str | None, values: Mapping[str, Value]
) -> Iterator[tuple[str, Value | None, Ratio, int]]:
    """Yield each signal that counts in a score: its name, value, points and weight in 1/10,000."""
    for signal, weight in model.weights(profile):
        value = values.get(signal.name)
        points = (signal.missing or model.missing).points
        if value is not None:
            yield signal.name, value, signal.curve.points(value), weight
        elif points is not None:
            yield signal.name, None, ratio(points), weight


def known_weight(
    model: ScoringModel, profile: str | None, values: Mapping[str, Value]
) -> tuple[int, int]:
    """Return how much of the weight has a value, and all of it, in 1/10,000, without a score."""
    present = total = 0
    for signal, weight in model.weights(profile):
        total += weight
        if values.get(signal.name) is not None:
            present += weight
    return present, total


def contributions(
    model: ScoringModel, profile: str | None, values: Mapping[str, Value], scored: Score
) -> list[Contribution]:
    """Return each signal's part of *scored*, at four decimals, summing to it exactly (AMB-30)."""
    if scored.exact is None:
        return []
    rows = list(counting(model, profile, values))
    bottom = 1
    for _, _, (_, denominator), _ in rows:
        bottom *= denominator
    parts = [weight * top * (bottom // own) for _, _, (top, own), weight in rows]
    return [
        Contribution(
            signal=name,
            value=value,
            points=published_ratio(*points),
            weight=published(weight * 10_000 // WEIGHT_UNIT),
            contribution=published(units),
        )
        for (name, value, points, weight), units in zip(
            rows, apportion(parts, bottom * scored.used), strict=True
        )
    ]


def missing(
    model: ScoringModel,
    profile: str | None,
    values: Mapping[str, Value],
    stored: Mapping[str, Value],
) -> list[dict[str, str]]:
    """Return each weighing signal without a value, why, and what stands for it (PLUS-06).

    What is *stored* but not among *values* is a value that the model cannot take.
    """
    return [
        {
            "signal": signal.name,
            "reason": "not_taken_by_model"
            if signal.name in stored
            else "never_supplied_or_cleared",
            "policy": (signal.missing or model.missing).kind,
        }
        for signal, _ in model.weights(profile)
        if values.get(signal.name) is None
    ]

"""Dimensions: what a score and a model say of each group of signals (LU-042, LU-043)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vitals.domain.curves import Value
from vitals.domain.model import ScoringModel, Signal
from vitals.domain.numbers import Number, apportion, in_units, published, published_ratio, ratio
from vitals.domain.scoring import Contribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """What the signals of one dimension say of a customer; fractions are to four decimals.

    *value* is the mean of its signals' points by their weights, from 0 to 100, None if none of
    them counts. *weight* is its share of what the score was divided by, *model_weight* its share
    of the weights in force (the profile's, if the customer has one): over all dimensions each of
    them sums to exactly 1, *weight* to 0 without a score. *contribution* is the sum of its
    signals' own, so that contributions and adjustments sum to score_exact (PLUS-01). *coverage*
    is the share of its weight that has a value. All of it follows from the *signals*.
    """

    name: str
    value: Number | None
    weight: Number
    contribution: Number
    model_weight: Number
    coverage: Number
    signals: tuple[str, ...]


def grouped(signals: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names of *signals*, given as (name, dimension), by dimension, in their order."""
    found: dict[str, list[str]] = {}
    for name, dimension in signals:
        found.setdefault(dimension, []).append(name)
    return found


def shares(weights: Sequence[int]) -> list[Number]:
    """Return each of *weights* as a share of their sum, summing to exactly 1; all 0 if that is 0.

    To four decimals by largest remainder (AMB-30).
    """
    total = sum(weights)
    return [published(each) for each in apportion(weights, total)] if total else [0] * len(weights)


def dimensions(
    model: ScoringModel,
    profile: str | None,
    values: Mapping[str, Value],
    parts: Iterable[Contribution],
) -> list[Dimension]:
    """Return every dimension of *model*, in its order, as *parts* make it.

    *parts* are the score's contributions under *profile*, none without a score; *values* are what
    the model takes of the customer.
    """
    weighing = {signal.name: (signal, weight) for signal, weight in model.weights(profile)}
    counting = {part.signal: part for part in parts}
    groups = grouped((signal.name, signal.dimension) for signal in model.signals)
    own = [[weighing[name] for name in names if name in weighing] for names in groups.values()]
    used = [[pair for pair in pairs if pair[0].name in counting] for pairs in own]
    weights = shares([sum(weight for _, weight in pairs) for pairs in used])
    of_model = shares([sum(weight for _, weight in pairs) for pairs in own])
    return [
        Dimension(
            name=name,
            value=_mean([(_points(model, signal, counting), weight) for signal, weight in counted]),
            weight=weight,
            contribution=published(
                sum(in_units(counting[s.name].contribution) for s, _ in counted)
            ),
            model_weight=model_weight,
            coverage=_coverage(pairs, values),
            signals=tuple(names),
        )
        for (name, names), pairs, counted, weight, model_weight in zip(
            groups.items(), own, used, weights, of_model, strict=True
        )
    ]


def _points(model: ScoringModel, signal: Signal, counting: Mapping[str, Contribution]) -> Fraction:
    value = counting[signal.name].value
    if value is not None:
        return Fraction(*signal.curve.points(value))
    return Fraction(*ratio((signal.missing or model.missing).points or 0))


def _mean(points: Sequence[tuple[Fraction, int]]) -> Number | None:
    total = sum(weight for _, weight in points)
    if not total:
        return None
    mean = sum((worth * weight for worth, weight in points), Fraction(0)) / total
    return published_ratio(mean.numerator, mean.denominator)


def _coverage(pairs: Sequence[tuple[Signal, int]], values: Mapping[str, Value]) -> Number:
    total = sum(weight for _, weight in pairs)
    known = sum(weight for signal, weight in pairs if values.get(signal.name) is not None)
    return published_ratio(known, total) if total else 0

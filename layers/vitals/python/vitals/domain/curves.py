"""Curves: how a signal's value becomes 0 to 100 points, and back (IQ-059 to 067, AMB-26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

from vitals.domain.numbers import Number, Ratio, parse_number, ratio

Value = Number | str
QUANTUM = 10**12
"""A curve whose points are irrational is quantised to twelve decimals; all else is exact."""

_WIDE = Context(prec=40, rounding=ROUND_HALF_EVEN)
_ZERO: Ratio = (0, 1)
_FULL: Ratio = (100, 1)


class Curve(Protocol):
    """Monotone points of a value."""

    def points(self, value: Value) -> Ratio:
        """Return the points of *value*, from 0 to 100."""

    def reach(self, points: Ratio, step: Fraction) -> Value | None:
        """Return the worst multiple of *step* that still has at least *points* (0 < points <= 100).

        None where no value has so many, or where every worse value has them too.
        """


@dataclass(frozen=True, slots=True)
class Linear:
    """Straight from no points at *zero* to 100 at *full*, flat beyond both (IQ-060 to 062, 065)."""

    zero: Number
    full: Number

    def points(self, value: Value) -> Ratio:
        """Return 100·(value − zero)/(full − zero), held between 0 and 100."""
        scale, origin = _linear(self.zero, self.full)
        numerator, denominator = ratio(_number(value))
        origin_n, origin_d = origin
        top = scale[0] * (numerator * origin_d - origin_n * denominator)
        bottom = scale[1] * denominator * origin_d
        if top <= 0:
            return _ZERO
        if top >= 100 * bottom:
            return _FULL
        return (top, bottom)

    def reach(self, points: Ratio, step: Fraction) -> Value | None:
        """Return the worst multiple of *step* that still has *points*."""
        if points[0] > 100 * points[1]:
            return None
        zero, full = Fraction(self.zero), Fraction(self.full)
        exact = zero + (full - zero) * Fraction(*points) / 100
        return on_grid(exact, step, up=full > zero)


@lru_cache(maxsize=256)
def _linear(zero: Number, full: Number) -> tuple[Ratio, Ratio]:
    """Return 100/(full − zero) and *zero*, as ratios."""
    return (100 / (Fraction(full) - Fraction(zero))).as_integer_ratio(), ratio(zero)


@dataclass(frozen=True, slots=True)
class Step:
    """Constant from each bound to the next: *steps* are (from, points), bounds ascending (AMB-25).

    Below the first bound a value has the first step's points.
    """

    steps: tuple[tuple[Number, Number], ...]

    def points(self, value: Value) -> Ratio:
        """Return the points of the last step whose bound is not above *value*."""
        number = _number(value)
        found = self.steps[0][1]
        for bound, points in self.steps:
            if bound > number:
                break
            found = points
        return ratio(found)

    def reach(self, points: Ratio, step: Fraction) -> Value | None:
        """Return the worst multiple of *step* that still has *points*."""
        enough = [Fraction(value) >= Fraction(*points) for _, value in self.steps]
        if enough[0] == enough[-1]:
            return None
        if enough[-1]:
            return on_grid(Fraction(self.steps[enough.index(True)][0]), step, up=True)
        first_bad = Fraction(self.steps[enough.index(False)][0])
        last_good = on_grid(first_bad, step, up=True)
        return parse_number(Decimal(last_good) - _decimal(step))


@dataclass(frozen=True, slots=True)
class HalfLife:
    """100 points at nothing, halved with every *half_life* (AMB-26)."""

    half_life: Number

    def points(self, value: Value) -> Ratio:
        """Return 100·2^(−value/half_life), quantised; nothing has more than 100."""
        number = _number(value)
        return _quantised_half_life(self.half_life, number) if number > 0 else _FULL

    def reach(self, points: Ratio, step: Fraction) -> Value | None:
        """Return the worst multiple of *step* that still has *points*."""
        share = _WIDE.divide(Decimal(points[0]), Decimal(points[1] * 100))
        if share > 1:
            return None
        doublings = _WIDE.divide(_WIDE.ln(share), _WIDE.ln(Decimal(2)))
        return _settled(self.points, -doublings * self.half_life, points, step)


@lru_cache(maxsize=4096)
def _quantised_half_life(half_life: Number, value: Number) -> Ratio:
    exponent = _WIDE.divide(-Decimal(value), Decimal(half_life))
    return _quantised(_WIDE.multiply(Decimal(100), _WIDE.power(Decimal(2), exponent)))


@dataclass(frozen=True, slots=True)
class Power:
    """100·(1 − (value/zero)^(1/delta)): no points from *zero* on (AMB-26)."""

    zero: Number
    delta: Number

    def points(self, value: Value) -> Ratio:
        """Return the points of *value*, quantised."""
        number = _number(value)
        if number >= self.zero:
            return _ZERO
        return _quantised_power(self.zero, self.delta, number) if number > 0 else _FULL

    def reach(self, points: Ratio, step: Fraction) -> Value | None:
        """Return the worst multiple of *step* that still has *points*."""
        lost = _WIDE.divide(Decimal(100 * points[1] - points[0]), Decimal(100 * points[1]))
        if lost < 0:
            return None
        estimate = self.zero * _WIDE.power(lost, Decimal(self.delta)) if lost else Decimal(0)
        return _settled(self.points, estimate, points, step)


@lru_cache(maxsize=4096)
def _quantised_power(zero: Number, delta: Number, value: Number) -> Ratio:
    share = _WIDE.divide(Decimal(value), Decimal(zero))
    lost = _WIDE.power(share, _WIDE.divide(Decimal(1), Decimal(delta)))
    return _quantised(_WIDE.multiply(Decimal(100), _WIDE.subtract(Decimal(1), lost)))


@dataclass(frozen=True, slots=True)
class Choice:
    """Points by word (IQ-067)."""

    options: Mapping[str, Number]

    def points(self, value: Value) -> Ratio:
        """Return the points of the word."""
        return ratio(self.options[str(value)])

    def reach(self, points: Ratio, step: Fraction) -> Value | None:  # noqa: ARG002 - words have no grid
        """Return the word with the fewest points that are enough."""
        enough = {
            word: worth
            for word, worth in self.options.items()
            if Fraction(worth) >= Fraction(*points)
        }
        return min(enough, key=lambda word: enough[word]) if enough else None


def on_grid(exact: Fraction, step: Fraction, *, up: bool) -> Number:
    """Return the multiple of *step* next to *exact*: not below it if *up*, else not above."""
    count = exact / step
    whole = -(-count.numerator // count.denominator) if up else count.__floor__()
    return parse_number(_decimal(whole * step))


def _settled(
    points_of: Callable[[Value], Ratio], estimate: Decimal, points: Ratio, step: Fraction
) -> Number:
    """Return the last multiple of *step* with *points* on a falling curve, from an *estimate*.

    A logarithm finds the place, exact comparisons decide it: rounding may be off by a step.
    """
    needed = Fraction(*points)
    at = on_grid(Fraction(estimate), step, up=False)
    width = parse_number(_decimal(step))
    while at > 0 and Fraction(*points_of(at)) < needed:
        at = parse_number(at - width)
    while Fraction(*points_of(after := parse_number(at + width))) >= needed:
        at = after
    return at


def _quantised(points: Decimal) -> Ratio:
    return (int((points * QUANTUM).to_integral_value(ROUND_HALF_EVEN, _WIDE)), QUANTUM)


def _decimal(exact: Fraction) -> Decimal:
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def _number(value: Value) -> Number:
    if isinstance(value, str):
        raise TypeError(f"{value!r} has no place on a curve over numbers")
    return value

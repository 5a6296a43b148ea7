"""Exact numbers: what a signal or an amount may be, rounding and apportioning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

Number = int | Decimal
Ratio = tuple[int, int]
"""A rational as (numerator, denominator), the denominator positive; not always reduced."""

PUBLISHED = 10_000
"""Published fractions carry four decimals: they are whole numbers of 1/10,000."""

LARGEST = 10**15
_NUMERIC = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def parse_number(raw: object) -> Number:
    """Return *raw* as an exact number: an int if it is whole, a Decimal otherwise.

    Numeric strings count as numbers (AMB-56). A fraction is held as the shortest decimal that
    its double prints as, so that what is stored, scored and shown is one value.

    Raises ValueError for anything else: booleans, NaN, infinities, words, magnitudes over 10**15.
    """
    if isinstance(raw, bool):
        raise ValueError("a boolean is not a number")
    if isinstance(raw, str):
        raw = raw.strip()
        if not _NUMERIC.fullmatch(raw):
            raise ValueError("not a number")
    if not isinstance(raw, int | float | str | Decimal):
        raise ValueError("not a number")
    try:
        exact = Decimal(raw)
    except InvalidOperation:
        raise ValueError("not a number") from None
    # Compared, not computed with: arithmetic on a Decimal of a billion digits overflows.
    if not exact.is_finite() or not -LARGEST <= exact <= LARGEST:
        raise ValueError("not a number of this world")
    double = float(exact)
    return int(double) if double.is_integer() else Decimal(repr(double))


def ratio(number: Number) -> Ratio:
    """Return *number* as numerator and denominator."""
    return (number, 1) if isinstance(number, int) else number.as_integer_ratio()


def round_half_up(numerator: int, denominator: int) -> int:
    """Return numerator/denominator (not negative) rounded to a whole number, halves up (AMB-07)."""
    return (2 * numerator + denominator) // (2 * denominator)


def published(units: int) -> Number:
    """Return a whole number of 1/10,000 as the number that it is."""
    return units // PUBLISHED if units % PUBLISHED == 0 else Decimal(units) / PUBLISHED


def in_units(number: Number | str) -> int:
    """Return a published number, or how it prints, as the whole number of 1/10,000 that it is."""
    return int(Decimal(number) * PUBLISHED)


def published_ratio(numerator: int, denominator: int) -> Number:
    """Return numerator/denominator (not negative) rounded half-up to four decimals."""
    return published(round_half_up(numerator * PUBLISHED, denominator))


def apportion(parts: Sequence[int], denominator: int) -> list[int]:
    """Return *parts*/denominator in 1/10,000, summing exactly to their sum's rounding.

    The largest-remainder method (AMB-30): each part is rounded down, and the units that are then
    missing go to the parts that lost most, the earlier of equals first.
    """
    divided = [divmod(part * PUBLISHED, denominator) for part in parts]
    units = [whole for whole, _ in divided]
    short = round_half_up(sum(parts) * PUBLISHED, denominator) - sum(units)
    if not short:
        return units
    by_loss = sorted(range(len(parts)), key=lambda index: -divided[index][1])
    for index in by_loss[:short]:
        units[index] += 1
    return units


def cents(amount: Number, divisor: int = 1) -> Number:
    """Return *amount*/*divisor* (not negative) rounded half-up to whole cents."""
    numerator, denominator = ratio(amount)
    return parse_number(Decimal(round_half_up(numerator * 100, denominator * divisor)) / 100)


def of_cents(count: int) -> Number:
    """Return a whole number of cents, however many, as the amount that it is."""
    return count // 100 if count % 100 == 0 else Decimal(count) / 100

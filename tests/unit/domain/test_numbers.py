from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.oracle import four_decimals, half_up
from tests.unit.strategies import numbers

from vitals.domain.numbers import (
    apportion,
    cents,
    parse_number,
    published,
    published_ratio,
    round_half_up,
)
from vitals.storage.codec import decode, encode


@pytest.mark.parametrize(
    ("given_", "number"),
    [
        (5, 5),
        (-3, -3),
        (5.0, 5),
        (0.1, Decimal("0.1")),
        (Decimal("7.50"), Decimal("7.5")),
        (Decimal("1E+2"), 100),
        ("22", 22),
        (" 22.5 ", Decimal("22.5")),
        ("+4", 4),
        ("-0", 0),
        (".5", Decimal("0.5")),
        ("5.", 5),
        ("1e3", 1000),
        ("1E-3", Decimal("0.001")),
        (10**15, 10**15),
        (Decimal("1e-999999999"), 0),
    ],
)
def test_what_is_a_number_is_read_exactly(given_: object, number: int | Decimal) -> None:
    read = parse_number(given_)
    assert read == number
    assert type(read) is type(number)


@pytest.mark.parametrize(
    "given_",
    [
        True,
        False,
        None,
        [],
        {},
        "",
        "abc",
        "1,000",
        "1 000",
        "12px",
        "0x10",
        "1_000",
        "٣",  # a digit, but not one of ASCII
        "NaN",
        "nan",
        "Infinity",
        "-inf",
        "1e999",
        "1e-9999",
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        10**15 + 1,
        -(10**16),
        10**400,
        Decimal("1e999999999"),
        "9" * 1_000_001,
    ],
)
def test_what_is_no_number_is_refused(given_: object) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_number(given_)


@given(st.one_of(st.floats(-1e15, 1e15), st.integers(-(10**15), 10**15), numbers(-999, 999)))
@example(0.1 + 0.2)
@settings(max_examples=300)
def test_a_number_survives_its_json_text(raw: float | Decimal) -> None:
    number = parse_number(raw)
    back = decode(encode(number))
    assert back == number
    assert type(back) is type(number)
    assert parse_number(back) == number
    assert parse_number(str(number)) == number


@given(st.floats(-1e15, 1e15))
@settings(max_examples=200)
def test_a_fraction_is_the_double_that_it_prints_as(raw: float) -> None:
    assert float(parse_number(raw)) == raw


@given(st.integers(0, 10**9), st.integers(1, 10**6))
@example(1, 2)
@example(99, 2)
def test_halves_are_rounded_up(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert round_half_up(numerator, denominator) == half_up(exact)
    assert Fraction(published_ratio(numerator, denominator)) == four_decimals(exact)


@given(st.integers(0, 10**7))
def test_a_published_number_is_a_whole_count_of_ten_thousandths(units: int) -> None:
    number = published(units)
    assert Fraction(number) == Fraction(units, 10_000)
    assert isinstance(number, int) == (units % 10_000 == 0)


@given(st.lists(st.integers(0, 10**9), max_size=12), st.integers(1, 10**7))
@example([1, 1, 1], 3)
@example([0, 0], 7)
@example([1] * 7, 30_000)
@settings(max_examples=400)
def test_apportioned_parts_sum_to_the_rounded_sum(parts: list[int], denominator: int) -> None:
    units = apportion(parts, denominator)
    exact = [Fraction(part * 10_000, denominator) for part in parts]
    assert sum(units) == half_up(sum(exact, Fraction(0)))
    moved = [unit - part.__floor__() for unit, part in zip(units, exact, strict=True)]
    assert set(moved) <= {0, 1}
    # Whoever was rounded up had lost no less than whoever was not, the earlier of equals first.
    lost = [(part - part.__floor__(), -place) for place, part in enumerate(exact)]
    rounded_up = [loss for loss, by in zip(lost, moved, strict=True) if by]
    kept = [loss for loss, by in zip(lost, moved, strict=True) if not by]
    assert not rounded_up or not kept or min(rounded_up) > max(kept)


@pytest.mark.parametrize(
    ("amount", "divisor", "kept"),
    [
        (5000, 1, 5000),
        (Decimal("0.005"), 1, Decimal("0.01")),
        (Decimal("0.0049"), 1, 0),
        (Decimal("10.075"), 1, Decimal("10.08")),
        (100, 12, Decimal("8.33")),
        (Decimal("0.06"), 12, Decimal("0.01")),
        (Decimal("0.05"), 12, 0),
        (1, 8, Decimal("0.13")),
    ],
)
def test_amounts_are_whole_cents_halves_up(
    amount: int | Decimal, divisor: int, kept: int | Decimal
) -> None:
    assert cents(amount, divisor) == kept

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.builders import a_curve, a_model
from tests.unit import oracle
from tests.unit.strategies import choices, falling_curves, number_curves, numbers

RESOLUTIONS = st.sampled_from([Fraction(1), Fraction(1, 2)])


@pytest.mark.parametrize(
    ("signal", "value", "points"),
    [
        ("logins", 0, 0),
        ("logins", 15, 50),
        ("logins", 30, 100),
        ("logins", 45, 100),
        ("adoption", Decimal("62.5"), Fraction(125, 2)),
        ("tickets", 0, 100),
        ("tickets", 1, 80),
        ("tickets", 5, 0),
        ("tickets", 9, 0),
        ("nps", 0, 0),
        ("nps", 6, 0),
        ("nps", Decimal("6.9"), 0),
        ("nps", 7, 50),
        ("nps", Decimal("8.9"), 50),
        ("nps", 9, 100),
        ("csat", 1, 0),
        ("csat", 3, 50),
        ("csat", 5, 100),
        ("days", 0, 100),
        ("days", 90, 50),
        ("days", 180, 0),
        ("days", 400, 0),
        ("growth", "none", 20),
        ("growth", "mild", 50),
        ("growth", "strong", 100),
    ],
)
def test_the_documented_curves(signal: str, value: Any, points: int | Fraction) -> None:
    assert Fraction(*a_model().by_name[signal].curve.points(value)) == points


def test_a_half_life_halves() -> None:
    curve = a_curve({"type": "half_life", "half_life": 30})
    assert [Fraction(*curve.points(days)) for days in (0, 30, 60)] == [100, 50, 25]
    assert Fraction(*curve.points(15)) == Fraction(Decimal("70.710678118655"))


def test_a_power_curve_has_no_points_from_its_zero_on() -> None:
    curve = a_curve({"type": "power", "zero": 180, "delta": 2})
    assert [Fraction(*curve.points(days)) for days in (0, 45, 180, 181)] == [100, 50, 0, 0]


@given(number_curves, numbers(-500, 10_000))
@settings(max_examples=400)
def test_points_are_what_the_oracle_finds(given_: dict[str, Any], value: int | Decimal) -> None:
    assert Fraction(*a_curve(given_).points(value)) == oracle.points(given_, value)


@given(number_curves, st.lists(numbers(-500, 10_000), min_size=2, max_size=8).map(sorted))
@settings(max_examples=300)
def test_curves_are_monotone_and_stay_between_0_and_100(
    given_: dict[str, Any], values: list[int | Decimal]
) -> None:
    curve = a_curve(given_)
    points = [Fraction(*curve.points(value)) for value in values]
    assert all(0 <= each <= 100 for each in points)
    rises = all(low <= high for low, high in pairwise(points))
    falls = all(low >= high for low, high in pairwise(points))
    assert rises or falls


@pytest.mark.parametrize("value", [-(10**15), 10**15])
@given(number_curves)
@settings(max_examples=50)
def test_a_curve_takes_any_value_that_is_accepted(value: int, given_: dict[str, Any]) -> None:
    assert 0 <= Fraction(*a_curve(given_).points(value)) <= 100


def worst_on_grid(given_: Mapping[str, Any], points: Fraction, step: Fraction) -> Fraction | None:
    """Return the worst multiple of *step* with enough points, by trying them all."""
    grid = [count * step for count in range(int(-20 / step), int(340 / step) + 1)]
    as_decimal = {at: Decimal(at.numerator) / Decimal(at.denominator) for at in grid}
    enough = [at for at in grid if oracle.points(given_, as_decimal[at]) >= points]
    rising = oracle.points(given_, as_decimal[grid[-1]]) > oracle.points(
        given_, as_decimal[grid[0]]
    )
    worst = grid[0] if rising else grid[-1]
    if not enough or worst in enough:
        return None
    return min(enough) if rising else max(enough)


@given(number_curves, numbers(0, 100, 2).filter(bool), RESOLUTIONS)
@settings(max_examples=150)
def test_reach_is_the_worst_value_on_the_grid_with_enough_points(
    given_: dict[str, Any], points: int | Decimal, step: Fraction
) -> None:
    needed = Fraction(points)
    found = a_curve(given_).reach(needed.as_integer_ratio(), step)
    expected = worst_on_grid(given_, needed, step)
    assert (None if found is None else Fraction(found)) == expected


@given(number_curves, numbers(0, 300, 1), RESOLUTIONS)
@settings(max_examples=150)
def test_reach_of_a_value_s_own_points_is_no_better_than_the_value(
    given_: dict[str, Any], value: int | Decimal, step: Fraction
) -> None:
    # The points of a value stand exactly on the edge: an estimate must not fall beside it.
    curve = a_curve(given_)
    needed = curve.points(value)
    assume(needed[0] > 0)
    found = curve.reach(needed, step)
    expected = worst_on_grid(given_, Fraction(*needed), step)
    assert (None if found is None else Fraction(found)) == expected


@pytest.mark.parametrize(
    "given_",
    [{"type": "half_life", "half_life": 7}, {"type": "power", "zero": 100, "delta": 3}],
    ids=lambda given_: given_["type"],
)
def test_a_hair_more_than_a_value_has_takes_a_better_one(given_: dict[str, Any]) -> None:
    # Less than what rounding to twelve decimals adds or takes away.
    curve, hair = a_curve(given_), Fraction(1, 10**16)
    for value in range(1, 60):
        points = Fraction(*curve.points(value))
        found = [
            curve.reach((points + by).as_integer_ratio(), Fraction(1)) for by in (-hair, 0, hair)
        ]
        assert found == [value, value, value - 1]


@given(falling_curves)
@settings(max_examples=60)
def test_more_than_100_points_are_out_of_reach(given_: dict[str, Any]) -> None:
    assert a_curve(given_).reach((1001, 10), Fraction(1)) is None


@given(choices, numbers(0, 100, 2).filter(bool))
@settings(max_examples=100)
def test_a_word_reaches_with_the_fewest_points_that_are_enough(
    given_: dict[str, Any], points: int | Decimal
) -> None:
    found = a_curve(given_).reach(Fraction(points).as_integer_ratio(), Fraction(1))
    enough = sorted(worth for worth in given_["options"].values() if worth >= points)
    assert (found is None) == (not enough)
    assert found is None or given_["options"][found] == enough[0]


def test_a_word_has_no_place_among_numbers() -> None:
    with pytest.raises(TypeError, match="curve over numbers"):
        a_model().by_name["logins"].curve.points("many")

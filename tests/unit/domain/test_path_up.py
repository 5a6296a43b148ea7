"""The ways to the next band, against every value that a signal can have."""

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from tests.builders import NOW, a_customer, a_model
from tests.unit import oracle
from tests.unit.strategies import Case, cases

from vitals.domain.customer import Override
from vitals.domain.outlook import path_to_next_band
from vitals.domain.scoring import score
from vitals.domain.view import customer_view


def values_of(signal: Mapping[str, Any]) -> list[Any]:
    """Return every value of a signal that its resolution and bounds let it have."""
    if "options" in signal["curve"]:
        return list(signal["curve"]["options"])
    step = Fraction(signal.get("resolution", 1))
    low, high = signal.get("minimum", -30), signal.get("maximum", 340)
    grid = [count * step for count in range(int(-30 / step), int(340 / step) + 1)]
    fits = [at for at in grid if low <= at <= high]
    return [at.numerator if at.denominator == 1 else Decimal(float(at)) for at in fits]


def effort_of(curve: Mapping[str, Any], now: Any, value: Any) -> Fraction:
    """Return how far *value* is from *now*: on the scale of its signal, or in points of a word."""
    if "options" in curve:
        return Fraction(curve["options"][value])
    return abs(Fraction(value) - Fraction(now))


def point_worth(case: Case, name: str) -> Fraction:
    """Return what one point of *name* is worth in the score."""
    flat = {"type": "step", "steps": [[0, 100]]}
    signals = case.document["signals"]
    full = {**case.document, "signals": {**signals, name: {**signals[name], "curve": flat}}}
    return oracle.score(full, case.profile, {**case.values, name: 0}).parts[name] / 100


def smallest_lift(case: Case, exact: Fraction, name: str, lowest: int) -> Any:
    """Return the nearest value of *name* that lifts the score to *lowest*, or None."""
    signal, now = case.document["signals"][name], case.values[name]
    curve, worth = signal["curve"], point_worth(case, name)
    others = exact - worth * oracle.points(curve, now)
    lifts = [
        value
        for value in values_of(signal)
        if oracle.half_up(others + worth * oracle.points(curve, value)) >= lowest
    ]
    return min(lifts, key=lambda value: effort_of(curve, now, value), default=None)


def next_band(case: Case, value: int | None) -> tuple[int, str] | None:
    bands = [(lowest, band) for band, lowest in case.document["bands"].items()]
    return min((band for band in bands if value is not None and band[0] > value), default=None)


@given(cases())
@settings(max_examples=80)
def test_the_ways_up_are_the_smallest_lift_of_each_signal(case: Case) -> None:
    scored = score(case.model, case.profile, case.values)
    path = path_to_next_band(case.model, case.profile, case.values, scored)
    wanted = next_band(case, scored.value)
    assert (path and (path.score, path.band)) == wanted
    if path is None or scored.exact is None:
        return
    found = {lift.signal: lift.to for lift in path.lifts}
    weighing = {signal.name for signal, _ in case.model.weights(case.profile)}
    for name in weighing & set(case.values):
        curve, now = case.document["signals"][name]["curve"], case.values[name]
        to = smallest_lift(case, Fraction(*scored.exact), name, path.score)
        assert (name in found) == (to is not None)
        if to is not None:
            assert effort_of(curve, now, found[name]) == effort_of(curve, now, to)
    assert found.keys() <= weighing & set(case.values)


@given(cases())
@settings(max_examples=100)
def test_each_way_up_leads_there_and_the_cheapest_comes_first(case: Case) -> None:
    scored = score(case.model, case.profile, case.values)
    path = path_to_next_band(case.model, case.profile, case.values, scored)
    for lift in path.lifts if path else ():
        assert path
        curve = case.document["signals"][lift.signal]["curve"]
        gained = oracle.points(curve, lift.to) - oracle.points(curve, lift.value)
        assert Fraction(lift.effort) == oracle.four_decimals(gained)
        lifted = oracle.score(case.document, case.profile, {**case.values, lift.signal: lift.to})
        assert lifted.value is not None
        assert lifted.value >= path.score
    efforts = [Fraction(lift.effort) for lift in path.lifts] if path else []
    assert efforts == sorted(efforts)


def test_the_documented_customer_is_told_the_cheapest_way_up() -> None:
    customer = a_customer(signals={"logins": 22, "adoption": 75, "tickets": 1})
    path = customer_view(customer, a_model(), NOW, UTC, 0)["path_to_next_band"]
    assert (path["band"], path["score"], path["cheapest"]) == ("expansion", 80, "adoption")
    assert path["options"] == [
        {"signal": "adoption", "from": 75, "to": 86, "effort": 11},
        {"signal": "logins", "from": 22, "to": 26, "effort": Decimal("13.3333")},
        {"signal": "tickets", "from": 1, "to": 0, "effort": 20},
    ]


def test_there_is_no_way_up_from_the_top_nor_from_nothing_nor_beside_an_override() -> None:
    best = a_customer(signals={"logins": 30})
    assert customer_view(best, a_model(), NOW, UTC, 0)["path_to_next_band"] is None
    assert customer_view(a_customer(), a_model(), NOW, UTC, 0)["path_to_next_band"] is None
    held = a_customer(signals={"logins": 3}, override=Override(70, "key-1", NOW))
    assert customer_view(held, a_model(), NOW, UTC, 0)["path_to_next_band"] is None

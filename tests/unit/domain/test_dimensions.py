"""Dimensions follow from the signals, exactly, and never the other way round (LU-042, AMB-30)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.builders import a_document, a_model, with_signals
from tests.unit import oracle
from tests.unit.strategies import Case, cases

from vitals.domain.dimensions import Dimension, dimensions, shares
from vitals.domain.health import losses, word_of
from vitals.domain.model_document import model_from_document
from vitals.domain.numbers import published_ratio
from vitals.domain.presets import PRESETS, with_preset
from vitals.domain.scoring import Score, contributions, score

NAMES = ("usage", "support", "mood")


@st.composite
def grouped_cases(draw: st.DrawFn) -> Case:
    """Draw a case whose signals are spread over up to three dimensions."""
    case = draw(cases())
    signals = {
        name: {**given, "dimension": draw(st.sampled_from(NAMES))}
        for name, given in case.document["signals"].items()
    }
    document = {**case.document, "signals": signals}
    return replace(case, document=document, model=model_from_document(1, document))


def scored(case: Case) -> Score:
    return score(case.model, case.profile, case.values)


def found(case: Case) -> list[Dimension]:
    parts = contributions(case.model, case.profile, case.values, scored(case))
    return dimensions(case.model, case.profile, case.values, parts)


@given(grouped_cases())
def test_contributions_of_the_dimensions_sum_to_the_exact_score(case: Case) -> None:
    exact = scored(case).exact
    total = sum(each.contribution for each in found(case))
    assert total == (published_ratio(*exact) if exact else 0)


@given(grouped_cases())
def test_weights_sum_to_exactly_one_where_there_is_a_score(case: Case) -> None:
    rows = found(case)
    assert sum(each.weight for each in rows) == (1 if scored(case).exact else 0)
    weighs = case.model.weights(case.profile)
    assert sum(each.model_weight for each in rows) == (1 if weighs else 0)
    assert all(each.weight == 0 for each in rows if each.value is None)


@given(grouped_cases())
def test_a_value_is_the_mean_of_its_signals_points_and_lies_between_them(case: Case) -> None:
    parts = contributions(case.model, case.profile, case.values, scored(case))
    for each in found(case):
        own = [part for part in parts if part.signal in each.signals]
        assert (each.value is None) == (not own)
        if each.value is None:
            continue
        assert min(part.points for part in own) <= each.value
        assert each.value <= max(part.points for part in own)
        top, weights = Fraction(0), Fraction(0)
        for part in own:
            signal = case.document["signals"][part.signal]
            policy = signal.get("missing_policy", case.document["missing_policy"])
            known = part.value is not None
            worth = oracle.points(signal["curve"], part.value) if known else _policy(policy)
            top, weights = top + worth * Fraction(part.weight), weights + Fraction(part.weight)
        assert abs(Fraction(each.value) - top / weights) <= Fraction(1, 20_000)


def _policy(given: Any) -> Fraction:
    return Fraction(given["neutral"]) if isinstance(given, dict) else Fraction(0)


@given(grouped_cases())
def test_coverage_is_of_the_dimensions_own_weight(case: Case) -> None:
    weights = {signal.name: weight for signal, weight in case.model.weights(case.profile)}
    for each in found(case):
        own = [weights.get(name, 0) for name in each.signals]
        known = [weights.get(name, 0) for name in each.signals if name in case.values]
        assert each.coverage == (published_ratio(sum(known), sum(own)) if sum(own) else 0)


@given(grouped_cases())
def test_merging_dimensions_never_changes_the_score_and_adds_what_they_had(case: Case) -> None:
    signals = {
        name: {**given, "dimension": "all"} for name, given in case.document["signals"].items()
    }
    merged = replace(case, model=model_from_document(1, {**case.document, "signals": signals}))
    assert scored(merged) == scored(case)
    [one] = found(merged)
    assert one.contribution == sum(each.contribution for each in found(case))
    assert one.signals == tuple(signals)
    exact = scored(case).exact
    assert one.value == (published_ratio(*exact) if exact else None)


@given(st.lists(st.integers(0, 10**6), max_size=9))
def test_shares_sum_to_one_and_are_none_more_than_a_unit_off(weights: list[int]) -> None:
    assume(sum(weights))
    given_shares = shares(weights)
    assert sum(given_shares) == 1
    for share, weight in zip(given_shares, weights, strict=True):
        assert abs(Fraction(share) - Fraction(weight, sum(weights))) < Fraction(1, 10_000)


def test_dimensions_stand_in_the_models_order_with_all_their_signals() -> None:
    rows = dimensions(a_model(), None, {}, [])
    assert [each.name for each in rows] == [
        "usage", "support", "sentiment", "engagement", "growth"
    ]  # fmt: skip
    assert rows[2].signals == ("nps", "csat")
    assert {each.value for each in rows} == {None}
    assert [each.model_weight for each in rows] == [
        Decimal("0.5"), Decimal("0.2"), Decimal("0.15"), Decimal("0.1"), Decimal("0.05")
    ]  # fmt: skip


def test_the_preset_led_by_usage_is_forty_thirty_twenty_ten() -> None:
    """LU-043."""
    model = model_from_document(2, with_preset(a_document(), "usage_led"))
    rows = {each.name: each.model_weight for each in dimensions(model, None, {}, [])}
    assert rows == {
        "usage": Decimal("0.4"), "engagement": Decimal("0.3"), "support": Decimal("0.2"),
        "sentiment": Decimal("0.1"), "growth": 0,
    }  # fmt: skip


def test_the_documented_example_is_fifty_three_and_not_fifty_two() -> None:
    """AMB-30: 0.4·65 + 0.3·40 + 0.2·50 + 0.1·50 is 53; the source prints 52."""
    line = {"curve": {"type": "linear", "zero": 0, "full": 100}}
    signals = with_signals(days={}, **dict.fromkeys(("logins", "adoption", "tickets", "nps"), line))
    model = model_from_document(2, with_preset(a_document(signals=signals), "usage_led"))
    # 108 days of 180 are 40 points.
    values = {"logins": 65, "adoption": 65, "days": 108, "tickets": 50, "nps": 50}
    result = score(model, None, values)
    assert (result.value, result.exact and published_ratio(*result.exact)) == (53, 53)
    rows = dimensions(model, None, values, contributions(model, None, values, result))
    assert {each.name: each.value for each in rows} == {
        "usage": 65, "engagement": 40, "support": 50, "sentiment": 50, "growth": None
    }  # fmt: skip
    assert word_of(result.value) == word_of(52) == "neutral"


def test_a_preset_weighs_a_signal_of_ones_own_nothing_and_changes_weights_alone() -> None:
    own = {"weight": 10, "curve": {"type": "linear", "zero": 0, "full": 5}, "dimension": "usage"}
    document = a_document(signals=with_signals(seats=own, tickets={"weight": 10}))
    after = with_preset(document, "balanced")
    assert after["signals"]["seats"] == {**own, "weight": 0}
    assert after["signals"]["tickets"]["weight"] == 20
    assert document["signals"]["seats"]["weight"] == 10
    assert after == {**document, "signals": after["signals"]}
    assert all(sum(weights.values()) == 100 for weights in PRESETS.values())


@pytest.mark.parametrize(
    ("given_score", "word"),
    [(0, "at_risk"), (49, "at_risk"), (50, "neutral"), (64, "neutral"), (65, "healthy"),
     (100, "healthy"), (None, "unscored")],
)  # fmt: skip
def test_three_words_stand_for_a_score(given_score: int | None, word: str) -> None:
    """AMB-31."""
    assert word_of(given_score) == word


@given(grouped_cases())
def test_what_costs_most_is_named_first_and_would_explain_what_is_missing_to_100(
    case: Case,
) -> None:
    result = scored(case)
    rows = losses(case.model, case.profile, case.values, result)
    if result.exact is None:
        assert rows == []
        return
    lost = [row.lost for row in rows]
    assert lost == sorted(lost, reverse=True)
    whole = 100 - Fraction(*result.exact)
    counting = contributions(case.model, case.profile, case.values, result)
    least = sum(map(Fraction, lost)) - Fraction(len(lost), 20_000)
    assert least <= whole
    if len(counting) <= 3:
        assert abs(whole - sum(map(Fraction, lost))) <= Fraction(3, 20_000)


def test_reasons_are_the_share_times_the_missing_points() -> None:
    values = {"logins": 0, "tickets": 5, "nps": 9, "adoption": 100}
    rows = losses(a_model(), None, values, score(a_model(), None, values))
    assert [(row.signal, row.lost) for row in rows] == [
        ("logins", Decimal("29.4118")), ("tickets", Decimal("23.5294"))
    ]  # fmt: skip

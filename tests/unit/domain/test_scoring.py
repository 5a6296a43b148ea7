from dataclasses import replace
from datetime import UTC, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_customer, a_model, with_signals
from tests.unit import oracle
from tests.unit.oracle import four_decimals
from tests.unit.strategies import Case, cases

from vitals.domain.customer import Override
from vitals.domain.scoring import contributions, missing, score
from vitals.domain.view import customer_view
from vitals.storage.codec import decode, encode


@given(cases())
@settings(max_examples=300)
def test_a_score_is_what_the_oracle_finds(case: Case) -> None:
    expected = oracle.score(case.document, case.profile, case.values)
    found = score(case.model, case.profile, case.values)
    assert (None if found.exact is None else Fraction(*found.exact)) == expected.exact
    assert found.value == expected.value
    assert found.band == expected.band
    assert Fraction(found.coverage) == four_decimals(expected.coverage)


@given(cases())
@settings(max_examples=100)
def test_the_integer_is_the_half_up_rounding_and_the_band_comes_from_it(case: Case) -> None:
    found = score(case.model, case.profile, case.values)
    if found.exact is None or found.value is None:
        assert (found.exact, found.value, found.band) == (None, None, "unscored")
        return
    exact = Fraction(*found.exact)
    assert 0 <= exact <= 100
    assert found.value - Fraction(1, 2) <= exact < found.value + Fraction(1, 2)
    assert found.band == oracle.band(case.document, found.value)


@given(cases())
@settings(max_examples=200)
def test_contributions_sum_to_the_published_score_and_none_is_far_from_exact(case: Case) -> None:
    found = score(case.model, case.profile, case.values)
    expected = oracle.score(case.document, case.profile, case.values)
    parts = contributions(case.model, case.profile, case.values, found)
    assert {part.signal for part in parts} == set(expected.parts)
    if expected.exact is not None:
        published = sum((Fraction(part.contribution) for part in parts), Fraction(0))
        assert published == four_decimals(expected.exact)
    for part in parts:
        assert abs(Fraction(part.contribution) - expected.parts[part.signal]) < Fraction(1, 10_000)
        assert part.value == case.values.get(part.signal)
        assert Fraction(part.weight) == weight_of(case, part.signal)


def weight_of(case: Case, signal: str) -> Fraction:
    presets = case.document["profiles"]
    if case.profile in presets:
        return Fraction(presets[case.profile][signal])
    return Fraction(case.document["signals"][signal]["weight"])


def the_sum(view: dict[str, Any]) -> Fraction:
    parts = view["contributions"] + view["adjustments"]
    return sum((Fraction(part["contribution"]) for part in parts), Fraction(0))


@given(cases(), st.none() | st.integers(0, 100))
@settings(max_examples=150)
def test_contributions_and_adjustments_sum_to_score_exact_as_answered(
    case: Case, set_by_hand: int | None
) -> None:
    signals = {name: value for name, value in case.values.items() if name != "days"}
    days = case.values.get("days")
    customer = a_customer(
        signals=signals,
        last_contact_on=None if days is None else TODAY - timedelta(days=days),
        scoring_profile=case.profile,
        override=None if set_by_hand is None else Override(set_by_hand, "key-1", NOW),
    )
    expected = oracle.score(case.document, case.profile, case.values)
    # As a client reads it: what is said must hold after JSON too.
    view = decode(encode(customer_view(customer, case.model, NOW, UTC, 0)))
    assert the_sum(view) == Fraction(view["score_exact"] or 0)
    assert view["computed_score"] == expected.value
    assert view["computed_status"] == expected.band
    assert view["low_confidence"] == expected.low_confidence
    assert {row["signal"] for row in view["missing"]} == {
        signal.name
        for signal, _ in case.model.weights(case.profile)
        if signal.name not in case.values
    }
    if set_by_hand is None:
        assert view["adjustments"] == []
        assert view["score"] == expected.value
        exact = None if expected.exact is None else four_decimals(expected.exact)
        assert (view["score_exact"] is None) == (exact is None)
        assert exact is None or Fraction(view["score_exact"]) == exact
    else:
        assert [row["kind"] for row in view["adjustments"]] == ["override"]
        assert (view["score"], view["score_exact"]) == (set_by_hand, set_by_hand)
        assert view["status"] == oracle.band(case.document, set_by_hand)


@pytest.mark.parametrize(
    ("adoption", "score_", "band"),
    [
        ("24.4", 24, "critical"),
        ("24.5", 25, "at_risk"),
        ("49.49", 49, "at_risk"),
        ("49.5", 50, "watch"),
        ("64.5", 65, "healthy"),
        ("79.49", 79, "healthy"),
        ("79.5", 80, "expansion"),
        ("0", 0, "critical"),
        ("100", 100, "expansion"),
    ],
)
def test_bands_begin_at_the_rounded_score(adoption: str, score_: int, band: str) -> None:
    found = score(a_model(), None, {"adoption": decode(adoption)})
    assert (found.value, found.band) == (score_, band)


def test_a_signal_that_weighs_nothing_does_not_count_as_present() -> None:
    found = score(a_model(), None, {"csat": 5})
    assert (found.value, found.band, found.coverage) == (None, "unscored", 0)


def test_less_coverage_than_the_model_asks_for_is_unscored_not_critical() -> None:
    model = a_model(min_coverage=0.3)
    assert score(model, None, {"logins": 0}).band == "unscored"
    assert score(model, None, {"logins": 0, "growth": "none"}).band == "critical"


def test_the_missing_policy_of_a_signal_wins_over_that_of_the_model() -> None:
    signals = with_signals(
        nps={"missing_policy": {"neutral": 50}}, growth={"missing_policy": "zero"}
    )
    model = a_model(signals=signals)
    found = score(model, None, {"logins": 30})
    assert found.exact is not None
    assert Fraction(*found.exact) == Fraction(25 * 100 + 15 * 50, 25 + 15 + 5)
    assert Fraction(found.coverage) == Fraction(1, 4)
    policies = {row["signal"]: row["policy"] for row in missing(model, None, {"logins": 30}, {})}
    assert policies == {
        "adoption": "exclude",
        "tickets": "exclude",
        "nps": "neutral",
        "days": "exclude",
        "growth": "zero",
    }


def test_a_profile_weighs_instead_of_the_model_and_an_unknown_one_does_not() -> None:
    model = a_model(profiles={"adoption only": {"adoption": 100}})
    values = {"adoption": 40, "logins": 30}
    assert score(model, "adoption only", values).value == 40
    assert score(model, "adoption only", values).coverage == 1
    assert score(model, "no such profile", values) == score(model, None, values)


def test_an_expired_override_adjusts_nothing() -> None:
    over = Override(90, "key-1", NOW - timedelta(days=2), None, NOW)
    view = customer_view(a_customer(signals={"logins": 15}, override=over), a_model(), NOW, UTC, 0)
    assert (view["score"], view["adjustments"], view["override"]) == (50, [], None)


def test_the_view_does_not_depend_on_what_was_last_published() -> None:
    customer = a_customer(signals={"logins": 15}, score=12, status="critical")
    fresh = replace(customer, score=None, status="unscored")
    views = [customer_view(each, a_model(), NOW, UTC, 0) for each in (customer, fresh)]
    # Momentum is measured from what was published.
    history = {"momentum": None, "momentum_direction": None}
    assert views[0] | history == views[1] | history


def test_versions_score_alike_unless_what_scores_differs() -> None:
    model = a_model(2)
    alike = [
        a_model(3),
        a_model(3, time_zone="Asia/Tokyo"),
        a_model(3, signals=with_signals(nps={"dimension": "sentiment"})),
        a_model(
            3, cadence={tier: {"due": 1, "overdue": 2} for tier in ("smb", "mid", "enterprise")}
        ),
    ]
    assert all(model.scores_like(each) for each in alike)
    bands = {"critical": 0, "at_risk": 25, "watch": 51, "healthy": 65, "expansion": 80}
    others = [
        a_model(3, bands=bands),
        a_model(3, min_coverage="0.5"),
        a_model(3, missing_policy="zero"),
        a_model(3, signals=with_signals(nps={"weight": 16})),
    ]
    assert not any(model.scores_like(each) for each in others)

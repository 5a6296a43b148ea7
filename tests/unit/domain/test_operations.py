"""What account teams read beside the score: cadence, renewal, priority."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import TODAY, a_customer, a_model

from vitals.domain.numbers import parse_number
from vitals.domain.operations import cadence_status, days_until_renewal, priority


@pytest.mark.parametrize(
    ("tier", "days", "status"),
    [
        ("enterprise", 13, "on_track"),
        ("enterprise", 14, "due_soon"),
        ("enterprise", 20, "due_soon"),
        ("enterprise", 21, "overdue"),
        ("mid", 29, "on_track"),
        ("mid", 30, "due_soon"),
        ("mid", 45, "overdue"),
        ("smb", 59, "on_track"),
        ("smb", 60, "due_soon"),
        ("smb", 90, "overdue"),
        (None, 30, "due_soon"),
    ],
)
def test_the_cadence_of_each_tier(tier: str | None, days: int, status: str) -> None:
    contacted = TODAY - timedelta(days=days)
    assert cadence_status(a_customer(tier=tier), a_model(), contacted, TODAY) == status


@pytest.mark.parametrize(
    ("renewal", "days"),
    [(date(2026, 3, 12), 10), (TODAY, 0), (date(2026, 2, 28), -2), (None, None)],
)
def test_days_until_renewal(renewal: date | None, days: int | None) -> None:
    assert days_until_renewal(a_customer(renewal_date=renewal), TODAY) == days


@pytest.mark.parametrize(
    ("days", "factor"),
    [
        (-5, 1),
        (0, 1),
        (30, 1),
        (31, Decimal("0.7")),
        (60, Decimal("0.7")),
        (61, Decimal("0.4")),
        (90, Decimal("0.4")),
        (91, Decimal("0.2")),
        (None, Decimal("0.2")),
    ],
)
def test_priority_is_the_product_of_the_parts_that_it_shows(days: int | None, factor: Any) -> None:
    renewal = None if days is None else TODAY + timedelta(days=days)
    found = priority(a_customer(mrr=500, renewal_date=renewal), a_model(), 40, 2000, TODAY)
    assert found is not None
    assert (found["risk"], found["revenue_share"]) == (Decimal("0.6"), Decimal("0.25"))
    assert (found["renewal_factor"], found["portfolio_mrr"]) == (factor, 2000)
    assert Fraction(found["score"]) == Fraction(60, 100) * Fraction(1, 4) * Fraction(factor)


@pytest.mark.parametrize(("score", "mrr"), [(None, 500), (40, None), (40, 0)])
def test_without_a_score_or_revenue_there_is_no_priority(
    score: int | None, mrr: int | None
) -> None:
    assert priority(a_customer(mrr=mrr), a_model(), score, 2000, TODAY) is None


def test_a_share_is_at_most_the_whole() -> None:
    # The portfolio may have been summed before this customer's revenue rose.
    found = priority(a_customer(mrr=500, renewal_date=TODAY), a_model(), 0, 100, TODAY)
    assert found is not None
    assert (found["revenue_share"], found["score"], found["portfolio_mrr"]) == (1, 1, 500)


def test_a_healthy_customer_has_no_priority_to_speak_of() -> None:
    found = priority(a_customer(mrr=500), a_model(), 100, 2000, TODAY)
    assert found is not None
    assert (found["score"], found["risk"]) == (0, 0)


@given(st.integers(0, 100), st.integers(1, 10**7), st.integers(1, 10**9))
def test_the_parts_of_a_priority_are_the_numbers_that_anybody_reads(
    score: int, mrr: int, portfolio: int
) -> None:
    found = priority(a_customer(mrr=mrr), a_model(), score, portfolio, TODAY)
    assert found is not None
    for name in ("score", "risk", "revenue_share"):
        read = parse_number(found[name])
        assert (repr(found[name]), type(found[name])) == (repr(read), type(read))

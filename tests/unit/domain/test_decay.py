"""Decay: the same function read at a later time, and what does and does not reset it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_customer, a_model, a_moment
from tests.unit import oracle
from tests.unit.strategies import Case, cases, instants, patches

from vitals.domain.mutation import Reason, settled
from vitals.domain.patch import Patch, merged

ZONES = st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Tokyo", "Europe/London"]).map(ZoneInfo)


@given(cases(contacted=True), instants, st.integers(-2, 400), ZONES)
@settings(max_examples=150)
def test_a_later_read_is_a_score_from_scratch_at_that_time(
    case: Case, now: datetime, later: int, zone: ZoneInfo
) -> None:
    contacted = now.astimezone(zone).date() - timedelta(days=case.values["days"])
    stored = a_customer(
        signals={name: value for name, value in case.values.items() if name != "days"},
        last_contact_on=contacted,
        scoring_profile=case.profile,
    )
    at = now + timedelta(days=later)
    days = max(0, (at.astimezone(zone).date() - contacted).days)
    expected = oracle.score(case.document, case.profile, {**case.values, "days": days})
    assert stored.published_at(case.model, at, zone) == (expected.value, expected.band)


@given(cases(contacted=True), st.lists(st.integers(0, 500), min_size=2, max_size=6).map(sorted))
@settings(max_examples=100)
def test_a_score_never_rises_while_nobody_calls(case: Case, days: list[int]) -> None:
    signals = {name: value for name, value in case.values.items() if name != "days"}
    stored = a_customer(signals=signals, last_contact_on=TODAY, scoring_profile=case.profile)
    scores = [
        stored.published_at(case.model, NOW + timedelta(days=day), UTC)[0] or 0 for day in days
    ]
    assert all(earlier >= later for earlier, later in pairwise(scores))


@given(st.lists(patches(NOW, contact=False), max_size=6))
@settings(max_examples=60)
def test_what_does_not_report_contact_never_moves_last_contact_on(asked: list[Patch]) -> None:
    customer = a_customer(last_contact_on=date(2026, 1, 5))
    for step, patch in enumerate(asked):
        moment = a_moment(NOW + timedelta(days=step))
        after = merged(customer, patch, moment)
        customer, _ = settled(customer, after, a_model(), Reason(action="upsert"), moment)
        assert customer.last_contact_on == date(2026, 1, 5)
        assert "days" not in customer.received


@pytest.mark.parametrize(
    ("instant", "zone", "days"),
    [
        ("2026-03-02T00:00:00+00:00", "UTC", 1),
        ("2026-03-01T23:59:59+00:00", "UTC", 0),
        ("2026-03-02T07:59:00+00:00", "America/Los_Angeles", 0),
        ("2026-03-02T08:00:00+00:00", "America/Los_Angeles", 1),
        ("2026-03-01T15:00:00+00:00", "Asia/Tokyo", 1),
        ("2026-02-20T00:00:00+00:00", "UTC", 0),
    ],
)
def test_a_day_passes_at_the_midnight_of_the_tenant(instant: str, zone: str, days: int) -> None:
    customer = a_customer(last_contact_on=date(2026, 3, 1))
    today = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).date()
    assert customer.values(today)["days"] == days


def test_a_customer_never_contacted_has_no_days() -> None:
    assert "days" not in a_customer(signals={"logins": 3}).values(TODAY)


def test_reading_at_the_same_instant_twice_gives_the_same() -> None:
    stored = a_customer(signals={"logins": 15}, last_contact_on=date(2025, 10, 1))
    assert stored.published_at(a_model(), NOW, UTC) == stored.published_at(a_model(), NOW, UTC)
    again = replace(stored, score=1, status="critical", updated_at=NOW, version=9)
    assert again.published_at(a_model(), NOW, UTC) == stored.published_at(a_model(), NOW, UTC)

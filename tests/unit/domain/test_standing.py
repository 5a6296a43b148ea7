"""A standing: one customer at one instant, and its fields as rules ask for them (IQ-131)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_customer, a_document, a_model
from tests.unit import oracle
from tests.unit.strategies import instants

from vitals.domain.customer import Override
from vitals.domain.standing import Standing

DAY = timedelta(days=1)
ZONES = st.sampled_from(["UTC", "Pacific/Auckland", "America/New_York", "Africa/Cairo"])


@given(ZONES, instants, st.integers(0, 200), st.integers(0, 30))
def test_the_score_is_that_of_its_instant_unless_it_is_what_was_published(
    zone: str, at: datetime, days: int, logins: int
) -> None:
    document = a_document(time_zone=zone)
    model = a_model(time_zone=zone)
    contacted = at.astimezone(ZoneInfo(zone)).date() - days * DAY
    customer = a_customer(
        signals={"logins": logins}, last_contact_on=contacted, score=3, status="critical"
    )
    scored = oracle.score(document, None, {"logins": logins, "days": days})
    assert Standing(customer, model, at).published == (scored.value, scored.band)
    assert Standing(customer, model, at, stored=True).published == (3, "critical")
    assert Standing(customer, model, at).quiet_days == days


def test_an_override_stands_until_it_expires() -> None:
    override = Override(90, "key-1", NOW, expires_at=NOW + timedelta(hours=1))
    customer = a_customer(signals={"logins": 3}, override=override)
    last = NOW + timedelta(minutes=59)
    assert Standing(customer, a_model(), last).published == (90, "expansion")
    assert Standing(customer, a_model(), NOW + timedelta(hours=1)).published == (10, "critical")


@given(ZONES, instants)
def test_days_are_those_of_the_models_zone(zone: str, at: datetime) -> None:
    today = at.astimezone(ZoneInfo(zone)).date()
    found = Standing(a_customer(renewal_date=today), a_model(time_zone=zone), at)
    assert (found.today, found.renewal_in) == (today, 0)


def test_a_renewal_that_has_passed_is_none() -> None:
    assert Standing(a_customer(renewal_date=TODAY - DAY), a_model(), NOW).renewal_in is None
    assert Standing(a_customer(), a_model(), NOW).renewal_in is None


def test_a_contact_tomorrow_is_no_time_ago() -> None:
    assert Standing(a_customer(last_contact_on=TODAY + DAY), a_model(), NOW).quiet_days == 0


def test_the_day_of_creation_is_the_tenants() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    customer = a_customer(created_at=late)
    assert Standing(customer, a_model(), NOW).contacted == date(2026, 3, 1)
    model = a_model(time_zone="Europe/Berlin")
    assert Standing(customer, model, NOW).contacted == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("health_score", 40), ("status", "at_risk"), ("tier", "smb"), ("lifecycle", "active"),
        ("mrr", 100), ("days_since_contact", 3), ("momentum", -20), ("renewal_within", 5),
        ("cadence_status", "on_track"), ("tags", {"vip"}), ("manager", "ana"), ("nps", 4),
        ("csat", None), ("no_such_field", None),
    ],
)  # fmt: skip
def test_every_field_has_its_value(field: str, value: object) -> None:
    customer = a_customer(
        score=40, status="at_risk", tier="smb", mrr=100, last_contact_on=TODAY - 3 * DAY,
        renewal_date=TODAY + 5 * DAY, tags=("VIP",), manager="Ana", signals={"nps": 4},
        recent=((TODAY - 9 * DAY, 60, 60), (TODAY, 60, 40)),
    )  # fmt: skip
    found = Standing(customer, a_model(), NOW, stored=True)
    assert found.value(field) == value
    assert found.value(field) == value


def test_a_score_that_never_moved_is_no_drop_and_has_no_momentum_before_it() -> None:
    customer = a_customer(score=40, status="at_risk", score_changed_at=NOW - 20 * DAY)
    found = Standing(customer, a_model(), NOW, stored=True)
    assert (found.drop, found.momentum) == (0, 0)
    unscored = Standing(a_customer(), a_model(), NOW, stored=True)
    assert (unscored.drop, unscored.momentum) == (None, None)

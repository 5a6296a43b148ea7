"""When the band changes next if nobody calls, against loops over days and instants."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_customer, a_model, with_signals
from tests.unit import oracle
from tests.unit.strategies import Case, cases, instants

from vitals.domain.customer import Customer, Override
from vitals.domain.outlook import days_until_band_change
from vitals.domain.scoring import score
from vitals.domain.view import customer_view

LAST_DAY = 450
"""Every contact curve that is drawn has come to rest by then."""

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Santiago",  # its clocks change at midnight
        "Africa/Cairo",  # so do these
        "Asia/Beirut",
        "America/Havana",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
    ]
)


def band_on(case: Case, days: int) -> str:
    return oracle.score(case.document, case.profile, {**case.values, "days": days}).band


def first_change(case: Case, days: int, since: str) -> tuple[int, str] | None:
    """Return the first day count after *days* on which the band is not *since*, by a loop."""
    rest = {name: value for name, value in case.values.items() if name != "days"}
    fresh = oracle.score(case.document, case.profile, {**rest, "days": 0})
    if fresh.exact is None:
        return None
    others = fresh.exact - fresh.parts.get("days", Fraction(0))
    curve = case.document["signals"]["days"]["curve"]
    top = oracle.points(curve, 0)
    weight = fresh.parts.get("days", Fraction(0)) / top if top else Fraction(0)
    for day in range(days + 1, LAST_DAY):
        exact = others + weight * oracle.points(curve, day)
        band = oracle.band(case.document, oracle.half_up(exact))
        if band != since:
            return day, band
    return None


@given(cases(contacted=True))
@settings(max_examples=150)
def test_the_band_changes_on_the_day_that_a_loop_over_days_finds(case: Case) -> None:
    now = case.values["days"]
    scored = score(case.model, case.profile, case.values)
    found = days_until_band_change(case.model, case.profile, case.values, scored)
    assert found == first_change(case, now, scored.band)
    if found is not None:
        day, band = found
        assert (band_on(case, day - 1), band_on(case, day)) == (scored.band, band)


def published(case: Case, customer: Customer, at: datetime, zone: ZoneInfo) -> str:
    """Return the band as published at *at*, from the document alone."""
    override = customer.override
    if override and (override.expires_at is None or at < override.expires_at):
        return oracle.band(case.document, override.value)
    assert customer.last_contact_on
    return band_on(case, max(0, (at.astimezone(zone).date() - customer.last_contact_on).days))


def first_instant_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first quarter of an hour whose local day is *day*: no zone is finer."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    while at.astimezone(zone).date() < day:
        at += timedelta(minutes=15)
    return at


def next_change(
    case: Case, customer: Customer, now: datetime, zone: ZoneInfo
) -> tuple[datetime, str] | None:
    """Return when the published band changes first, and to which, by a loop over local days."""
    band = published(case, customer, now, zone)
    ends = customer.override.expires_at if customer.override else None
    assert customer.last_contact_on
    start = max(now.astimezone(zone).date(), customer.last_contact_on)
    if customer.override and now < (ends or datetime.max.replace(tzinfo=UTC)):
        if ends is None:
            return None
        after = published(case, customer, ends, zone)
        if after != band:
            return ends, after
        start = max(ends.astimezone(zone).date(), customer.last_contact_on)
    change = first_change(case, (start - customer.last_contact_on).days, band)
    if change is None:
        return None
    day, to = change
    return first_instant_of(customer.last_contact_on + timedelta(days=day), zone), to


@st.composite
def overrides(draw: st.DrawFn, now: datetime, case: Case) -> Override | None:
    """Draw a score set by hand, often one of the band that the signals give."""
    if draw(st.booleans()):
        return None
    computed = oracle.score(case.document, case.profile, case.values).value or 0
    expiry = draw(st.none() | st.integers(-5, 200).map(lambda days: now + timedelta(days=days)))
    if expiry is not None:
        expiry += timedelta(minutes=draw(st.integers(0, 1440)))
    return Override(draw(st.integers(0, 100) | st.just(computed)), "key-1", now, None, expiry)


@given(st.data(), cases(contacted=True), instants, ZONES)
@settings(max_examples=150)
def test_the_next_band_change_is_the_first_instant_at_which_the_published_band_differs(
    data: st.DataObject, case: Case, now: datetime, name: str
) -> None:
    zone = ZoneInfo(name)
    # A contact may be dated a day ahead, in a zone where it is tomorrow.
    contacted = now.astimezone(zone).date() - timedelta(days=case.values["days"] - 1)
    customer = a_customer(
        signals={key: value for key, value in case.values.items() if key != "days"},
        last_contact_on=contacted,
        scoring_profile=case.profile,
        override=data.draw(overrides(now, case)),
    )
    view = customer_view(customer, case.model, now, zone, 0, whole=False)
    expected = next_change(case, customer, now, zone)
    if expected is None:
        assert (view["next_band_change_at"], view["next_band_change_to"]) == (None, None)
        return
    at, band = expected
    assert view["next_band_change_to"] == band
    assert datetime.fromisoformat(view["next_band_change_at"]) == at
    before = at - timedelta(milliseconds=1)
    assert customer.published_at(case.model, before, zone)[1] == view["status"]
    assert customer.published_at(case.model, at, zone)[1] == band


def test_days_that_clocks_skip_or_repeat_count_as_days() -> None:
    # Clocks in Berlin went forward on 29 March 2026: that day has 23 hours.
    customer = a_customer(last_contact_on=date(2026, 1, 1))
    zone = ZoneInfo("Europe/Berlin")
    view = customer_view(customer, a_model(), datetime(2026, 3, 20, tzinfo=UTC), zone, 0)
    # Watch begins at 50 points: half of 180 days, and the day on which 49.5 is passed.
    assert view["next_band_change_at"] == "2026-04-01T22:00:00.000Z"
    assert view["next_band_change_to"] == "at_risk"


@pytest.mark.parametrize(
    ("expires", "changes", "band"),
    [
        # Watch until 90 days, which in Tokyo are over when 1 April is.
        ("2026-03-10T00:00:00+00:00", "2026-04-01T15:00:00.000Z", "at_risk"),
        ("2026-04-01T14:59:00+00:00", "2026-04-01T15:00:00.000Z", "at_risk"),
        ("2026-04-01T16:30:00+00:00", "2026-04-01T16:30:00.000Z", "at_risk"),
        ("2026-06-30T00:00:00+00:00", "2026-06-30T00:00:00.000Z", "critical"),
    ],
)
def test_after_an_override_comes_what_its_end_or_the_decay_behind_it_brings(
    expires: str, changes: str, band: str
) -> None:
    override = Override(55, "key-1", NOW, None, datetime.fromisoformat(expires))
    customer = a_customer(last_contact_on=date(2026, 1, 1), override=override)
    view = customer_view(customer, a_model(), NOW, ZoneInfo("Asia/Tokyo"), 0)
    assert view["status"] == "watch"
    assert (view["next_band_change_at"], view["next_band_change_to"]) == (changes, band)


@pytest.mark.parametrize("contacted", [None, date(2026, 1, 1)])
def test_where_no_weight_decays_time_changes_nothing(contacted: date | None) -> None:
    signals = with_signals(days={"weight": 0 if contacted else 10})
    customer = a_customer(signals={"logins": 20}, last_contact_on=contacted)
    view = customer_view(customer, a_model(signals=signals), NOW, UTC, 0)
    assert (view["next_band_change_at"], view["next_band_change_to"]) == (None, None)


def test_from_the_lowest_band_nothing_falls() -> None:
    customer = a_customer(last_contact_on=date(2025, 10, 1))
    view = customer_view(customer, a_model(), NOW, UTC, 0)
    assert (view["status"], view["next_band_change_at"]) == ("critical", None)

"""A customer's signals, and the day of its last contact, as they are sent."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.builders import TODAY, a_model, with_signals
from tests.unit.usecases.reading import patch_of, refused

OWN = with_signals(
    seats={
        "weight": 10,
        "curve": {"type": "linear", "zero": 0, "full": 50},
        "aliases": ["licences"],
    },
    grade={"weight": 5, "curve": {"type": "choice", "options": {"A+": 100, "A-": 80}}},
)


@pytest.mark.parametrize(
    ("given_", "signal", "value"),
    [
        ({"logins": "22"}, "logins", 22),
        ({"logins": " 22.50 "}, "logins", Decimal("22.5")),
        ({"logins": 22.0}, "logins", 22),
        ({"logins": 45}, "logins", 45),
        ({"logins": 0}, "logins", 0),
        ({"logins_30d": 22}, "logins", 22),
        ({"login_frequency": 22}, "logins", 22),
        ({"feature_adoption_pct": "75"}, "adoption", 75),
        ({"open_tickets": 3}, "tickets", 3),
        ({"growth_signal": "Strong"}, "growth", "strong"),
        ({"growth": "none"}, "growth", "none"),
        ({"growth": "N/A"}, "growth", None),
        ({"growth": "na"}, "growth", None),
        ({"growth": None}, "growth", None),
        ({"nps": None}, "nps", None),
        ({"nps": "N/A"}, "nps", None),
        ({"csat": "4.5"}, "csat", Decimal("4.5")),
        ({"signals": {"logins": "7"}}, "logins", 7),
        ({"signals": {"open_tickets": 7}}, "tickets", 7),
    ],
)
def test_signals_as_they_are_sent(given_: dict[str, Any], signal: str, value: Any) -> None:
    patch, warnings = patch_of({"name": "Acme", **given_})
    assert patch.signals == {signal: value}
    assert patch.given == {signal}
    assert warnings == []


def test_two_spellings_of_one_signal_agree_or_are_refused() -> None:
    patch, _ = patch_of(
        {"name": "Acme", "logins": 22, "logins_30d": "22", "signals": {"logins": 22}}
    )
    assert patch.signals == {"logins": 22}
    for other in ({"logins_30d": 23}, {"signals": {"logins": 23}}, {"signals": {"logins_30d": 23}}):
        [(_, code)] = refused({"name": "Acme", "logins": 22, **other})
        assert code == "conflicting_fields"


@pytest.mark.parametrize(
    ("adoption", "flagged"), [(0.75, True), (1, True), ("0.01", True), (0, False), (1.01, False)]
)
def test_a_share_where_a_percentage_belongs_is_stored_as_given_and_flagged(
    adoption: Any,
    flagged: bool,
) -> None:
    patch, warnings = patch_of({"name": "Acme", "feature_adoption_pct": adoption})
    assert patch.signals == {"adoption": Decimal(str(adoption))}
    assert warnings == ([("possible_fraction", "feature_adoption_pct")] if flagged else [])


def test_a_model_s_own_signals_stand_beside_the_others_or_under_signals() -> None:
    model = a_model(signals=OWN)
    for given_ in (
        {"seats": "12", "grade": "A-"},
        {"licences": 12, "signals": {"grade": "A-"}},
        {"signals": {"seats": 12, "grade": "A-"}},
    ):
        patch, warnings = patch_of({"name": "Acme", **given_}, model)
        assert patch.signals == {"seats": 12, "grade": "A-"}
        assert warnings == []
    _, warnings = patch_of({"name": "Acme", "seats": 12})
    assert warnings == [("unknown_field", "seats")]


@pytest.mark.parametrize(
    ("given_", "contacted", "warned"),
    [
        ({"days": 0}, TODAY, []),
        ({"days": "7"}, date(2026, 2, 23), []),
        ({"days_since_contact": 7}, date(2026, 2, 23), []),
        ({"days": 7.9}, date(2026, 2, 23), [("rounded", "days")]),
        ({"days": 36_500}, date(1926, 3, 27), []),
        ({"last_contact_date": "2026-02-23"}, date(2026, 2, 23), []),
        ({"last_contact_on": "2026-02-23"}, date(2026, 2, 23), []),
        ({"last_contact_date": "2026-03-03"}, date(2026, 3, 3), []),
        ({"last_contact_date": "2026-02-23", "days": 7}, date(2026, 2, 23), []),
        (
            {"last_contact_date": "2026-02-20", "days": 7},
            date(2026, 2, 20),
            [("conflicting_fields", "days")],
        ),
        ({"last_contact_date": None}, None, []),
    ],
)
def test_the_day_of_the_last_contact(
    given_: dict[str, Any], contacted: date | None, warned: list[Any]
) -> None:
    patch, warnings = patch_of({"name": "Acme", **given_})
    assert patch.fields == {"last_contact_on": contacted}
    assert patch.signals == {}
    assert patch.given == {"days"}
    assert warnings == warned


def test_days_count_back_from_the_day_of_the_tenant() -> None:
    late = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    patch, _ = patch_of({"name": "Acme", "days": 1}, now=late, time_zone="Asia/Tokyo")
    assert patch.fields["last_contact_on"] == date(2026, 3, 2)

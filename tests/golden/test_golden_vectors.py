"""The golden vectors of the requirements: what everybody agreed the scores are."""

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.builders import NOW, TODAY, a_customer, a_model

from vitals.domain.customer import Customer
from vitals.domain.model import ScoringModel
from vitals.domain.view import customer_view

THE_WORST = {"logins": 0, "adoption": 0, "tickets": 5, "nps": 0, "days": 180}
THE_MIDDLE = {"logins": 15, "adoption": 60, "tickets": 2, "nps": 7, "days": 30, "growth": "mild"}


@dataclass(frozen=True)
class Vector:
    name: str
    values: dict[str, Any]
    exact: str | None
    score: int | None
    status: str
    coverage: str
    low_confidence: bool = False
    zeroed: tuple[str, str] | None = None
    """The exact score and the status if what is missing counted as nothing."""
    model: dict[str, Any] = field(default_factory=dict)


VECTORS = [
    Vector(
        "GV-1 the documented upsert",
        {"logins": 22, "adoption": 75, "tickets": 1},
        "75.8333", 76, "healthy", "0.70", zeroed=("53.0833", "watch"),
    ),
    Vector(
        "GV-2 then logins=28",
        {"logins": 28, "adoption": 75, "tickets": 1},
        "82.9762", 83, "expansion", "0.70", zeroed=("58.0833", "watch"),
    ),
    Vector(
        "GV-3 the form's defaults",
        {"logins": 10, "adoption": 50, "tickets": 1, "nps": 8, "days": 7},
        "56.7836", 57, "watch", "0.95", zeroed=("53.9444", "watch"),
    ),
    Vector(
        "GV-4 all best",
        {"logins": 30, "adoption": 100, "tickets": 0, "nps": 10, "days": 0, "growth": "strong"},
        "100", 100, "expansion", "1",
    ),
    Vector("GV-5 all worst", {**THE_WORST, "growth": "none"}, "1", 1, "critical", "1"),
    Vector(
        "GV-6 all worst, growth not known",
        {"logins": 0, "adoption": 0, "tickets": 9, "nps": 0, "days": 400},
        "0", 0, "critical", "0.95",
    ),
    Vector(
        "GV-7 only days=90", {"days": 90},
        "50", 50, "watch", "0.10", low_confidence=True, zeroed=("5", "critical"),
    ),
    # Without any signal there is no score, whatever stands for a missing one (AMB-01).
    Vector(
        "GV-8 nothing", {},
        None, None, "unscored", "0", low_confidence=True, zeroed=None,
    ),
    Vector(
        "GV-9 only logins=45", {"logins": 45},
        "100", 100, "expansion", "0.25", low_confidence=True, zeroed=("25", "at_risk"),
    ),
    Vector("GV-10 the middle of everything", THE_MIDDLE, "57.8333", 58, "watch", "1"),
    Vector("GV-11 the same after 180 days", {**THE_MIDDLE, "days": 180}, "49.5", 50, "watch", "1"),
    Vector(
        "GV-12 four dimensions of their own",
        {"usage": 65, "engagement": 40, "support": 50, "sentiment": 50},
        "53", 53, "watch", "1",
        model={
            "signals": {
                name: {
                    "weight": weight,
                    "dimension": name,
                    "curve": {"type": "linear", "zero": 0, "full": 100},
                }
                for name, weight in {
                    "usage": 40, "engagement": 30, "support": 20, "sentiment": 10
                }.items()
            }
        },
    ),
]  # fmt: skip
every_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)


def stored(values: dict[str, Any]) -> Customer:
    """Return the customer whose signals were reported today."""
    days = values.get("days")
    return a_customer(
        signals={name: value for name, value in values.items() if name != "days"},
        last_contact_on=None if days is None else TODAY - timedelta(days=days),
    )


def shown(vector: Vector, model: ScoringModel) -> dict[str, Any]:
    return customer_view(stored(vector.values), model, NOW, UTC, 0)


def decimal(published: Any) -> Decimal | None:
    return None if published is None else Decimal(published)


@every_vector
def test_a_golden_vector(vector: Vector) -> None:
    view = shown(vector, a_model(**vector.model))
    assert decimal(view["score_exact"]) == decimal(vector.exact)
    assert (view["score"], view["status"]) == (vector.score, vector.status)
    assert decimal(view["coverage"]) == Decimal(vector.coverage)
    assert view["low_confidence"] == vector.low_confidence


@every_vector
def test_its_contributions_add_up_to_it(vector: Vector) -> None:
    view = shown(vector, a_model(**vector.model))
    parts = [Decimal(part["contribution"]) for part in view["contributions"]]
    assert sum(parts) == Decimal(vector.exact or 0)
    assert len(parts) == len(vector.values)


@every_vector
def test_it_would_be_lower_if_what_is_missing_were_nothing(vector: Vector) -> None:
    view = shown(vector, a_model(**vector.model, missing_policy="zero"))
    exact, status = vector.zeroed or (vector.exact, vector.status)
    assert decimal(view["score_exact"]) == decimal(exact)
    assert view["status"] == status
    assert decimal(view["coverage"]) == Decimal(vector.coverage)


def test_gv_11_is_gv_10_with_nobody_calling_for_150_days() -> None:
    customer = stored(THE_MIDDLE)
    then = NOW + timedelta(days=150)
    for at, exact, score in (
        (NOW, "57.8333", 58),
        (then, "49.5", 50),
        (then + timedelta(days=500), "49.5", 50),
    ):
        view = customer_view(customer, a_model(), at, UTC, 0)
        assert (decimal(view["score_exact"]), view["score"]) == (Decimal(exact), score)
        assert view["status"] == "watch"
        # The exact score stops at what still rounds to the band: it never falls out of it.
        assert view["next_band_change_at"] is None


def test_gv_7_a_score_of_little_coverage_decays_far() -> None:
    customer = stored({"days": 90})
    view = customer_view(customer, a_model(), NOW, UTC, 0)
    assert (view["next_band_change_at"], view["next_band_change_to"]) == (
        "2026-03-03T00:00:00.000Z",
        "at_risk",
    )
    later = customer_view(customer, a_model(), NOW + timedelta(days=90), UTC, 0)
    assert (later["score"], later["status"]) == (0, "critical")

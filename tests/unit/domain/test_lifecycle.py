"""The at-risk stage follows the band's edges, and never a level (AMB-33)."""

from dataclasses import replace
from typing import Any

import pytest
from tests.builders import a_customer, a_model, a_moment

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.mutation import Reason, settled

CRITICAL, AT_RISK, WATCH, HEALTHY, UNSCORED = (
    {"adoption": 10}, {"adoption": 30}, {"adoption": 55}, {"adoption": 70}, dict[str, Any]()
)  # fmt: skip


def write(
    before: Customer | None, signals: dict[str, Any], *, lifecycle: str | None = None, **model: Any
) -> tuple[Customer, Change | None]:
    """Store *signals*, and *lifecycle* if it is given, as one request would."""
    after = replace(before or replace(a_customer(), version=0), signals=signals)
    if lifecycle is not None:
        after = replace(after, lifecycle=lifecycle, lifecycle_auto=False)
    reason = Reason(action="upsert_account", lifecycle_given=lifecycle is not None)
    return settled(before, after, a_model(**model), reason, a_moment())


def stages(*steps: dict[str, Any], **first: Any) -> list[str]:
    """Return the stage after each write of signals, the *first* with a stage perhaps."""
    customer, _ = write(None, steps[0], **first)
    found = [customer.lifecycle]
    for signals in steps[1:]:
        customer, _ = write(customer, signals)
        found.append(customer.lifecycle)
    return found


def test_it_enters_with_the_band_and_leaves_with_it() -> None:
    assert stages(HEALTHY, AT_RISK, WATCH) == ["active", "atrisk", "active"]
    assert stages(HEALTHY, CRITICAL, AT_RISK, HEALTHY) == ["active", "atrisk", "atrisk", "active"]


def test_a_customer_that_begins_at_risk_enters_from_unscored() -> None:
    assert stages(AT_RISK) == ["atrisk"]
    assert stages(UNSCORED, CRITICAL) == ["active", "atrisk"]


def test_losing_every_signal_is_no_recovery() -> None:
    assert stages(AT_RISK, UNSCORED, AT_RISK, WATCH) == ["atrisk", "atrisk", "atrisk", "active"]


@pytest.mark.parametrize("stage", ["onboarding", "trial", "paused", "won", "churned"])
def test_other_stages_are_never_touched(stage: str) -> None:
    assert stages(HEALTHY, CRITICAL, HEALTHY, lifecycle=stage) == [stage] * 3


def test_an_at_risk_stage_set_by_hand_is_left_by_hand() -> None:
    assert stages(HEALTHY, WATCH, HEALTHY, lifecycle="atrisk") == ["atrisk"] * 3
    assert stages(AT_RISK, HEALTHY, lifecycle="atrisk") == ["atrisk"] * 2


def test_a_stage_in_the_same_request_wins() -> None:
    healthy, _ = write(None, HEALTHY)
    kept, _ = write(healthy, CRITICAL, lifecycle="active")
    assert kept.lifecycle == "active"
    # Set active while at risk, it stays so until the band is entered anew.
    worse, _ = write(kept, {"adoption": 5})
    assert worse.lifecycle == "active"
    well, _ = write(worse, HEALTHY)
    again, _ = write(well, AT_RISK)
    assert again.lifecycle == "atrisk"


def test_the_change_says_that_it_was_automatic() -> None:
    healthy, _ = write(None, HEALTHY)
    fallen, change = write(healthy, CRITICAL)
    assert change is not None
    assert change.automatic == ("lifecycle",)
    assert change.changed["lifecycle"] == ("active", "atrisk")
    assert fallen.lifecycle_auto
    _, by_hand = write(fallen, HEALTHY, lifecycle="won")
    assert by_hand is not None
    assert by_hand.automatic == ()


def test_a_model_can_turn_it_off() -> None:
    healthy, _ = write(None, HEALTHY)
    fallen, _ = write(healthy, CRITICAL, auto_lifecycle=False)
    assert (fallen.status, fallen.lifecycle) == ("critical", "active")

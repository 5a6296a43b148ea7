"""A portfolio all over the bands, tiers and managers; the same in every run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from bench.workbench import Workbench

from vitals.domain.customer import Customer
from vitals.domain.model import TIERS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_BATCH = 1000
STAGES = ("onboarding", "active", "atrisk")
MANAGERS = ("Ada", "Ben", "Cleo", "Dora", "Emil")


def signals(number: int) -> dict[str, Any]:
    """Return what was reported of customer *number*; of every tenth, the NPS was not."""
    found = {
        "logins": number * 7 % 31,
        "adoption": number * 13 % 101,
        "tickets": number % 8,
        "nps": number * 3 % 11,
        "growth": ("none", "mild", "strong")[number % 3],
    }
    return found if number % 10 else {n: value for n, value in found.items() if n != "nps"}


def contacted(number: int) -> date:
    """Return when somebody last talked to customer *number*."""
    return (NOW - timedelta(days=number * 11 % 120)).date()


def record(number: int) -> dict[str, Any]:
    """Return customer *number* as a CRM sends it."""
    return {
        "name": f"Customer {number * 7919 % 100_003:06}",
        **signals(number),
        "last_contact_date": contacted(number).isoformat(),
        "mrr": 50 * (number * 17 % 400),
        "tier": TIERS[number % 3],
        "lifecycle": STAGES[number % 3],
        "manager": MANAGERS[number % 5],
        "tags": ["emea"] if number % 4 else [],
    }


def customer(number: int) -> Customer:
    """Return customer *number* as it is stored."""
    return Customer(
        id=f"{number:026}",
        tenant_id="T",
        name=f"Customer {number:06}",
        created_at=NOW,
        updated_at=NOW,
        signals=signals(number),
        last_contact_on=contacted(number),
        tier=TIERS[number % 3],
        lifecycle=STAGES[number % 3],
        tags=("emea",) if number % 4 else (),
    )


def fill(desk: Workbench, count: int) -> None:
    """Give the tenant of *desk* the first *count* customers, through the API."""
    for first in range(0, count, _BATCH):
        numbers = range(first, min(count, first + _BATCH))
        desk.send("batch_upsert", {"customers": [record(number) for number in numbers]})
        # Each batch is of an hour of its own: limits are counted by the minute.
        desk.hands.sleep(3600)

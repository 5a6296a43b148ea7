"""get_distribution: how the customers spread over the bands as of now (IQ-091)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.instants import iso
from vitals.domain.model import STATUSES
from vitals.domain.numbers import Number, published_ratio
from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Input, read


@dataclass(slots=True)
class Tally:
    """How many of each status there are, what they pay, and how often there is each score."""

    counts: Counter[str] = field(default_factory=Counter)
    revenue: dict[str, Number] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    scores: Counter[int] = field(default_factory=Counter)

    def add(self, customer: Customer, score: int | None, status: str) -> None:
        """Count one more."""
        self.counts[status] += 1
        self.revenue[status] += customer.mrr or 0
        if score is not None:
            self.scores[score] += 1

    @property
    def total(self) -> int:
        """Return the sum of the scores."""
        return sum(score * count for score, count in self.scores.items())


def get_distribution(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return how many customers each band has, their MRR, and the mean of the scores.

    One read of the roster; customers in the trash are left out.
    """
    _, warnings, _ = read(Input, given)
    found = Tally()
    for customer in context.customers.roster(context.tenant):
        if customer.deleted_at is None:
            found.add(customer, *context.published(customer))
    scored = found.scores.total()
    return {
        "action": "get_distribution",
        "data": {
            "as_of": iso(context.now),
            "customers": found.counts.total(),
            "average_score": published_ratio(found.total, scored) if scored else None,
            "bands": {
                status: {"customers": found.counts[status], "mrr": found.revenue[status]}
                for status in STATUSES
            },
        },
        "warnings": warnings,
    }

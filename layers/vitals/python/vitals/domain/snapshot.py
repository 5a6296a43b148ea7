"""A tenant's day in figures: what trends are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.numbers import Number, published_ratio

WITHOUT = ""
"""What stands for no tier, manager or tag."""


@dataclass(slots=True)
class Figures:
    """How many customers, what they pay, and the mean of their scores."""

    customers: int = 0
    mrr: Number = 0
    scored: int = 0
    total: int = 0

    def add(self, customer: Customer, score: int | None) -> None:
        """Count *customer*, which stands at *score*."""
        self.customers += 1
        self.mrr += customer.mrr or 0
        if score is not None:
            self.scored += 1
            self.total += score

    def shown(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "customers": self.customers,
            "mrr": self.mrr,
            "average_score": published_ratio(self.total, self.scored) if self.scored else None,
        }


@dataclass(slots=True)
class Snapshot:
    """The figures of everybody, and by each part of a portfolio; the order does not matter."""

    everybody: Figures = field(default_factory=Figures)
    parts: dict[str, dict[str, Figures]] = field(default_factory=dict)

    def add(self, customer: Customer, score: int | None, status: str, momentum: str) -> None:
        """Count *customer*, which stands at *score* and in the band *status*."""
        self.everybody.add(customer, score)
        for part, names in _parts(customer, status, momentum).items():
            groups = self.parts.setdefault(part, {})
            for name in names:
                groups.setdefault(name, Figures()).add(customer, score)

    def shown(self) -> dict[str, Any]:
        """Return the snapshot as JSON values; names are in their own order."""
        return {
            **self.everybody.shown(),
            **{
                part: {name: groups[name].shown() for name in sorted(groups)}
                for part, groups in sorted(self.parts.items())
            },
        }


def _parts(customer: Customer, status: str, momentum: str) -> Mapping[str, Iterable[str]]:
    return {
        "status": (status,),
        "momentum": (momentum,),
        "tier": (customer.tier or WITHOUT,),
        "lifecycle": (customer.lifecycle,),
        "manager": (customer.manager or WITHOUT,),
        "tag": customer.tags or (WITHOUT,),
    }

"""A tenant's day in figures: what trends are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.numbers import Number, published_ratio

WITHOUT = ""
"""What stands for no tier, manager or tag."""


PARTS = ("lifecycle", "manager", "momentum", "status", "tag", "tier")
"""What the figures are divided by, each by itself."""

Group = tuple[str, str, str, str, tuple[str, ...], str]
"""The names of PARTS that a customer is counted under."""


@dataclass(slots=True)
class Figures:
    """How many customers, what they pay, and the mean of their scores."""

    customers: int = 0
    mrr: Number = 0
    scored: int = 0
    total: int = 0

    def include(self, others: Figures) -> None:
        """Count those as well whom *others* count."""
        self.customers += others.customers
        self.mrr += others.mrr
        self.scored += others.scored
        self.total += others.total

    def shown(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "customers": self.customers,
            "mrr": self.mrr,
            "average_score": published_ratio(self.total, self.scored) if self.scored else None,
        }


class Snapshot:
    """The figures of everybody, and by each part of a portfolio; the order does not matter."""

    __slots__ = ("_groups",)

    def __init__(self) -> None:
        # Many customers are alike in every part: each is counted once, not in seven places.
        self._groups: dict[Group, Figures] = {}

    def add(self, customer: Customer, score: int | None, status: str, momentum: str) -> None:
        """Count *customer*, which stands at *score* and in the band *status*."""
        group = (
            customer.lifecycle,
            customer.manager or WITHOUT,
            momentum,
            status,
            customer.tags,
            customer.tier or WITHOUT,
        )
        figures = self._groups.get(group)
        if figures is None:
            figures = self._groups[group] = Figures()
        figures.customers += 1
        figures.mrr += customer.mrr or 0
        if score is not None:
            figures.scored += 1
            figures.total += score

    def shown(self) -> dict[str, Any]:
        """Return the snapshot as JSON values; names are in their own order."""
        everybody = Figures()
        parts: dict[str, dict[str, Figures]] = {}
        for group, figures in self._groups.items():
            everybody.include(figures)
            for part, own in zip(PARTS, group, strict=True):
                by_name = parts.setdefault(part, {})
                names = (own,) if isinstance(own, str) else own or (WITHOUT,)
                for name in names:
                    by_name.setdefault(name, Figures()).include(figures)
        return {
            **everybody.shown(),
            **{
                part: {name: by_name[name].shown() for name in sorted(by_name)}
                for part, by_name in parts.items()
            },
        }

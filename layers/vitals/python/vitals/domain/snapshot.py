"""A tenant's day in figures, and who stood at which score: what trends are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.model import AT_RISK_BANDS, CHURNED
from vitals.domain.numbers import Number, published_ratio

WITHOUT = ""
"""What stands for no tier, manager or tag."""

PARTS = ("lifecycle", "manager", "momentum", "status", "tag", "tier")
"""What the figures are divided by, each by itself."""
MOST_NAMES = 300
"""A part shows so many of its names, the largest: an item of the table has an end."""

Group = tuple[str, str, str, str, tuple[str, ...], str]
"""The names of PARTS that a customer is counted under."""


@dataclass(slots=True)
class Figures:
    """How many customers, what they pay, how they score, and what their signals add up to.

    *scored* of them have a score, *total* is the sum of those; *at_risk* are in the two lowest
    bands, and pay *at_risk_mrr*. *signals* are (how many have it, their sum) by name, of numbers.
    """

    customers: int = 0
    mrr: Number = 0
    arr: Number = 0
    scored: int = 0
    total: int = 0
    at_risk: int = 0
    at_risk_mrr: Number = 0
    signals: dict[str, tuple[int, Number]] = field(default_factory=dict)

    def include(self, others: Figures) -> None:
        """Count those as well whom *others* count."""
        self.customers += others.customers
        self.mrr += others.mrr
        self.arr += others.arr
        self.scored += others.scored
        self.total += others.total
        self.at_risk += others.at_risk
        self.at_risk_mrr += others.at_risk_mrr
        for name, (count, total) in others.signals.items():
            before, sum_before = self.signals.get(name, (0, 0))
            self.signals[name] = (before + count, sum_before + total)

    def count(self, customer: Customer, score: int | None, status: str) -> None:
        """Count one more."""
        mrr = customer.mrr or 0
        self.customers += 1
        self.mrr += mrr
        self.arr += customer.arr or 0
        if score is not None:
            self.scored += 1
            self.total += score
        if status in AT_RISK_BANDS:
            self.at_risk += 1
            self.at_risk_mrr += mrr
        signals = self.signals
        for name, value in customer.signals.items():
            if value.__class__ is not str:
                count, total = signals.get(name, (0, 0))
                signals[name] = (count + 1, total + value)  # type: ignore[operator] # words are left out

    @property
    def average(self) -> Number | None:
        """The mean of the scores, to four decimals."""
        return published_ratio(self.total, self.scored) if self.scored else None

    def shown(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "customers": self.customers,
            "mrr": self.mrr,
            "arr": self.arr,
            "scored": self.scored,
            "score_total": self.total,
            "average_score": self.average,
            "at_risk": self.at_risk,
            "at_risk_mrr": self.at_risk_mrr,
            "signals": {name: list(self.signals[name]) for name in sorted(self.signals)},
        }

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Figures:
        """Return the figures that were shown as *shown*."""
        return cls(
            customers=shown["customers"],
            mrr=shown["mrr"],
            arr=shown["arr"],
            scored=shown["scored"],
            total=shown["score_total"],
            at_risk=shown["at_risk"],
            at_risk_mrr=shown["at_risk_mrr"],
            signals={name: (count, total) for name, (count, total) in shown["signals"].items()},
        )


class Snapshot:
    """The figures of everybody and by each part of a portfolio; the order does not matter.

    Whoever churned is in their stage's figures alone. *scores* are everybody else's, by id.
    """

    __slots__ = ("_groups", "scores")

    def __init__(self) -> None:
        # Many customers are alike in every part: each is counted once, not in seven places.
        self._groups: dict[Group, Figures] = {}
        self.scores: dict[str, int | None] = {}

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
        figures.count(customer, score, status)
        if customer.lifecycle != CHURNED:
            self.scores[customer.id] = score

    def shown(self) -> dict[str, dict[str, Any]]:
        """Return the figures as JSON values: everybody's under "", and each part's by name."""
        everybody = Figures()
        parts: dict[str, dict[str, Figures]] = {part: {} for part in PARTS}
        for group, figures in self._groups.items():
            churned = group[0] == CHURNED
            if not churned:
                everybody.include(figures)
            for part, own in zip(PARTS, group, strict=True):
                if churned and part != "lifecycle":
                    continue
                names = (own,) if isinstance(own, str) else own or (WITHOUT,)
                for name in names:
                    parts[part].setdefault(name, Figures()).include(figures)
        return {
            "": everybody.shown(),
            **{part: _largest(by_name) for part, by_name in parts.items()},
        }


def _largest(by_name: Mapping[str, Figures]) -> dict[str, Any]:
    """Return the figures of the names with the most customers, in the names' order."""
    kept = sorted(by_name, key=lambda name: (-by_name[name].customers, name))[:MOST_NAMES]
    return {name: by_name[name].shown() for name in sorted(kept)}

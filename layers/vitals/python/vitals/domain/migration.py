"""What a change of the model would move: from which band to which, whom, and why (PLUS-05)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from heapq import nlargest
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, zone
from vitals.domain.model import STATUSES, ScoringModel
from vitals.domain.numbers import parse_number
from vitals.domain.scoring import contributions

MOST_MOVERS = 100
"""So many of those who would move are named, the farthest first."""


@dataclass(frozen=True, slots=True)
class Mover:
    """A customer that a change of the model would move."""

    customer: Customer
    before: tuple[int | None, str]
    after: tuple[int | None, str]

    @property
    def distance(self) -> tuple[bool, int, str]:
        """Return what movers are ranked by: a change of band first, then points, then the id."""
        points = abs((self.after[0] or 0) - (self.before[0] or 0))
        return self.before[1] != self.after[1], points, self.customer.id


@dataclass(slots=True)
class Migration:
    """The movements of a portfolio, gathered customer by customer as of *now*.

    *bands* counts (band before, band after); the order of customers does not matter.
    """

    now: datetime
    bands: Counter[tuple[str, str]] = field(default_factory=Counter)
    moved: int = 0
    movers: list[Mover] = field(default_factory=list)

    def add(self, customer: Customer, before: ScoringModel, after: ScoringModel) -> None:
        """Count *customer*, scored under both models."""
        old = customer.published_at(before, self.now, zone(before.time_zone))
        new = customer.published_at(after, self.now, zone(after.time_zone))
        self.bands[old[1], new[1]] += 1
        if old == new:
            return
        self.moved += 1
        self.movers.append(Mover(customer, old, new))
        if len(self.movers) >= 2 * MOST_MOVERS:
            self.movers = self.farthest()

    def farthest(self) -> list[Mover]:
        """Return those who would move farthest, in that order."""
        return nlargest(MOST_MOVERS, self.movers, key=lambda mover: mover.distance)

    def matrix(self) -> dict[str, dict[str, int]]:
        """Return how many customers would go from each band to each."""
        return {old: {new: self.bands[old, new] for new in STATUSES} for old in STATUSES}


def why(
    customer: Customer, before: ScoringModel, after: ScoringModel, now: datetime
) -> dict[str, Any]:
    """Return what each signal contributes before and after, where the two differ."""
    old, new = _parts(customer, before, now), _parts(customer, after, now)
    return {
        name: [_shown(old.get(name)), _shown(new.get(name))]
        for name in (*old, *(name for name in new if name not in old))
        if old.get(name) != new.get(name)
    }


def _parts(customer: Customer, model: ScoringModel, now: datetime) -> dict[str, Any]:
    today = local_day(now, zone(model.time_zone))
    parts = contributions(
        model,
        customer.profile(model),
        customer.taken(model, today),
        customer.computed(model, today),
    )
    return {part.signal: part.contribution for part in parts}


def _shown(contribution: Any) -> Any:
    return None if contribution is None else parse_number(Decimal(contribution))

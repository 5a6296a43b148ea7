"""What a change of the model would move: from which band to which, whom, and why (PLUS-05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from heapq import nlargest
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, zone
from vitals.domain.model import STATUSES, ScoringModel
from vitals.domain.mutation import rescored
from vitals.domain.numbers import Number
from vitals.domain.scoring import contributions

MOST_MOVERS = 50
"""So many of those who would move are named, the farthest first."""
MOST_REASONS = 8
"""So many signals are named of each, those whose part changes most first."""

Row = dict[str, Any]


def _nobody() -> dict[str, dict[str, int]]:
    return {old: dict.fromkeys(STATUSES, 0) for old in STATUSES}


@dataclass(slots=True)
class Migration:
    """The movements of a portfolio, gathered customer by customer as of *now*.

    *matrix* counts customers by the band before and after; *movers* are rows of those who move. The
    order of customers does not matter, and `result` is where a later `Migration` goes on from.
    """

    now: datetime
    matrix: dict[str, dict[str, int]] = field(default_factory=_nobody)
    moved: int = 0
    movers: list[Row] = field(default_factory=list)

    def add(self, customer: Customer, before: ScoringModel, after: ScoringModel) -> None:
        """Count *customer* as it is read now, and as a rescore under *after* would leave it."""
        old = customer.published_at(before, self.now, zone(before.time_zone))
        moving, _ = rescored(customer, customer, after, self.now, staged=True)
        new = (moving.score, moving.status)
        self.matrix[old[1]][new[1]] += 1
        if old == new:
            return
        self.moved += 1
        self.movers.append(
            {
                "id": customer.id,
                "name": customer.name,
                "score": [old[0], new[0]],
                "status": [old[1], new[1]],
                "contributions": why((customer, before), (moving, after), self.now),
            }
        )
        if len(self.movers) >= 2 * MOST_MOVERS:
            self.movers = self.farthest()

    def farthest(self) -> list[Row]:
        """Return the rows of those who would move farthest, in that order."""
        return nlargest(MOST_MOVERS, self.movers, key=distance)

    def result(self) -> dict[str, Any]:
        """Return what was gathered, as JSON values."""
        cells = [(old, new, n) for old, row in self.matrix.items() for new, n in row.items()]
        return {
            "customers": sum(n for _, _, n in cells),
            "moved": self.moved,
            "changed_band": sum(n for old, new, n in cells if old != new),
            "matrix": self.matrix,
            "movers": self.farthest(),
        }


def distance(row: Row) -> tuple[bool, int, str]:
    """Return what movers are ranked by: a change of band first, then points, then the id."""
    points = abs((row["score"][1] or 0) - (row["score"][0] or 0))
    return row["status"][0] != row["status"][1], points, row["id"]


def why(
    before: tuple[Customer, ScoringModel], after: tuple[Customer, ScoringModel], now: datetime
) -> dict[str, list[Number | None]]:
    """Return what each signal contributes before and after, where the two differ most."""
    old, new = _parts(*before, now), _parts(*after, now)
    by = {
        name: abs(Decimal(new.get(name, 0)) - Decimal(old.get(name, 0))) for name in {**old, **new}
    }
    most = nlargest(MOST_REASONS, by, key=lambda name: by[name])
    return {name: [old.get(name), new.get(name)] for name in most if by[name]}


def _parts(customer: Customer, model: ScoringModel, now: datetime) -> Mapping[str, Number]:
    today = local_day(now, zone(model.time_zone))
    profile, values = customer.profile(model), customer.taken(model, today)
    parts = contributions(model, profile, values, customer.computed(model, today))
    return {part.signal: part.contribution for part in parts}

"""A standing: one customer at one instant, with every field that a rule can ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final

from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, zone
from vitals.domain.model import ScoringModel
from vitals.domain.numbers import Number
from vitals.domain.operations import cadence_status, days_until_renewal

DROP_DAYS: Final = 7
"""A rapid drop is measured from the highest score of so many days (AMB-09)."""

_UNKNOWN: Final = object()


class Standing:
    """*customer* as it stands at *at* under *model*; a rule's facts (IQ-131).

    Everything is found when it is first asked for: rules by the dozen share one. *stored*: the
    score is the one that was last published, which is what stood until now.
    """

    __slots__ = ("_found", "_published", "at", "customer", "model", "today", "where")

    def __init__(
        self, customer: Customer, model: ScoringModel, at: datetime, *, stored: bool = False
    ) -> None:
        self.customer = customer
        self.model = model
        self.at = at
        self.where: tzinfo
        self.today: date
        self.where, self.today = _local(at, model.time_zone)
        self._found: dict[str, Any] = {}
        self._published = (customer.score, customer.status) if stored else None

    @property
    def published(self) -> tuple[int | None, str]:
        """Return the score and its band."""
        if self._published is None:
            self._published = self.customer.published_at(self.model, self.at, self.where)
        return self._published

    @property
    def contacted(self) -> date:
        """Return the day of the last contact; that of creation if there was none (IQ-100)."""
        customer = self.customer
        return customer.last_contact_on or local_day(customer.created_at, self.where)

    @property
    def quiet_days(self) -> int:
        """Return the days since the last contact."""
        return max(0, (self.today - self.contacted).days)

    @property
    def renewal_in(self) -> int | None:
        """Return the days until the renewal; None without one, or once it has passed (AMB-09)."""
        days = days_until_renewal(self.customer, self.today)
        return None if days is None or days < 0 else days

    @property
    def drop(self) -> int | None:
        """Return by how many points the score is below the highest of the last days."""
        return self.customer.drop(self.published[0], self.today, self.where, DROP_DAYS)

    @property
    def momentum(self) -> int | None:
        """Return by how many points the score moved in the model's days (IQ-094)."""
        days = self.model.momentum_days
        return self.customer.momentum(self.published[0], self.today, self.where, days)

    def value(self, field: str) -> Any:
        """Return the value of *field*; None if it has none."""
        found = self._found.get(field, _UNKNOWN)
        if found is _UNKNOWN:
            find = _FIELDS.get(field)
            found = find(self) if find else self.customer.signals.get(field)
            self._found[field] = found
        return found


@lru_cache(maxsize=64)
def _local(at: datetime, time_zone: str) -> tuple[tzinfo, date]:
    """Return the zone, and the day there: the daily pass asks for one instant again and again."""
    where = zone(time_zone)
    return where, local_day(at, where)


def _score(standing: Standing) -> int | None:
    return standing.published[0]


def _status(standing: Standing) -> str:
    return standing.published[1]


def _manager(standing: Standing) -> str | None:
    manager = standing.customer.manager
    return manager.casefold() if manager else None


def _mrr(standing: Standing) -> Number | None:
    return standing.customer.mrr


_FIELDS: Mapping[str, Callable[[Standing], Any]] = {
    "health_score": _score,
    "status": _status,
    "tier": lambda standing: standing.customer.tier,
    "lifecycle": lambda standing: standing.customer.lifecycle,
    "mrr": _mrr,
    "days_since_contact": lambda standing: standing.quiet_days,
    "momentum": lambda standing: standing.momentum,
    "cadence_status": lambda standing: cadence_status(
        standing.customer, standing.model, standing.contacted, standing.today
    ),
    "renewal_within": lambda standing: standing.renewal_in,
    "tags": lambda standing: frozenset(tag.casefold() for tag in standing.customer.tags),
    "manager": _manager,
}
"""How each field is had; every other one is a signal."""

"""Requests over storage in plain dicts, and what can happen to them on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.builders import NOW, a_context, a_tenant, an_id
from tests.fakes import FakeCustomers

from vitals.domain.access import Tenant
from vitals.domain.errors import BusyError
from vitals.storage.ports import Commit, StorageBusyError
from vitals.usecases.context import Context, Idempotency
from vitals.usecases.upsert_account import upsert_account

TRIES = 4
"""So often a request tries before its time is over."""


class EventfulCustomers(FakeCustomers):
    """Storage to which things happen, one at each commit, in the order of *events*."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Callable[[], None]] = []
        self.lost = 0
        """So many commits from now on are made, and their answers lost."""
        self.commits = 0

    def commit(self, tenant: Tenant, commit: Commit) -> None:
        self.commits += 1
        if self.events:
            self.events.pop(0)()
        super().commit(tenant, commit)
        if self.lost:
            self.lost -= 1
            raise StorageBusyError


def busy() -> None:
    """What happens when the table throttles."""
    raise StorageBusyError


@dataclass
class Desk:
    """Where requests of one tenant are made; each is a second after the one before."""

    customers: EventfulCustomers = field(default_factory=EventfulCustomers)
    now: datetime = NOW
    numbers: count[int] = field(default_factory=lambda: count(100))
    pauses: list[int] = field(default_factory=list)

    def context(self, key: str = "", fingerprint: str = "f", **changes: Any) -> Context:
        """Return a request, under an Idempotency-Key if one is given."""
        self.now += timedelta(seconds=1)
        given: dict[str, Any] = {
            "tenant": a_tenant(),
            "customers": self.customers,
            "new_id": lambda _: an_id(next(self.numbers)),
            "pause": self._pause,
            "idempotency": Idempotency(key, fingerprint) if key else None,
        }
        return replace(a_context(now=self.now), **{**given, **changes})

    def upsert(self, **data: object) -> Any:
        """Upsert a customer, to whom nothing happens on the way, and return it."""
        events, self.customers.events = self.customers.events, []
        try:
            return upsert_account(self.context(), data)["data"]
        finally:
            self.customers.events = events

    def stored(self, customer_id: str) -> Any:
        """Return the customer as it is stored."""
        return self.customers.get(a_tenant(), customer_id)

    def versions(self, customer_id: str) -> list[int]:
        """Return the versions that have a change, newest first."""
        return [each.version for each in self.customers.history(a_tenant(), customer_id)]

    def _pause(self, attempt: int) -> None:
        self.pauses.append(attempt)
        if attempt + 1 >= TRIES:
            raise BusyError("no time is left")

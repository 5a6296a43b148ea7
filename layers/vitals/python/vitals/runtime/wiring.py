"""The composition root: which storage, caches and clock serve this process."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.errors import BusyError
from vitals.domain.model import ScoringModel
from vitals.domain.model_document import model_from_document
from vitals.runtime import clock
from vitals.runtime.api_keys import digest, new_key
from vitals.runtime.authenticate import admitted, opened
from vitals.runtime.logging import reported
from vitals.runtime.settings import Settings, settings
from vitals.storage.administration import AdministrationTable
from vitals.storage.clocks import ClockTable
from vitals.storage.customers import CustomerTable
from vitals.storage.jobs import JobTable
from vitals.storage.ports import (
    Administration,
    Clocks,
    Customers,
    Jobs,
    Snapshots,
    StorageBusyError,
    Tenants,
)
from vitals.storage.snapshots import SnapshotTable
from vitals.storage.table import Table
from vitals.storage.tenants import TenantTable
from vitals.usecases.context import Context, Idempotency

if TYPE_CHECKING:
    from vitals.storage.event_ports import Events
    from vitals.storage.reaction_ports import Outbound

FRESH = 30
"""Seconds for which a key and a tenant are served from memory: a revocation is effective within."""
NOTED = timedelta(minutes=10)
"""A key's last use is noted no more often."""
KEYS = 1000
MODELS = 256
"""How many of each are kept in memory."""
PAUSE = 0.025
LONGEST_PAUSE = 1.0
MOST_TRIES = 12
MARGIN = 8.0
"""Seconds before the function's end at which no new try or record is begun.

A call that the table does not answer is given up after seven.
"""


@dataclass(slots=True)
class Wiring:
    """Storage and the short memory in front of it; one a process."""

    settings: Settings
    customers: Customers
    tenants: Tenants
    administration: Administration
    jobs: Jobs
    clocks: Clocks
    snapshots: Snapshots
    reach: Callable[[], Outbound]
    reach_events: Callable[[], Events]
    _access: dict[str, tuple[float, ApiKey, Tenant]] = field(default_factory=dict)
    _models: OrderedDict[tuple[str, int], ScoringModel] = field(default_factory=OrderedDict)

    @property
    def outbound(self) -> Outbound:
        """Return what rules, alerts and deliveries stand on."""
        return self.reach()

    def admit(self, key: str, now: datetime) -> tuple[ApiKey, Tenant]:
        """Return who *key* is and the tenant it belongs to. Raises UnauthenticatedError."""
        hashed = digest(key)
        cached = self._access.get(hashed)
        if cached is None or clock.monotonic() - cached[0] > FRESH:
            found = admitted(self.tenants.key(hashed), now)
            tenant = opened(self.tenants.tenant(found.tenant_id, consistent=True))
            self._note_use(found, hashed, now)
            cached = (clock.monotonic(), found, tenant)
            if len(self._access) >= KEYS:
                self._access.clear()
            self._access[hashed] = cached
        return admitted(cached[1], now), cached[2]

    def _note_use(self, key: ApiKey, hashed: str, now: datetime) -> None:
        """Note that *key* is in use, now and then: who asks wants to know whether, not when."""
        if key.last_used_at is None or now - key.last_used_at > NOTED:
            with suppress(StorageBusyError):
                self.administration.touch(hashed, now)

    def forget(self, tenant_id: str) -> None:
        """Drop what is remembered of a tenant: what this process changed, it must see at once."""
        for hashed, (_, _, tenant) in list(self._access.items()):
            if tenant.id == tenant_id:
                self._access.pop(hashed, None)

    def model_of(self, tenant: Tenant) -> Callable[[int], ScoringModel]:
        """Return how *tenant*'s model versions are had; they never change, so they are kept."""

        def load(version: int) -> ScoringModel:
            place = (tenant.id, version)
            model = self._models.get(place)
            if model is None:
                # Written a moment ago, it may not be everywhere yet.
                document = self.tenants.model_document(
                    tenant.id, version
                ) or self.tenants.model_document(tenant.id, version, consistent=True)
                if document is None:
                    raise LookupError(f"tenant {tenant.id} has no model version {version}")
                model = self._models[place] = model_from_document(version, document)
                while len(self._models) > MODELS:
                    self._models.popitem(last=False)
            return model

        return load

    def background(
        self, tenant_id: str, name: str, now: datetime, seconds_left: Callable[[], float]
    ) -> Context | None:
        """Return what a use-case is handed that no request asked for, but *name* of ours.

        None for a tenant that is gone, or that is being erased.
        """
        tenant = self.tenants.tenant(tenant_id, consistent=True)
        if tenant is None or tenant.deleted_at is not None:
            return None
        # It opens nothing: it names who acts.
        key = ApiKey(name, tenant_id, name, (), now, prefix="")
        return self.context(key, tenant, now, seconds_left)

    def context(
        self,
        key: ApiKey,
        tenant: Tenant,
        now: datetime,
        seconds_left: Callable[[], float],
        *,
        idempotency: Idempotency | None = None,
        source_ip: str = "",
    ) -> Context:
        """Return what a use-case is handed for one request."""

        def pause(attempt: int) -> None:
            wait = random.uniform(0, min(LONGEST_PAUSE, PAUSE * 2**attempt))  # noqa: S311 - jitter
            if attempt >= MOST_TRIES or seconds_left() - wait < MARGIN:
                raise BusyError(
                    "the customer or its partition is being written to too fast; "
                    "nothing was stored: try again",
                    extra={"retry_after": 1},
                )
            clock.sleep(wait)

        return Context(
            tenant=tenant,
            key=key,
            now=now,
            customers=self.customers,
            tenants=self.tenants,
            administration=self.administration,
            jobs=self.jobs,
            snapshots=self.snapshots,
            reach=self.reach,
            reach_events=self.reach_events,
            model_of=self.model_of(tenant),
            clock=clock.now,
            new_id=clock.new_id,
            new_key=new_key,
            pause=pause,
            sleep=clock.sleep,
            has_time=lambda: seconds_left() > MARGIN,
            report=reported,
            forget=self.forget,
            limits=self.settings.limits,
            idempotency=idempotency,
            source_ip=source_ip,
        )


@lru_cache(maxsize=1)
def wiring() -> Wiring:
    """Return the wiring of this process."""
    table = Table(settings().table_name)

    @cache
    def outbound() -> Outbound:
        from vitals.runtime import outbound as made  # noqa: PLC0415 - most requests tell nobody

        return made.outbound(table)

    @cache
    def events() -> Events:
        from vitals.storage.events import EventTable  # noqa: PLC0415 - few requests bring any

        return EventTable(table)

    return Wiring(
        settings(),
        CustomerTable(table),
        TenantTable(table),
        AdministrationTable(table),
        JobTable(table),
        ClockTable(table),
        SnapshotTable(table),
        outbound,
        events,
    )

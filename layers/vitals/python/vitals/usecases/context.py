"""What every use-case is handed: who calls, when, under which model, and what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.computed import EVENTS
from vitals.domain.customer import Customer
from vitals.domain.instants import zone
from vitals.domain.model import ScoringModel
from vitals.domain.patch import Moment
from vitals.domain.view import customer_view
from vitals.storage.ports import Administration, Customers, Jobs, Snapshots, Tenants

if TYPE_CHECKING:
    from vitals.storage.event_ports import Events
    from vitals.storage.reaction_ports import Outbound

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Idempotency:
    """An Idempotency-Key and the fingerprint of the request that bears it (AMB-40)."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request of one tenant.

    *now* is the request's time, *clock* gives that of each try of a write: a version must not
    bear an instant that readers have left behind. *source_ip* is where the request came from.
    *new_id* makes a ULID of an instant, *new_key* a secret key, live or not, and its hash. *pause*
    waits before the try after the given one, or raises BusyError when the request has no time for
    another; *sleep* waits some seconds. *has_time* tells whether there is enough for one more
    record; *report* logs what nobody foresaw. *reach* gives `outbound`, *reach_events* `events`.
    *forget* drops what this process remembers of a tenant; *limits* are those of tenants that have
    none of their own.
    """

    tenant: Tenant
    key: ApiKey
    now: datetime
    customers: Customers
    tenants: Tenants
    administration: Administration
    jobs: Jobs
    snapshots: Snapshots
    reach: Callable[[], Outbound]
    reach_events: Callable[[], Events]
    model_of: Callable[[int], ScoringModel]
    clock: Callable[[], datetime]
    new_id: Callable[[datetime], str]
    new_key: Callable[[bool], tuple[str, str]]
    pause: Callable[[int], None]
    sleep: Callable[[float], None]
    has_time: Callable[[], bool]
    report: Callable[[Exception], None]
    forget: Callable[[str], None]
    limits: Mapping[str, int]
    idempotency: Idempotency | None = None
    source_ip: str = ""
    replays: list[str] = field(default_factory=list)
    """The Idempotency-Keys of this request that were answered from a stored answer."""

    @property
    def outbound(self) -> Outbound:
        """Return what rules, alerts and deliveries stand on: made when it is first asked for."""
        return self.reach()

    @property
    def events(self) -> Events:
        """Return what product events are stored in: made when it is first asked for."""
        return self.reach_events()

    @property
    def where(self) -> tzinfo:
        """Return the tenant's time zone."""
        return zone(self.model.time_zone)

    @property
    def model(self) -> ScoringModel:
        """Return the tenant's newest model."""
        return self.model_of(self.tenant.model_version)

    def model_for(self, before: Customer | None) -> ScoringModel:
        """Return the newest model that is known: a customer can be ahead of the tenant's memory."""
        newest = self.tenant.model_version
        return self.model_of(max(newest, before.model_version) if before else newest)

    @property
    def moment(self) -> Moment:
        """Return when and by whom this request changes something."""
        # A value that a key pushes is pushed by hand, whatever the key is called.
        source = f"{EVENTS} (key)" if self.key.name == EVENTS else self.key.name
        return Moment(self.now, self.where, self.key.id, source)

    def published(self, customer: Customer) -> tuple[int | None, str]:
        """Return *customer*'s score and status as of now, under the model version stored on it."""
        model = self.model_of(customer.model_version)
        return customer.published_at(model, self.now, zone(model.time_zone))

    def view(self, customer: Customer, *, whole: bool = True) -> Answer:
        """Return *customer* as answers show it, under the model version stored on it."""
        model = self.model_of(customer.model_version)
        where = zone(model.time_zone)
        shown = customer_view(
            customer, model, self.now, where, self.tenant.portfolio_mrr, whole=whole
        )
        return shown | {"model_current": customer.model_version >= self.tenant.model_version}

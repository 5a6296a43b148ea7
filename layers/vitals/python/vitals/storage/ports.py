"""What use-cases ask of storage; the tenant comes first in every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.audit import AuditEvent, LoggedRequest
from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.job import Job

Place = tuple[str, str]
"""A place in an index: (updated_at, customer id) in the roster, (at, change id) in a feed."""


class WriteConflictError(Exception):
    """A condition failed and nothing was written; *on* names which.

    `version`: the customer is not at the version it was read at (or exists already); `name`,
    `external_id`, `email_domain`: another customer holds it; `answer`: the Idempotency-Key has
    its answer.
    """

    def __init__(self, on: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(on)))
        self.on = on


class StorageBusyError(Exception):
    """The table throttled, another transaction was in the way, or no answer came.

    Nothing was written; where no answer came, all may have been.
    """


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that an Idempotency-Key has, and the fingerprint of its request (AMB-40)."""

    key: str
    fingerprint: str
    body: Mapping[str, Any]
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """One mutation: the customer before and after, its change, and the answer it guards.

    No *change*: only the signals' arrival times moved, or the day of the latest event, under the
    same version. *head*: the customer's events are as of that version of theirs, or nothing is
    written.
    """

    before: Customer | None
    after: Customer
    change: Change | None
    answer: StoredAnswer | None = None
    head: int | None = None


class Customers(Protocol):
    """Customers, their names, and their changes."""

    def get(self, tenant: Tenant, customer_id: str) -> Customer | None:
        """Return the customer as last written, deleted or not."""

    def get_many(self, tenant: Tenant, ids: Sequence[str]) -> dict[str, Customer]:
        """Return those of *ids* that exist, by id, as last written."""

    def holder(self, tenant: Tenant, kind: str, value: str) -> str | None:
        """Return the id of the customer that holds the `name`, `external_id` or `email_domain`."""

    def holders(
        self, tenant: Tenant, wanted: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """Return the ids of the customers that hold the (kind, value) pairs."""

    def check(self, tenant: Tenant, customer: Customer) -> None:
        """Raise PayloadTooLargeError if *customer* would be too large to store."""

    def commit(self, tenant: Tenant, commit: Commit) -> None:
        """Write all of *commit* or nothing.

        Raises WriteConflictError, StorageBusyError, PayloadTooLargeError.
        """

    def purge(
        self,
        tenant: Tenant,
        customer: Customer,
        change: Change,
        answer: StoredAnswer | None = None,
    ) -> None:
        """Erase the customer and its locks, leaving a tombstone without personal data.

        *answer* is kept with it, or nothing is done. Raises WriteConflictError, StorageBusyError.
        """

    def purge_history(self, tenant: Tenant, customer_id: str) -> None:
        """Erase the customer's changes but the purge's own; may be called again."""

    def is_purged(self, tenant: Tenant, customer_id: str) -> bool:
        """Tell whether a tombstone stands where the customer was."""

    def roster(
        self,
        tenant: Tenant,
        *,
        since: datetime | None = None,
        after: Place | None = None,
        descending: bool = True,
        page: int | None = None,
    ) -> Iterator[Customer]:
        """Yield the tenant's customers by updated_at, with what the index holds of each.

        *page* is how many the caller means to take: one query reads no more than that.
        """

    def history(
        self,
        tenant: Tenant,
        customer_id: str,
        *,
        before_version: int | None = None,
        page: int | None = None,
    ) -> Iterator[Change]:
        """Yield the customer's changes, newest first."""

    def feed(
        self,
        tenant: Tenant,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Place | None = None,
        descending: bool = True,
        page: int | None = None,
    ) -> Iterator[Change]:
        """Yield the tenant's changes by instant, from *since* up to *until*, behind *after*."""

    def claim(self, tenant: Tenant, answer: StoredAnswer) -> None:
        """Store *answer* unless its key has an unexpired one."""

    def answer(self, tenant: Tenant, key: str, now: datetime) -> StoredAnswer | None:
        """Return the unexpired answer of an Idempotency-Key."""


class Tenants(Protocol):
    """Tenants, their keys, models and counters."""

    def key(self, digest: str) -> ApiKey | None:
        """Return the API key whose secret hashes to *digest*."""

    def tenant(self, tenant_id: str, *, consistent: bool = False) -> Tenant | None:
        """Return the tenant with its portfolio's MRR; *consistent*: as last written."""

    def all_tenants(
        self, *, after: Place | None = None, page: int | None = None
    ) -> Iterator[Tenant]:
        """Yield the tenants, newest first, behind the place *after*, without their MRR."""

    def model_document(
        self, tenant_id: str, version: int, *, consistent: bool = False
    ) -> Mapping[str, Any] | None:
        """Return the document of one model version; *consistent*: however young it is."""

    def models(
        self, tenant_id: str, *, before: int | None = None, page: int | None = None
    ) -> Iterator[ModelVersion]:
        """Yield the tenant's model versions, newest first, those under *before*."""

    def any_tenant(self) -> bool:
        """Tell whether a tenant exists."""

    def count(
        self, tenant_id: str, number: int, counters: Mapping[str, int], *, seconds: int = 60
    ) -> dict[str, int]:
        """Add to the counters of the window of that *number* and return what they stand at.

        Windows are so many *seconds* long, counted from the epoch.
        """

    def erase(self, tenant: Tenant, has_time: Callable[[], bool]) -> int | None:
        """Erase what is the tenant's, itself last; return how many items, None if out of time.

        May be called again. Raises StorageBusyError.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One immutable version of a tenant's model: its document, and how it came about."""

    tenant_id: str
    version: int
    document: Mapping[str, Any]
    at: datetime | None = None
    by: str | None = None
    action: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One API key before (None: it is new) and after, under the hash of its secret."""

    before: ApiKey | None
    after: ApiKey
    digest: str


@dataclass(frozen=True, slots=True)
class TenantChange:
    """One tenant's settings before (None: it is new) and after; *due* sets its clock."""

    before: Tenant | None
    after: Tenant
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tenant's rulebook, as of one version: a rule, a connection, a manager."""

    kind: str
    id: str
    version: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EntryChange:
    """One entry before (None: it is new) and after (None: it is deleted)."""

    before: Entry | None
    after: Entry | None


@dataclass(frozen=True, slots=True)
class Wake:
    """Something of a tenant's to be gone on with *at* an instant; *key* is its own."""

    tenant_id: str
    kind: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of administration: all that it changes, its audit event, and the answer it guards.

    A *job* of version 1 is new; of another, it takes the place of the version before. *wakes* are
    set in the place of those with their keys.
    """

    event: AuditEvent
    keys: Sequence[KeyChange] = ()
    tenants: Sequence[TenantChange] = ()
    models: Sequence[ModelVersion] = ()
    job: Job | None = None
    entries: Sequence[EntryChange] = ()
    wakes: Sequence[Wake] = ()
    answer: StoredAnswer | None = None


class Administration(Protocol):
    """What administrators change, each act in one transaction, and the audit of it."""

    def commit(self, tenant: Tenant, act: Act) -> None:
        """Write all of *act* or nothing.

        Raises StorageBusyError, and WriteConflictError on `version` if a key or a tenant is not as
        it was before, or a model version exists.
        """

    def is_done(self, tenant: Tenant, event: AuditEvent) -> bool:
        """Tell whether the act of *event* was committed."""

    def keys(self, tenant_id: str) -> list[KeyChange]:
        """Return every key of the tenant, oldest first, each as a change of nothing."""

    def touch(self, digest: str, at: datetime) -> None:
        """Note when the key was last used."""

    def events(
        self,
        tenant_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Place | None = None,
        page: int | None = None,
    ) -> Iterator[AuditEvent]:
        """Yield the tenant's audit events, newest first, behind the place *after*."""

    def log(self, tenant_id: str, entry: LoggedRequest) -> None:
        """Put one request into the tenant's log, where it stays for thirty days."""

    def logged(
        self,
        tenant_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Place | None = None,
        page: int | None = None,
    ) -> Iterator[LoggedRequest]:
        """Yield the tenant's requests, newest first, behind the place *after*."""


class Jobs(Protocol):
    """A tenant's jobs."""

    def get(self, tenant_id: str, job_id: str) -> Job | None:
        """Return the job as last written."""

    def all(
        self, tenant_id: str, *, after: str | None = None, page: int | None = None
    ) -> Iterator[Job]:
        """Yield the tenant's jobs, newest first, behind the id *after*."""

    def save(self, job: Job) -> Job:
        """Write *job* as the version after the one it bears, and return it.

        Raises WriteConflictError if it is not at that version any more, StorageBusyError.
        """

    def keep(
        self, tenant_id: str, job_id: str, page: str, value: Any, expires_at: datetime
    ) -> None:
        """Keep *value*, as JSON, as a *page* beside the job until then. Raises StorageBusyError."""

    def kept(self, tenant_id: str, job_id: str, page: str, now: datetime) -> Any:
        """Return what is kept as a *page* beside the job and is not over, else None."""

    def drop(self, tenant_id: str, job_id: str, pages: str) -> None:
        """Delete every page beside the job whose name begins with *pages*.

        Raises StorageBusyError.
        """


@dataclass(frozen=True, slots=True)
class Due:
    """A tenant whose clock says that its day has turned, *at* that instant or later."""

    tenant_id: str
    at: datetime


class Clocks(Protocol):
    """When the day turns for each tenant."""

    def due(self, now: datetime) -> Iterator[Due]:
        """Yield the tenants whose midnight has come, the longest due first."""

    def advance(self, due: Due, until: datetime, job: Job) -> None:
        """Start *job* and set the tenant's clock to *until*, or nothing.

        Raises WriteConflictError if the clock is not at *due* any more, StorageBusyError.
        """


class Snapshots(Protocol):
    """A tenant's days in figures, and who stood at which score."""

    def put(
        self,
        tenant_id: str,
        day: date,
        figures: Mapping[str, Mapping[str, Any]],
        scores: Mapping[str, int | None],
    ) -> None:
        """Store the *figures* of *day*, by part ("" for everybody's), and *scores* by customer id.

        They take the place of those that it had. Raises StorageBusyError.
        """

    def between(
        self, tenant_id: str, first: date, last: date, part: str = ""
    ) -> Iterator[tuple[date, Mapping[str, Any]]]:
        """Yield each day that has figures, the oldest first, with those of *part*."""

    def scores(self, tenant_id: str, day: date) -> Mapping[str, int | None] | None:
        """Return everybody's score of *day* by customer id, None if they are not known."""

    def known_day(self, tenant_id: str, day: date, since: date) -> date | None:
        """Return the latest day up to *day* whose scores are known, else the first after it.

        None earlier than *since*.
        """

"""What rules, alerts and deliveries ask of storage; the tenant comes first in every call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from vitals.domain.alert import Alert
from vitals.domain.connection import Connection, Health, Secrets
from vitals.domain.delivery import Attempt, Delivery
from vitals.domain.job import Job
from vitals.storage import keys
from vitals.storage.ports import Entry, Place, Wake

RULE, CONNECTION, MANAGER, SWITCHED, NAMED = "R", "N", "M", "S", "U"
"""Kinds of entries of a rulebook: *switched* is a built-in rule that is off, *named* holds a
connection's name, so that no two writers give it twice.
"""
REPORT_SCHEDULE, LOOK, OCCURRENCE = keys.REPORT_SCHEDULE, keys.LOOK, keys.OCCURRENCE
"""Kinds of entries beside it: when which report goes where, how reports look, and what became of a
schedule's latest occurrence, whose version is that one's own.
"""

DELIVERY, DIGEST, ESCALATION, REPORT = "delivery", "digest", "escalation", keys.REPORT
"""What is gone on with at an instant."""


class Rulebooks(Protocol):
    """Rules, connections and managers of a tenant, and how its endpoints do."""

    def entries(self, tenant_id: str) -> list[Entry]:
        """Return every entry of the tenant's rulebook, as last written."""

    def of_reports(self, tenant_id: str) -> list[Entry]:
        """Return the tenant's report schedules and the look of its reports, as last written.

        With each schedule, what became of its latest occurrence.
        """

    def note(self, tenant_id: str, occurrence: Entry) -> None:
        """Write what became of an *occurrence*, unless a later one has begun."""

    def drop(self, tenant_id: str, kind: str, entry_id: str) -> None:
        """Delete one entry, if it is there, whatever its version. Raises StorageBusyError."""

    def entry(self, tenant_id: str, kind: str, entry_id: str) -> Entry | None:
        """Return one entry as last written."""

    def health(self, tenant_id: str, connection_id: str) -> Health:
        """Return how an endpoint does."""

    def healths(self, tenant_id: str) -> dict[str, Health]:
        """Return how the tenant's endpoints do, by connection, but those that never failed."""

    def set_health(self, tenant_id: str, connection_id: str, health: Health) -> None:
        """Note how an endpoint does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What one evaluation gives: written all together or not at all, but the *summaries*' wakes.

    *lines* wait in a box, by name, for a summary, each under its alert's id and instant.
    """

    alerts: Sequence[Alert] = ()
    deliveries: Sequence[Delivery] = ()
    lines: Sequence[tuple[str, Alert]] = ()
    wakes: Sequence[Wake] = ()
    summaries: Sequence[Wake] = ()


class Alerts(Protocol):
    """A tenant's alerts."""

    def raise_all(self, tenant_id: str, raised: Raised) -> frozenset[str]:
        """Write *raised*, or nothing; return the ids of those that exist already.

        Raises StorageBusyError.
        """

    def of_customer(self, tenant_id: str, customer_id: str) -> list[Alert]:
        """Return every alert of the customer, as last written."""

    def get(self, tenant_id: str, alert_id: str) -> Alert | None:
        """Return the alert as last written."""

    def save(self, alert: Alert) -> Alert:
        """Write *alert* as the version after the one it bears, and return it.

        Raises WriteConflictError, StorageBusyError.
        """

    def feed(
        self,
        tenant_id: str,
        *,
        is_open: bool,
        after: Place | None = None,
        page: int | None = None,
    ) -> Iterator[Alert]:
        """Yield the tenant's alerts, newest first, open or over, behind the place *after*."""

    def lines(
        self, tenant_id: str, box: str, until: datetime
    ) -> Mapping[str, Mapping[str, Any] | None]:
        """Return what waits in *box* for a summary, up to *until*, by place, oldest first.

        None for what was erased with its customer.
        """

    def empty(self, tenant_id: str, box: str, places: Iterable[str]) -> None:
        """Take out of *box* what waited there at *places*."""

    def erase(self, tenant_id: str, customer_id: str) -> None:
        """Erase the customer's alerts and the deliveries that tell of it."""


class Deliveries(Protocol):
    """A tenant's deliveries, and what is due."""

    def add(self, deliveries: Sequence[Delivery], about: Iterable[str] = ()) -> None:
        """Write those of *deliveries* that are new, each with when it is due.

        *about* are customers that they name without being theirs: they are erased with each.
        """

    def get(self, tenant_id: str, delivery_id: str) -> Delivery | None:
        """Return the delivery as last written."""

    def save(self, delivery: Delivery) -> Delivery:
        """Write *delivery* as the version after the one it bears, due when it says, if pending.

        Raises WriteConflictError, StorageBusyError.
        """

    def all(
        self, tenant_id: str, *, after: Place | None = None, page: int | None = None
    ) -> Iterator[Delivery]:
        """Yield the tenant's deliveries, newest first, without payload and attempts."""


class Wakes(Protocol):
    """What is to be gone on with, by its instant, of all tenants."""

    def set(self, wake: Wake) -> None:
        """Note *wake*, in the place of one with the same key."""

    def due(self, now: datetime, kind: str = "") -> Iterator[Wake]:
        """Yield what is due, the longest due first: reports if *kind* says so, or all else."""

    def start(self, wake: Wake, until: datetime, job: Job, again: Wake, occurrence: Entry) -> None:
        """Start *job*, set *wake* to *until* and *again*, and write the *occurrence*; or nothing.

        Raises WriteConflictError if it was set anew meanwhile, StorageBusyError.
        """

    def start_again(self, wake: Wake, until: datetime, job: Job) -> None:
        """Write *job* as the version after its own, and set *wake* to *until*, or nothing.

        Raises what `start` does.
        """

    def move(self, wake: Wake, until: datetime) -> None:
        """Set *wake* to *until*. Raises what `start` does."""

    def done(self, wake: Wake) -> None:
        """Forget *wake*, unless it was set anew."""

    def forget(self, tenant_id: str, kind: str, key: str) -> None:
        """Forget what is to be gone on with under *key*, whenever it is due."""


class Vault(Protocol):
    """Where secrets are sealed with a key outside the table."""

    def seal(self, tenant_id: str, connection_id: str, secrets: Secrets) -> str:
        """Return *secrets* encrypted."""

    def open(self, tenant_id: str, connection_id: str, sealed: str) -> Secrets:
        """Return what was sealed."""


class Sender(Protocol):
    """Whatever takes deliveries to the function that makes an attempt at each."""

    def send(self, tenant_id: str, deliveries: Sequence[tuple[str, str]]) -> None:
        """Send each (delivery id, deduplication) on its way, in order."""


class ReportSender(Protocol):
    """Whatever takes report jobs to the function that does them."""

    def send(self, tenant_id: str, job_id: str, deduplication: str) -> None:
        """Send one job on its way."""


class Files(Protocol):
    """Where reports are kept for some days; the tenant begins each key."""

    def put(self, key: str, content: bytes, media_type: str, filename: str) -> None:
        """Keep *content* under *key*, to be saved as *filename*."""

    def get(self, key: str) -> bytes:
        """Return what is kept under *key*. Raises LookupError."""

    def link(self, key: str, seconds: int) -> str:
        """Return a URL under which anybody gets it for some *seconds*."""


Attempting = Callable[[Connection, Secrets, Mapping[str, Any], datetime], Attempt]
"""Makes one attempt to send a payload to a connection, and tells what came of it."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """All that is needed to tell anybody of anything."""

    rulebooks: Rulebooks
    alerts: Alerts
    deliveries: Deliveries
    wakes: Wakes
    vault: Vault
    files: Files
    sender: Sender
    reports: ReportSender
    attempt: Attempting
    check_url: Callable[[str], None]
    """Raises ValueError, worded for whoever saves it, for a URL that nothing may be sent to."""
    new_secret: Callable[[], str]
    """Makes a secret that webhooks are signed with."""
    new_token: Callable[[], str]
    """Makes what nobody guesses, in letters that stand in a URL."""
    api_url: str
    """Where the API is, for links in messages; empty where nobody knows."""
    has_sender: bool
    """Whether e-mail can be sent: somebody whom it is from is set."""

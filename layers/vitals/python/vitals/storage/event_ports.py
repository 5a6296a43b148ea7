"""What use-cases ask of the storage of product events; the tenant comes first in every call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from vitals.domain.access import Tenant
from vitals.domain.customer import Customer
from vitals.domain.product_events import Ledger, ProductEvent
from vitals.storage.ports import Commit

Position = tuple[str, str]
"""Where a chunk is in a list: (arrived at, its id)."""


@dataclass(slots=True)
class Book:
    """What is counted of one customer's events, as last written; *version* is 0 if nothing is.

    *known* are those of the marks that were asked for that are stored already.
    """

    version: int = 0
    ledgers: dict[date, Ledger] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    segments: dict[date, tuple[int, str]] = field(default_factory=dict)
    """Each day's last segment of marks: its number, and the marks themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCommit:
    """Events of one customer, all that is counted of them, and the customer if it moves.

    *id* is the commit's own, *at* when it arrived. *ledgers* are those days' that it touches, as
    they are then; *marks* those by which its events are known again, by day. The customer must be
    at the version of *before*.
    """

    id: str
    at: datetime
    expires_at: datetime
    before: Customer
    book: Book
    events: Sequence[ProductEvent]
    ledgers: Mapping[date, Ledger]
    marks: Mapping[date, Sequence[str]]
    moved: Commit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a commit's events, as lists know it: how many, of which names, from when to when.

    No *names*: too many to say. *first* and *last* are the instants between which they happened;
    *start* is the place of its first event among the commit's.
    """

    id: str
    customer_id: str
    at: datetime
    count: int
    start: int
    names: frozenset[str]
    first: datetime
    last: datetime


class Events(Protocol):
    """Product events, and what is counted of them."""

    def book(
        self, tenant: Tenant, customer_id: str, since: date, now: datetime, marks: frozenset[str]
    ) -> Book:
        """Return the customer's ledgers from *since* on, and which of *marks* are known."""

    def commit(self, tenant: Tenant, commit: EventCommit) -> None:
        """Write all of *commit* or nothing.

        Raises StorageBusyError, PayloadTooLargeError, and WriteConflictError: on `chunk` if the
        commit is stored already, on `version` if the book or the customer has moved.
        """

    def is_stored(self, tenant: Tenant, customer_id: str, commit_id: str) -> bool:
        """Tell whether a commit was stored."""

    def of_customer(
        self, tenant: Tenant, customer_id: str, now: datetime, after: str | None = None
    ) -> Iterator[tuple[Chunk, list[ProductEvent]]]:
        """Yield the customer's chunks with their events, newest first, behind the id *after*."""

    def arrivals(
        self, tenant: Tenant, now: datetime, after: Position | None = None
    ) -> Iterator[Chunk]:
        """Yield the tenant's chunks, newest first, behind the place *after*."""

    def events(self, tenant: Tenant, chunks: Sequence[Chunk]) -> dict[str, list[ProductEvent]]:
        """Return the events of *chunks* that exist, by the chunk's id."""

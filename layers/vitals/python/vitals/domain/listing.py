"""Which customers a list holds and in which order (IQ-049 to 058, AMB-58)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from vitals.domain.customer import Customer, normalised_name
from vitals.domain.health import word_of
from vitals.domain.instants import iso
from vitals.domain.numbers import Number

SORTS = ("updated_at", "name", "score", "mrr", "arr", "created_at")
TEXT_SORTS = ("updated_at", "name", "created_at")
"""The sorts whose values are text; the others' are numbers, or nothing."""

SortValue = str | int | Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A query over customers: filters are OR within, AND across; empty ones let all pass.

    Managers and tags are compared case-folded. *words* are normalised as names are; each of them
    must occur in the name or the email_domain (LU-028). Amounts are yearly revenue, both included:
    who has none passes neither. *health* is a score in words (AMB-31). *renewal_within_days*
    counts from the tenant's day.
    """

    statuses: frozenset[str] = frozenset()
    health: frozenset[str] = frozenset()
    lifecycles: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    managers: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    min_arr: Number | None = None
    max_arr: Number | None = None
    renewal_within_days: int | None = None
    updated_since: datetime | None = None
    include_deleted: bool = False
    only_deleted: bool = False
    sort: str = "updated_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A customer with its score as of the list's instant."""

    customer: Customer
    score: int | None
    status: str


def matches(row: Row, query: Listing, today: date) -> bool:
    """Tell whether *row* passes every filter of *query*, *today* being the tenant's day."""
    customer = row.customer
    return (
        (query.only_deleted or query.include_deleted or customer.deleted_at is None)
        and (not query.only_deleted or customer.deleted_at is not None)
        and (not query.statuses or row.status in query.statuses)
        and (not query.health or word_of(row.score) in query.health)
        and (not query.lifecycles or customer.lifecycle in query.lifecycles)
        and (not query.tiers or customer.tier in query.tiers)
        and (not query.managers or (customer.manager or "").casefold() in query.managers)
        and (not query.tags or not query.tags.isdisjoint(tag.casefold() for tag in customer.tags))
        and (query.updated_since is None or customer.updated_at >= query.updated_since)
        and (not query.words or _is_named(customer, query.words))
        and (query.min_arr is None or (customer.arr is not None and customer.arr >= query.min_arr))
        and (query.max_arr is None or (customer.arr is not None and customer.arr <= query.max_arr))
        and (
            query.renewal_within_days is None
            or _renews_within(customer, today, query.renewal_within_days)
        )
    )


def _is_named(customer: Customer, words: frozenset[str]) -> bool:
    name, domain = normalised_name(customer.name), customer.email_domain or ""
    return all(word in name or word in domain for word in words)


def _renews_within(customer: Customer, today: date, days: int) -> bool:
    """Tell whether the customer renews from *today* on, at most *days* from it (LU-027)."""
    day = customer.renewal_date
    return day is not None and timedelta(0) <= day - today <= timedelta(days=days)


def sort_value(row: Row, sort: str) -> SortValue:
    """Return what *row* is sorted by; None sorts last in both orders."""
    customer = row.customer
    match sort:
        case "updated_at":
            return iso(customer.updated_at)
        case "created_at":
            return iso(customer.created_at)
        case "name":
            return normalised_name(customer.name)
        case "score":
            return row.score
        case "mrr":
            return customer.mrr
        case _:
            return customer.arr


def ordered(rows: list[Row], query: Listing) -> list[Row]:
    """Return *rows* in the order of *query*; equal values go by id, in the same direction."""
    keyed = [(sort_value(row, query.sort), row) for row in rows]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: (pair[0], pair[1].customer.id), reverse=query.descending)
    unknown = [row for value, row in keyed if value is None]
    unknown.sort(key=lambda row: row.customer.id, reverse=query.descending)
    return [row for _, row in known] + unknown


def comes_after(row: Row, query: Listing, value: SortValue, customer_id: str) -> bool:
    """Tell whether *row* lies behind the place (*value*, *customer_id*) in *query*'s order."""
    own = sort_value(row, query.sort)
    if own is None or value is None:
        if (own is None) != (value is None):
            return own is None
        return _behind(row.customer.id, customer_id, query)
    if own == value:
        return _behind(row.customer.id, customer_id, query)
    # Both are of the sort's one type: a cursor of another is refused where it is read.
    return (own < value) if query.descending else (own > value)  # type: ignore[operator]


def _behind(own: str, other: str, query: Listing) -> bool:
    return own < other if query.descending else own > other

"""list_customers: customers by filter, sorted, page by page (IQ-013, IQ-049 to 058)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from types import NoneType
from typing import Annotated, Any

from vitals.domain.errors import InvalidCursorError
from vitals.domain.instants import parse_instant
from vitals.domain.listing import (
    SORTS,
    TEXT_SORTS,
    Listing,
    Row,
    SortValue,
    comes_after,
    matches,
    ordered,
    sort_value,
)
from vitals.domain.model import LIFECYCLES, TIERS
from vitals.storage.ports import Place
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Flag, Folded, Instant, Statuses, any_of, one_of, text, whole
from vitals.usecases.inputs import Input, read

MAX_LIMIT = 500
MAX_OFFSET = 100_000
LONGEST_CURSOR = 10_000
"""A place may hold a name of 200 characters, each of which Unicode may normalise to several."""


class Page(Input):
    """Where a page begins and how long it is; `shape=array` answers the bare array."""

    limit: Annotated[int, whole(1, MAX_LIMIT)] = 100
    cursor: Annotated[str, text(LONGEST_CURSOR)] | None = None
    shape: Annotated[str, one_of("object", "array")] = "object"


class ListInput(Page):
    """Filters (OR within one, AND across), order and page."""

    status: Statuses = frozenset()
    lifecycle: Annotated[frozenset[str], any_of(*LIFECYCLES)] = frozenset()
    tier: Annotated[frozenset[str], any_of(*TIERS)] = frozenset()
    manager: Folded = frozenset()
    tag: Folded = frozenset()
    updated_since: Instant | None = None
    include_deleted: Flag = False
    sort: Annotated[str, one_of(*SORTS)] = "updated_at"
    order: Annotated[str, one_of("asc", "desc")] = "desc"
    offset: Annotated[int, whole(0, MAX_OFFSET)] = 0


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a page starts: behind a value and an id, in the list as of an instant."""

    value: SortValue
    id: str
    as_of: datetime


def list_customers(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the tenant's customers, scored as of now.

    Sorted by updated_at it reads one page of the index, whatever the tenant's size; any other
    sort reads the roster. A cursor stays true beside concurrent writers: it is a place, not a
    number, and its pages are all scored as of the first one's instant.
    """
    parsed, warnings, _ = read(ListInput, given)
    query = _listing(parsed)
    query_digest = digest(*(getattr(query, field.name) for field in fields(Listing)))
    start = _start(parsed.cursor, query_digest, parsed.sort) if parsed.cursor else None
    if start is not None:
        context = replace(context, now=start.as_of)
    rows, total = _rows(context, query, start, parsed.offset + parsed.limit + 1)
    page = list(islice(rows, parsed.offset, parsed.offset + parsed.limit + 1))
    has_more = len(page) > parsed.limit
    page = page[: parsed.limit]
    next_cursor = None
    if has_more:
        last = page[-1]
        place = (sort_value(last, query.sort), last.customer.id, context.now)
        next_cursor = cursor(query_digest, place)
    return {
        "action": "list_customers",
        "data": [context.view(row.customer, whole=False) for row in page],
        "has_more": has_more,
        "next_cursor": next_cursor,
        "limit": parsed.limit,
        "offset": parsed.offset,
        **({"total": total} if total is not None else {}),
        "warnings": warnings,
        "shape": parsed.shape,
    }


def _rows(
    context: Context, query: Listing, start: _Start | None, wanted: int
) -> tuple[Iterator[Row], int | None]:
    """Return the rows behind *start* in order, and how many match in all where that is known."""
    if query.sort == "updated_at":
        place: Place | None = (str(start.value), start.id) if start else None
        return _matching(context, query, place, page=wanted), None
    rows = ordered(list(_matching(context, query, None, page=None)), query)
    if start is None:
        return iter(rows), len(rows)
    return (row for row in rows if comes_after(row, query, start.value, start.id)), len(rows)


def _matching(
    context: Context, query: Listing, after: Place | None, page: int | None
) -> Iterator[Row]:
    roster = context.customers.roster(
        context.tenant,
        since=query.updated_since,
        after=after,
        descending=query.descending,
        page=page,
    )
    for customer in roster:
        model = context.model_of(customer.model_version)
        row = Row(customer, *customer.published_at(model, context.now, context.where))
        if matches(row, query):
            yield row


def _listing(parsed: ListInput) -> Listing:
    return Listing(
        statuses=parsed.status,
        lifecycles=parsed.lifecycle,
        tiers=parsed.tier,
        managers=parsed.manager,
        tags=parsed.tag,
        updated_since=parsed.updated_since,
        include_deleted=parsed.include_deleted,
        sort=parsed.sort,
        descending=parsed.order == "desc",
    )


def _start(given: str, query_digest: str, sort: str) -> _Start:
    kinds = (str,) if sort in TEXT_SORTS else (int, Decimal, NoneType)
    value, customer_id, as_of = place_of(given, query_digest, kinds, str, str)
    try:
        return _Start(value, customer_id, parse_instant(as_of))
    except ValueError:
        raise InvalidCursorError("cursor was not issued here: start without one") from None

"""list_customers: customers by filter, sorted, page by page (IQ-013, IQ-049 to 058)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from types import NoneType
from typing import Annotated, Any

from vitals.domain.customer import normalised_name
from vitals.domain.errors import InvalidCursorError
from vitals.domain.health import WORDS
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
from vitals.usecases.fields import (
    Amount,
    Flag,
    Folded,
    Instant,
    Name,
    Statuses,
    any_of,
    one_of,
    whole,
)
from vitals.usecases.find import is_over
from vitals.usecases.inputs import read
from vitals.usecases.paging import LONGEST_ID, Page, filled

MAX_OFFSET = 100_000
LONGEST_AHEAD = 3650
"""Nobody looks for renewals further ahead than ten years."""


class ListInput(Page):
    """Filters (OR within one, AND across), order and page."""

    status: Statuses = frozenset()
    health: Annotated[frozenset[str], any_of(*WORDS)] = frozenset()
    lifecycle: Annotated[frozenset[str], any_of(*LIFECYCLES)] = frozenset()
    tier: Annotated[frozenset[str], any_of(*TIERS)] = frozenset()
    manager: Folded = frozenset()
    tag: Folded = frozenset()
    q: Name | None = None
    min_arr: Amount | None = None
    max_arr: Amount | None = None
    renewal_within_days: Annotated[int, whole(0, LONGEST_AHEAD)] | None = None
    updated_since: Instant | None = None
    include_deleted: Flag = False
    only_deleted: Flag = False
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
    # A cursor is a place already: some clients send their first offset with it again.
    offset = 0 if start else parsed.offset
    rows, total = _rows(context, query, start, offset + parsed.limit + 1)
    page = filled(
        islice(rows, offset, None),
        parsed.limit,
        lambda row: context.view(row.customer, whole=False),
    )
    next_cursor, last = None, page.last
    if last is not None:
        place = (sort_value(last, query.sort), last.customer.id, context.now)
        next_cursor = cursor(query_digest, place)
    return {
        "action": "list_customers",
        "data": page.shown,
        "has_more": last is not None,
        "next_cursor": next_cursor,
        "limit": parsed.limit,
        "offset": offset,
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
        # Where a filter passes over rows, nobody knows how many must be read.
        filtered = query != Listing(updated_since=query.updated_since, descending=query.descending)
        return _matching(context, query, place, page=None if filtered else wanted), None
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
    today = context.moment.today
    for customer in roster:
        row = Row(customer, *context.published(customer))
        if matches(row, query, today) and not is_over(context, customer):
            yield row


def _listing(parsed: ListInput) -> Listing:
    return Listing(
        statuses=parsed.status,
        health=parsed.health,
        lifecycles=parsed.lifecycle,
        tiers=parsed.tier,
        managers=parsed.manager,
        tags=parsed.tag,
        words=frozenset(normalised_name(parsed.q or "").split()),
        min_arr=parsed.min_arr,
        max_arr=parsed.max_arr,
        renewal_within_days=parsed.renewal_within_days,
        updated_since=parsed.updated_since,
        include_deleted=parsed.include_deleted,
        only_deleted=parsed.only_deleted,
        sort=parsed.sort,
        descending=parsed.order == "desc",
    )


def _start(given: str, query_digest: str, sort: str) -> _Start:
    kinds = (str,) if sort in TEXT_SORTS else (int, Decimal, NoneType)
    value, customer_id, as_of = place_of(given, query_digest, kinds, str, str)
    try:
        if sort in ("updated_at", "created_at"):
            parse_instant(value)
        if len(customer_id) > LONGEST_ID:
            raise ValueError("no id is so long")
        return _Start(value, customer_id, parse_instant(as_of))
    except ValueError:
        raise InvalidCursorError("cursor was not issued here: start without one") from None

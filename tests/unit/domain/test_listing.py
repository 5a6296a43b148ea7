"""Filters, orders and pages against the plainest way to have them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_customer
from tests.unit.strategies import amounts

from vitals.domain.listing import SORTS, Listing, Row, comes_after, matches, ordered, sort_value
from vitals.domain.model import LIFECYCLES, STATUSES, TIERS
from vitals.usecases.cursor import cursor, place_of

MANAGERS = [None, "Sarah", "SARAH", "Jörg", "JÖRG"]
TAGS = ["vip", "VIP", "beta", "Straße"]


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Draw customers among which every sort finds equals and most find nulls."""
    hours = st.integers(0, 4).map(lambda count: NOW - timedelta(hours=count))
    found = []
    for number in range(draw(st.integers(0, 12))):
        score = draw(st.none() | st.integers(48, 52))
        customer = a_customer(
            id=f"{draw(st.integers(0, 99)):02d}-{number}",
            name=draw(st.sampled_from(["Acme", "ACME 2", "beta", "Ärzte", "zoo"])),
            created_at=draw(hours),
            updated_at=draw(hours),
            mrr=draw(amounts),
            arr=draw(amounts),
            email_domain=draw(st.sampled_from([None, "acme.example", "zoo.test"])),
            renewal_date=draw(st.none() | st.integers(-2, 4).map(lambda d: TODAY + timedelta(d))),
            tier=draw(st.sampled_from([None, *TIERS])),
            lifecycle=draw(st.sampled_from(LIFECYCLES)),
            manager=draw(st.sampled_from(MANAGERS)),
            tags=tuple(draw(st.sets(st.sampled_from(TAGS)))),
            deleted_at=draw(st.none() | st.just(NOW)),
        )
        status = "unscored" if score is None else draw(st.sampled_from(STATUSES[:-1]))
        found.append(Row(customer, score, status))
    return found


def some(values: Any) -> st.SearchStrategy[frozenset[str]]:
    return st.just(frozenset()) | st.frozensets(st.sampled_from(values), max_size=2)


queries = st.builds(
    Listing,
    statuses=some(STATUSES),
    lifecycles=some(LIFECYCLES),
    tiers=some(TIERS),
    managers=some(["sarah", "jörg", "nobody"]),
    tags=some(["vip", "strasse", "none"]),
    words=some(["acm", "example", "o", "ärz", "2"]),
    min_arr=st.none() | st.integers(0, 100_000),
    max_arr=st.none() | st.integers(0, 100_000),
    renewal_within_days=st.none() | st.integers(0, 3),
    updated_since=st.none() | st.integers(0, 4).map(lambda count: NOW - timedelta(hours=count)),
    include_deleted=st.booleans(),
    sort=st.sampled_from(SORTS),
    descending=st.booleans(),
)


def passes(row: Row, query: Listing) -> bool:
    """Tell the same of *row*, filter by filter."""
    customer = row.customer
    refused = [
        customer.deleted_at is not None and not query.include_deleted,
        query.statuses and row.status not in query.statuses,
        query.lifecycles and customer.lifecycle not in query.lifecycles,
        query.tiers and customer.tier not in query.tiers,
        query.managers and (customer.manager or "").casefold() not in query.managers,
        query.tags and not any(tag.casefold() in query.tags for tag in customer.tags),
        query.updated_since is not None and customer.updated_at < query.updated_since,
        not all(
            word in customer.name.lower() or word in str(customer.email_domain).replace("None", "")
            for word in query.words
        ),
        query.min_arr is not None and (customer.arr is None or customer.arr < query.min_arr),
        query.max_arr is not None and (customer.arr is None or customer.arr > query.max_arr),
        query.renewal_within_days is not None
        and customer.renewal_date
        not in [TODAY + timedelta(each) for each in range(query.renewal_within_days + 1)],
    ]
    return not any(refused)


def plain_value(row: Row, sort: str) -> Any:
    customer = row.customer
    if sort == "name":
        return customer.name.casefold()
    return {
        "updated_at": customer.updated_at,
        "created_at": customer.created_at,
        "score": row.score,
        "mrr": customer.mrr,
        "arr": customer.arr,
    }[sort]


def in_order(found: list[Row], query: Listing) -> list[Row]:
    """Sort by inserting each row before the first that it comes before."""

    def before(one: Row, other: Row) -> bool:
        mine, theirs = plain_value(one, query.sort), plain_value(other, query.sort)
        if (mine is None) != (theirs is None):
            return theirs is None
        if mine is not None and mine != theirs:
            return bool((mine > theirs) if query.descending else (mine < theirs))
        ids = one.customer.id, other.customer.id
        return ids[0] > ids[1] if query.descending else ids[0] < ids[1]

    result: list[Row] = []
    for row in found:
        place = next((at for at, other in enumerate(result) if before(row, other)), len(result))
        result.insert(place, row)
    return result


@given(rows(), queries)
@settings(max_examples=200)
def test_filters_and_orders_agree_with_the_plain_way(found: list[Row], query: Listing) -> None:
    kept = [row for row in found if matches(row, query, TODAY)]
    assert kept == [row for row in found if passes(row, query)]
    assert ordered(kept, query) == in_order(kept, query)


@given(rows(), queries)
@settings(max_examples=100)
def test_what_has_no_value_comes_last_in_both_orders(found: list[Row], query: Listing) -> None:
    values = [sort_value(row, query.sort) for row in ordered(found, query)]
    nulls = values.count(None)
    assert values[len(values) - nulls :] == [None] * nulls


@given(rows(), queries, st.integers(1, 5))
@settings(max_examples=150)
def test_paging_visits_each_row_once_in_order(found: list[Row], query: Listing, size: int) -> None:
    whole = ordered(found, query)
    visited: list[Row] = []
    rest = whole
    while rest and len(visited) <= len(whole):
        page, last = rest[:size], rest[:size][-1]
        visited += page
        # The place travels as a cursor does.
        text = cursor("q", (sort_value(last, query.sort), last.customer.id))
        value, customer_id = place_of(text, "q", object, str)
        rest = [row for row in whole if comes_after(row, query, value, customer_id)]
    assert visited == whole


@given(rows(), queries, st.integers(0, 11), st.data())
@settings(max_examples=100)
def test_a_place_stays_true_when_its_row_is_gone(
    found: list[Row], query: Listing, at: int, data: st.DataObject
) -> None:
    whole = ordered(found, query)
    if not whole:
        return
    last = whole[at % len(whole)]
    gone = data.draw(st.sets(st.sampled_from([row.customer.id for row in whole])))
    left = [row for row in whole if row.customer.id not in gone]
    behind = [
        row
        for row in left
        if comes_after(row, query, sort_value(last, query.sort), last.customer.id)
    ]
    place = whole.index(last)
    assert behind == [row for row in whole[place + 1 :] if row.customer.id not in gone]


def test_updated_since_includes_its_instant() -> None:
    row = Row(a_customer(updated_at=NOW), 50, "watch")
    assert matches(row, Listing(updated_since=NOW), TODAY)
    assert not matches(row, Listing(updated_since=NOW + timedelta(milliseconds=1)), TODAY)


@pytest.mark.parametrize("sort", ["name", "score", "mrr"])
def test_names_are_sorted_as_they_are_looked_up(sort: str) -> None:
    older = datetime(2020, 1, 1, tzinfo=NOW.tzinfo)
    first = Row(a_customer(id="1", name="acme", created_at=older, mrr=9), 9, "critical")
    second = Row(a_customer(id="2", name="ACME B", mrr=10), 10, "critical")
    third = Row(replace(second.customer, id="3", name="Beta", mrr=100), 100, "expansion")
    assert ordered([third, first, second], Listing(sort=sort, descending=False)) == [
        first,
        second,
        third,
    ]

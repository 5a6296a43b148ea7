"""Rosters, feeds and histories: in order, from a place on, to an instant, page by page."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import islice, product

import pytest
from tests.builders import a_change, a_commit, an_id, at, customer_number, next_version
from tests.integration.storage.conftest import Store

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.instants import iso

WAYS = [(descending, page) for descending in (True, False) for page in (None, 2, 5)]
"""Newest first and oldest first; a page of all, and pages that end in the midst."""


@pytest.fixture
def portfolio(store: Store) -> list[Customer]:
    """Nine customers; some were updated in the same instant as others."""
    return [
        store.create(customer_number(number, updated_at=at(number - number % 3), mrr=number))
        for number in range(1, 10)
    ]


def ids(customers: Iterable[Customer]) -> list[str]:
    return [customer.id for customer in customers]


def in_order(customers: Iterable[Customer], *, descending: bool = True) -> list[str]:
    return ids(sorted(customers, key=lambda c: (c.updated_at, c.id), reverse=descending))


def test_a_roster_has_everybody_in_order(store: Store, portfolio: list[Customer]) -> None:
    for descending, page in WAYS:
        found = store.customers.roster(store.tenant, descending=descending, page=page)
        assert ids(found) == in_order(portfolio, descending=descending)


def test_a_roster_begins_with_the_instant_itself(store: Store, portfolio: list[Customer]) -> None:
    for since, (descending, page) in product((at(0), at(3), at(3.001), at(9), at(99)), WAYS):
        found = store.customers.roster(store.tenant, since=since, descending=descending, page=page)
        wanted = (customer for customer in portfolio if customer.updated_at >= since)
        assert ids(found) == in_order(wanted, descending=descending)


def test_a_roster_goes_on_behind_any_place(store: Store, portfolio: list[Customer]) -> None:
    by_id = {customer.id: customer for customer in portfolio}
    for descending, page in WAYS:
        wanted = in_order(portfolio, descending=descending)
        for number, last in enumerate(wanted):
            place = (iso(by_id[last].updated_at), last)
            found = store.customers.roster(
                store.tenant, after=place, descending=descending, page=page
            )
            assert ids(found) == wanted[number + 1 :]


def test_a_roster_is_walked_page_by_page(store: Store, portfolio: list[Customer]) -> None:
    for descending in (True, False):
        walked: list[Customer] = []
        while True:
            last = walked[-1] if walked else None
            place = (iso(last.updated_at), last.id) if last else None
            roster = store.customers.roster(
                store.tenant, since=at(3), after=place, descending=descending, page=2
            )
            page = list(islice(roster, 2))
            if not page:
                break
            walked += page
            assert len(walked) <= len(portfolio)
        wanted = (customer for customer in portfolio if customer.updated_at >= at(3))
        assert ids(walked) == in_order(wanted, descending=descending)


def test_a_place_of_somebody_gone_still_is_one(store: Store, portfolio: list[Customer]) -> None:
    [moved] = [customer for customer in portfolio if customer.id == an_id(7)]
    store.update(moved, updated_at=at(100))
    roster = store.customers.roster(store.tenant, after=(iso(moved.updated_at), moved.id))
    wanted = in_order(portfolio)
    assert ids(roster) == wanted[wanted.index(moved.id) + 1 :]


def test_a_place_outside_the_asked_time_widens_nothing(
    store: Store, portfolio: list[Customer]
) -> None:
    early, late = (iso(at(1)), an_id(1)), (iso(at(50)), an_id(1))
    recent = in_order(customer for customer in portfolio if customer.updated_at >= at(5))
    for place, descending, wanted in [
        (early, True, []),
        (early, False, recent[::-1]),
        (late, True, recent),
        (late, False, []),
    ]:
        roster = store.customers.roster(
            store.tenant, since=at(5), after=place, descending=descending
        )
        assert ids(roster) == wanted


def test_an_update_moves_a_customer_up(store: Store, portfolio: list[Customer]) -> None:
    store.update(portfolio[3], updated_at=at(100))
    found = ids(store.customers.roster(store.tenant))
    assert found[0] == portfolio[3].id
    assert len(found) == len(portfolio)


def test_a_roster_holds_what_lists_need_and_no_more(store: Store) -> None:
    made = store.create(
        customer_number(
            1, mrr=5, tags=("vip",), note="long", custom_fields={"a": 1}, change_id="x", cause="api"
        )
    )
    [found] = store.customers.roster(store.tenant)
    assert (found.mrr, found.tags, found.version) == (5, ("vip",), 1)
    assert (found.note, found.custom_fields, found.change_id) == (None, {}, "")
    assert store.get(made) == made


def test_a_roster_wider_than_one_answer_is_read_to_its_end(store: Store) -> None:
    """One query reads at most 1 MB: 24 rows of 50 KB are more."""
    wide = {"sentiment": "x" * 50_000}
    made = [store.create(customer_number(number, **wide)) for number in range(24)]
    assert ids(store.customers.roster(store.tenant)) == in_order(made)


@pytest.fixture
def changes(store: Store) -> list[Change]:
    """Nine changes of three customers, oldest first."""
    made = [store.create(customer_number(n, updated_at=at(n))) for n in range(1, 4)]
    for _ in range(2):
        made += [store.update(c, updated_at=c.updated_at + timedelta(10)) for c in made[-3:]]
    return sorted((a_change(customer) for customer in made), key=lambda c: (c.at, c.id))


def test_a_feed_has_every_change_in_order(store: Store, changes: list[Change]) -> None:
    for descending, page in WAYS:
        found = store.customers.feed(store.tenant, descending=descending, page=page)
        assert list(found) == (changes[::-1] if descending else changes)


def test_a_feed_is_cut_at_both_instants_inclusive(store: Store, changes: list[Change]) -> None:
    cuts = [None, at(0), changes[2].at, changes[5].at, changes[5].at + timedelta(0, 0, 1000)]
    for since, until, (descending, page) in product(cuts, cuts, WAYS):
        found = store.customers.feed(
            store.tenant, since=since, until=until, descending=descending, page=page
        )
        wanted = [
            change
            for change in changes
            if (since is None or change.at >= since) and (until is None or change.at <= until)
        ]
        assert list(found) == (wanted[::-1] if descending else wanted)


def test_a_feed_goes_on_behind_any_place(store: Store, changes: list[Change]) -> None:
    for descending, page in WAYS:
        wanted = changes[::-1] if descending else changes
        for number, last in enumerate(wanted):
            found = store.customers.feed(
                store.tenant, after=(iso(last.at), last.id), descending=descending, page=page
            )
            assert list(found) == wanted[number + 1 :]


def test_a_place_in_a_feed_and_an_instant_hold_together(
    store: Store, changes: list[Change]
) -> None:
    place = (iso(changes[4].at), changes[4].id)
    newer = store.customers.feed(store.tenant, after=place, until=changes[6].at, descending=False)
    older = store.customers.feed(store.tenant, after=place, since=changes[1].at)
    assert (list(newer), list(older)) == (changes[5:7], changes[3:0:-1])


def test_a_place_behind_the_last_instant_widens_nothing(
    store: Store, changes: list[Change]
) -> None:
    place = (iso(changes[7].at), changes[7].id)
    feed = store.customers.feed(store.tenant, until=changes[3].at, after=place)
    assert list(feed) == changes[3::-1]


def test_a_history_has_one_customers_changes_newest_first(
    store: Store, changes: list[Change]
) -> None:
    own = [change for change in changes if change.customer_id == an_id(2)]
    for page in (None, 2):
        assert list(store.customers.history(store.tenant, an_id(2), page=page)) == own[::-1]


def test_a_history_goes_on_below_a_version(store: Store, changes: list[Change]) -> None:
    assert changes
    for before, page in product((9, 3, 2, 1), (None, 1, 2)):
        found = store.customers.history(store.tenant, an_id(2), before_version=before, page=page)
        assert [change.version for change in found] == [v for v in (3, 2, 1) if v < before]


def test_a_history_is_sorted_by_number(store: Store) -> None:
    made = store.create(customer_number(1))
    for _ in range(11):
        made = store.update(made)
    found = store.customers.history(store.tenant, made.id, page=5)
    assert [change.version for change in found] == list(range(12, 0, -1))


def test_a_change_is_read_as_it_was_written(store: Store) -> None:
    made = store.create(customer_number(1))
    after = next_version(made, score=83, status="expansion")
    change = a_change(
        after,
        action="log_contact",
        cause="contact",
        changed={"mrr": (None, 5.5), "tags": (["a"], []), "custom_fields.x": ({"y": 1}, None)},
        automatic=("lifecycle",),
        score_before=76,
        status_before="healthy",
        contributions_before={"logins": "26.1905"},
        contact={"channel": "call", "note": "hi"},
    )
    store.commit(a_commit(made, after, change=change))
    assert next(store.customers.history(store.tenant, made.id)) == change
    assert next(store.customers.feed(store.tenant)) == change


def test_nothing_is_read_of_nobody(store: Store) -> None:
    assert list(store.customers.roster(store.tenant)) == []
    assert list(store.customers.feed(store.tenant)) == []
    assert list(store.customers.history(store.tenant, an_id(1))) == []

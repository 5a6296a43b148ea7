"""A commit writes the customer, its change, its locks and its answer together, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tests.builders import (
    NOW,
    a_change,
    a_commit,
    an_answer,
    an_id,
    at,
    customer_number,
    next_version,
)
from tests.integration.storage.conftest import Store

from vitals.domain.customer import Received
from vitals.storage.ports import Commit, WriteConflictError


def everything(store: Store) -> object:
    """All that the ports show of a tenant whose customers are few."""
    customers, tenant = store.customers, store.tenant
    ids = [an_id(number) for number in range(1, 9)]
    names = [("name", f"{word} {number}") for word in ("Customer", "New") for number in range(9)]
    return (
        customers.get_many(tenant, ids),
        list(customers.roster(tenant)),
        list(customers.feed(tenant)),
        [list(customers.history(tenant, each)) for each in ids],
        customers.holders(tenant, [*names, ("external_id", "x"), ("external_id", "y")]),
        [customers.answer(tenant, key, NOW) for key in ("key", "other")],
        store.tenants.tenant(tenant.id),
    )


@contextmanager
def refused(store: Store, *on: str) -> Iterator[None]:
    """Expect a conflict on just these, and that nothing at all was stored."""
    before = everything(store)
    with pytest.raises(WriteConflictError) as caught:
        yield
    assert caught.value.on == set(on)
    assert everything(store) == before


def test_a_new_customer_comes_with_its_change(store: Store) -> None:
    made = store.create(customer_number(1))
    assert list(store.customers.history(store.tenant, made.id)) == [a_change(made)]


def test_every_update_adds_its_change(store: Store) -> None:
    one = store.create(customer_number(1))
    two = store.update(one, mrr=5)
    three = store.update(two, mrr=6)
    assert store.get(one) == three
    made = [a_change(version) for version in (three, two, one)]
    assert list(store.customers.history(store.tenant, one.id)) == made


def test_an_update_of_an_old_version_is_refused(store: Store) -> None:
    old = store.create(customer_number(1, mrr=1))
    store.update(old, mrr=2)
    after = replace(next_version(old, mrr=3), version=7)
    with refused(store, "version"):
        store.commit(a_commit(old, after))


def test_an_update_of_nobody_is_refused(store: Store) -> None:
    nobody = customer_number(1)
    with refused(store, "version"):
        store.commit(a_commit(nobody, next_version(nobody)))


def test_a_creation_over_a_customer_is_refused(store: Store) -> None:
    store.create(customer_number(1, mrr=1))
    # Another name, another version: nothing but the customer's own condition is in the way.
    again = customer_number(1, mrr=2, name="New 1", version=5)
    with refused(store, "version"):
        store.commit(a_commit(None, again))


def test_a_change_is_never_written_over(store: Store) -> None:
    one = store.create(customer_number(1))
    after = next_version(one, mrr=5)
    with refused(store, "version"):
        store.commit(a_commit(one, after, change=a_change(one, cause="forged")))


def test_a_name_that_is_taken_is_refused(store: Store) -> None:
    store.create(customer_number(1, name="New 1"))
    with refused(store, "name"):
        store.commit(a_commit(None, customer_number(2, name="NEW  1")))


@pytest.mark.parametrize("kind", ["external_id", "email_domain"])
def test_what_another_holds_is_refused(store: Store, kind: str) -> None:
    store.create(customer_number(1, **{kind: "x"}))
    with refused(store, kind):
        store.commit(a_commit(None, customer_number(2, **{kind: "x"})))


def test_every_conflict_is_named(store: Store) -> None:
    old = store.create(customer_number(1, name="New 1", external_id="x"))
    store.create(customer_number(2))
    store.commit(replace(a_commit(None, customer_number(3)), answer=an_answer()))
    newer = store.update(old)
    after = next_version(newer, name="Customer 2", version=9)
    with refused(store, "version", "name", "answer"):
        store.commit(a_commit(old, after, answer=an_answer(body={})))


def test_a_rename_moves_the_lock(store: Store) -> None:
    made = store.create(customer_number(1, name="New 1"))
    store.update(made, name="New 2")
    assert store.customers.holder(store.tenant, "name", "New 1") is None
    assert store.customers.holder(store.tenant, "name", "New 2") == made.id
    store.create(customer_number(2, name="New 1"))


def test_a_rename_to_a_name_that_is_taken_is_refused(store: Store) -> None:
    made = store.create(customer_number(1))
    store.create(customer_number(2))
    with refused(store, "name"):
        store.update(made, name="CUSTOMER 2")


def test_another_spelling_of_a_name_keeps_the_lock(store: Store) -> None:
    made = store.create(customer_number(1, name="New 1"))
    again = store.update(made, name="  new   1")
    assert store.get(made) == again
    assert store.customers.holder(store.tenant, "name", "New 1") == made.id


def test_two_customers_do_not_swap_names_by_halves(store: Store) -> None:
    one, two = store.create(customer_number(1)), store.create(customer_number(2))
    with refused(store, "name"):
        store.update(one, name=two.name)
    freed = store.update(two, name="New 2")
    store.update(one, name="Customer 2")
    store.update(freed, name="Customer 1")
    names = [("name", "Customer 1"), ("name", "Customer 2")]
    found = store.customers.holders(store.tenant, names)
    assert found == {names[0]: two.id, names[1]: one.id}


@pytest.mark.parametrize(
    "moved",
    [(None, "x", "y", "x"), ("x", "y", "x", "y"), ("x", None, "x", None)],
    ids=["set", "changed", "cleared"],
)
@pytest.mark.parametrize("kind", ["external_id", "email_domain"])
def test_what_a_customer_holds_moves_its_lock(
    store: Store, kind: str, moved: tuple[str | None, str | None, str, str | None]
) -> None:
    before, after, free, held = moved
    made = store.create(customer_number(1, **{kind: before}))
    store.update(made, **{kind: after})
    assert store.customers.holder(store.tenant, kind, free) is None
    if held is not None:
        assert store.customers.holder(store.tenant, kind, held) == made.id


@pytest.mark.parametrize("kind", ["name", "external_id", "email_domain"])
def test_only_its_owner_releases_a_lock(store: Store, kind: str) -> None:
    owner = store.create(customer_number(1, name="New 1", external_id="x", email_domain="x.eu"))
    other = store.create(customer_number(2))
    # A writer that believes wrongly that the other holds what the owner does.
    belief = replace(other, **{kind: getattr(owner, kind)})
    after = next_version(belief, **{kind: "New 2"})
    with refused(store, kind):
        store.commit(a_commit(belief, after))


def test_what_arrives_unchanged_makes_no_version_and_no_change(store: Store) -> None:
    made = store.create(customer_number(1, received={"nps": Received(NOW, "one")}))
    seen = replace(made, received={"nps": Received(at(60), "two")})
    store.commit(Commit(made, seen, None))
    assert store.get(made) == seen
    assert list(store.customers.history(store.tenant, made.id)) == [a_change(made)]
    assert [each.updated_at for each in store.customers.roster(store.tenant)] == [NOW]


def test_what_arrives_behind_a_newer_version_is_refused(store: Store) -> None:
    made = store.create(customer_number(1))
    store.update(made, mrr=5)
    seen = replace(made, received={"nps": Received(at(60), "two")})
    with refused(store, "version"):
        store.commit(Commit(made, seen, None))


def test_what_arrives_unchanged_may_bring_its_answer(store: Store) -> None:
    made = store.create(customer_number(1))
    seen = replace(made, received={"nps": Received(at(60), "two")})
    store.commit(Commit(made, seen, None, an_answer()))
    assert store.get(made) == seen
    assert store.customers.answer(store.tenant, "key", NOW) is not None


def test_a_refused_arrival_leaves_no_answer(store: Store) -> None:
    made = store.create(customer_number(1))
    store.update(made, mrr=5)
    with refused(store, "version"):
        store.commit(Commit(made, made, None, an_answer()))

"""A purge leaves a tombstone that names nobody, and nothing else."""

from dataclasses import replace

import pytest
from tests.builders import a_change, a_commit, customer_number, next_version
from tests.integration.storage.conftest import Store

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.storage.ports import WriteConflictError


def the_purge_of(customer: Customer) -> Change:
    return replace(a_change(next_version(customer)), name="", cause="purge", changed={})


def purged(store: Store, customer: Customer) -> Change:
    change = the_purge_of(customer)
    store.customers.purge(store.tenant, customer, change)
    store.customers.purge_history(store.tenant, customer.id)
    return change


def test_a_purged_customer_is_found_no_more(store: Store) -> None:
    made = store.create(customer_number(1, name="Acme", external_id="x", mrr=5))
    purged(store, made)
    assert store.get(made) is None
    assert store.customers.get_many(store.tenant, [made.id]) == {}
    wanted = [("name", "Acme"), ("external_id", "x")]
    assert store.customers.holders(store.tenant, wanted) == {}
    assert list(store.customers.roster(store.tenant)) == []


def test_a_purge_leaves_its_own_record_and_no_other(store: Store) -> None:
    made = store.update(store.create(customer_number(1)), mrr=1)
    change = purged(store, made)
    assert list(store.customers.history(store.tenant, made.id)) == [change]
    assert list(store.customers.feed(store.tenant)) == [change]


def test_a_long_history_goes_whole(store: Store) -> None:
    made = store.create(customer_number(1))
    for number in range(30):
        made = store.update(made, mrr=number)
    change = purged(store, made)
    assert list(store.customers.history(store.tenant, made.id)) == [change]


def test_a_purge_spares_everybody_else(store: Store) -> None:
    gone, stays = (
        store.create(customer_number(1)),
        store.create(customer_number(2, external_id="y")),
    )
    purged(store, gone)
    assert store.get(stays) == stays
    assert store.customers.holder(store.tenant, "external_id", "y") == stays.id
    assert list(store.customers.history(store.tenant, stays.id)) == [a_change(stays)]


def test_a_tombstone_tells_that_it_is_one(store: Store) -> None:
    gone, stays = store.create(customer_number(1)), store.create(customer_number(2))
    purged(store, gone)
    known = [store.customers.is_purged(store.tenant, each.id) for each in (gone, stays)]
    assert known == [True, False]
    assert not store.customers.is_purged(store.tenant, "nobody")


def test_erasing_the_history_again_changes_nothing(store: Store) -> None:
    made = store.create(customer_number(1))
    change = purged(store, made)
    store.customers.purge_history(store.tenant, made.id)
    assert list(store.customers.history(store.tenant, made.id)) == [change]


def test_a_purged_name_is_free(store: Store) -> None:
    purged(store, store.create(customer_number(1, name="Acme", external_id="x")))
    again = store.create(customer_number(2, name="ACME", external_id="x"))
    assert store.customers.holder(store.tenant, "name", "acme") == again.id


def test_a_purged_id_is_never_used_again(store: Store) -> None:
    made = store.create(customer_number(1))
    purged(store, made)
    with pytest.raises(WriteConflictError) as caught:
        store.commit(a_commit(None, replace(made, version=9)))
    assert caught.value.on == {"version"}


def test_a_customer_that_was_written_to_meanwhile_is_not_purged(store: Store) -> None:
    old = store.create(customer_number(1))
    newer = store.update(old, mrr=5)
    change = replace(the_purge_of(old), version=9)
    with pytest.raises(WriteConflictError) as caught:
        store.customers.purge(store.tenant, old, change)
    assert caught.value.on == {"version"}
    assert store.get(old) == newer
    assert store.customers.holder(store.tenant, "name", old.name) == old.id


def test_a_purge_never_writes_over_a_change(store: Store) -> None:
    made = store.create(customer_number(1))
    with pytest.raises(WriteConflictError) as caught:
        store.customers.purge(store.tenant, made, replace(the_purge_of(made), version=1))
    assert caught.value.on == {"version"}
    assert store.get(made) == made


@pytest.mark.parametrize("kind", ["name", "external_id"])
def test_a_purge_releases_only_its_own_locks(store: Store, kind: str) -> None:
    owner = store.create(customer_number(1, name="Acme", external_id="x"))
    other = store.create(customer_number(2, external_id="y"))
    # A writer that believes wrongly that the other holds what the owner does.
    belief = replace(other, **{kind: getattr(owner, kind)})
    with pytest.raises(WriteConflictError) as caught:
        store.customers.purge(store.tenant, belief, the_purge_of(other))
    assert caught.value.on == {kind}
    assert store.get(other) == other
    assert store.customers.holder(store.tenant, kind, getattr(owner, kind)) == owner.id

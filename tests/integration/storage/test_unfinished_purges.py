"""A purge that was cut short behind its first step: its names lead whoever asks to the rest."""

import pytest
from tests.builders import customer_number
from tests.integration.storage.conftest import Store
from tests.integration.storage.test_purges import the_purge_of

from vitals.domain.customer import Customer
from vitals.storage.table import Table

pytestmark = pytest.mark.parametrize("store", ["one shard", "four shards"], indirect=True)


@pytest.fixture
def gone(store: Store) -> Customer:
    """A customer of whom a purge has left the history, and the locks that lead to it."""
    gone = store.create(customer_number(1, name="Acme", external_id="x"))
    store.customers.purge(store.tenant, gone, the_purge_of(gone))
    return gone


def versions(store: Store, customer: Customer) -> list[int]:
    return [each.version for each in store.customers.history(store.tenant, customer.id)]


@pytest.mark.parametrize(("kind", "value"), [("name", "ACME"), ("external_id", "x")])
def test_whoever_asks_for_a_name_finishes_its_purge(
    store: Store, gone: Customer, kind: str, value: str
) -> None:
    assert versions(store, gone) == [2, 1]
    assert store.customers.holder(store.tenant, kind, value) is None
    assert versions(store, gone) == [2]
    again = store.create(customer_number(2, name="Acme", external_id="x"))
    assert store.customers.holder(store.tenant, kind, value) == again.id


def test_nobody_holds_what_a_purge_has_left_behind(store: Store, gone: Customer) -> None:
    wanted = [("name", gone.name), ("external_id", "x")]
    assert store.customers.holders(store.tenant, wanted) == {}


def test_a_finished_purge_knows_no_names(store: Store, engine_table: Table, gone: Customer) -> None:
    store.customers.purge_history(store.tenant, gone.id)
    stored = {item.SK: item for item in engine_table.item.scan()}
    tombstone = stored[f"C#{gone.id}"]
    assert set(tombstone.to_simple_dict()) == {"PK", "SK", "version", "doc"}
    assert "held" not in tombstone.doc
    assert "LOCK" not in stored


def test_of_two_that_finish_a_purge_the_slower_frees_no_name_that_was_taken_since(
    store: Store, gone: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Customer] = []

    def overtaken(table: Table, keys: list[tuple[str, str]]) -> None:
        monkeypatch.undo()
        store.customers.purge_history(store.tenant, gone.id)
        made.append(store.create(customer_number(2, name="Acme", external_id="x")))
        table.delete_many(keys)

    monkeypatch.setattr(Table, "delete_many", overtaken)
    store.customers.purge_history(store.tenant, gone.id)
    for kind, value in (("name", "Acme"), ("external_id", "x")):
        assert store.customers.holder(store.tenant, kind, value) == made[0].id


def test_finishing_the_purge_of_a_customer_that_lives_does_nothing(store: Store) -> None:
    made = store.update(store.create(customer_number(1)), mrr=1)
    store.customers.purge_history(store.tenant, made.id)
    assert (store.get(made), versions(store, made)) == (made, [2, 1])

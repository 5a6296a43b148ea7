"""Customers are read as they were last written, by their id or by what they alone hold."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from tests.builders import NOW, a_tenant, an_id, at, customer_number
from tests.integration.storage.conftest import Store

from vitals.domain.customer import Customer, Override, Received

FULL: Customer = customer_number(
    1,
    external_id="crm-1",
    signals={"logins": 22, "nps": Decimal("8.5"), "growth": "mild"},
    last_contact_on=date(2026, 2, 20),
    mrr=Decimal("5000.5"),
    arr=60006,
    revenue_basis="mrr",
    tier="mid",
    lifecycle="atrisk",
    lifecycle_auto=True,
    manager="Sarah",
    tags=("vip", "Årlig"),
    renewal_date=date(2026, 9, 1),
    next_touch=date(2026, 3, 9),
    since=date(2020, 1, 1),
    sentiment="positive",
    note="Called twice.\nNo answer. \N{SLIGHTLY SMILING FACE}",
    scoring_profile="trial",
    custom_fields={"seats": 12, "plan": {"name": "pro", "trial": False, "of": [1, "two", None]}},
    override=Override(40, an_id(2), NOW, "a hunch", at(3600), sticky=True),
    model_version=3,
    score=40,
    status="at_risk",
    score_changed_at=at(-60),
    deleted_at=at(-5),
    change_id=an_id(9),
    cause="api",
    received={"logins": Received(NOW, "the key"), "days": Received(at(-9), "a sync")},
)


def test_a_customer_is_read_with_every_field_that_was_written(store: Store) -> None:
    store.create(FULL)
    assert store.get(FULL) == FULL


def test_a_customer_is_read_without_the_fields_that_it_lacks(store: Store) -> None:
    bare = store.create(customer_number(1))
    assert store.get(bare) == bare


def test_an_unknown_id_finds_nobody(store: Store) -> None:
    assert store.customers.get(store.tenant, an_id(7)) is None


def test_an_update_replaces_every_field(store: Store) -> None:
    store.create(FULL)
    bare = store.update(customer_number(1, name=FULL.name, external_id="crm-1"), lifecycle="won")
    assert store.get(FULL) == bare


def test_many_are_read_at_once_whatever_is_missing(store: Store) -> None:
    made = [store.create(customer_number(number)) for number in range(1, 9)]
    wanted = [an_id(number) for number in range(1, 300, 2)]
    found = store.customers.get_many(store.tenant, wanted)
    assert found == {customer.id: customer for customer in made if customer.id in wanted}


def test_none_are_read_at_once(store: Store) -> None:
    assert store.customers.get_many(store.tenant, []) == {}


def test_a_name_is_held_in_any_spelling(store: Store) -> None:
    made = store.create(customer_number(1, name="Straße \N{FULLWIDTH LATIN CAPITAL LETTER A}"))
    for spelling in ("Straße A", "  STRASSE   a ", "strasse\u3000A"):
        assert store.customers.holder(store.tenant, "name", spelling) == made.id
    assert store.customers.holder(store.tenant, "name", "Strasse B") is None


def test_an_external_id_is_held_as_it_is_written(store: Store) -> None:
    made = store.create(customer_number(1, external_id="Crm 1"))
    assert store.customers.holder(store.tenant, "external_id", "Crm 1") == made.id
    assert store.customers.holder(store.tenant, "external_id", "crm 1") is None


def test_a_name_is_no_external_id(store: Store) -> None:
    store.create(customer_number(1, name="acme", external_id="7"))
    assert store.customers.holder(store.tenant, "external_id", "acme") is None
    assert store.customers.holder(store.tenant, "name", "7") is None


def test_holders_are_found_together(store: Store) -> None:
    one = store.create(customer_number(1, name="Acme", external_id="x1"))
    two = store.create(customer_number(2, name="Bolt"))
    wanted = [("name", "ACME"), ("external_id", "x1"), ("name", "bolt"), ("name", "nobody")]
    assert store.customers.holders(store.tenant, wanted) == {
        ("name", "ACME"): one.id,
        ("external_id", "x1"): one.id,
        ("name", "bolt"): two.id,
    }


def test_a_tenant_sees_nothing_of_another(store: Store) -> None:
    mine = store.create(customer_number(1, external_id="x"))
    other = a_tenant(id=an_id(99), shards=store.tenant.shards)
    assert store.customers.get(other, mine.id) is None
    assert store.customers.get_many(other, [mine.id]) == {}
    assert store.customers.holder(other, "name", mine.name) is None
    assert store.customers.holders(other, [("external_id", "x")]) == {}
    assert list(store.customers.roster(other)) == []
    assert list(store.customers.feed(other)) == []
    assert list(store.customers.history(other, mine.id)) == []
    assert not store.customers.is_purged(other, mine.id)


def test_two_tenants_hold_the_same_name_and_id(store: Store) -> None:
    mine = store.create(customer_number(1, mrr=1))
    other = replace(store, tenant=a_tenant(id=an_id(99)))
    theirs = other.create(customer_number(1, tenant_id=an_id(99), mrr=2))
    assert store.get(mine) == mine
    assert other.get(theirs) == theirs

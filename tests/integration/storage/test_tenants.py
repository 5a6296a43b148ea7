"""Tenants, their keys, models and counters."""

import json

import pytest
from tests.builders import NOW, a_key, a_tenant, an_id, at, founding, giving
from tests.integration.storage.conftest import Store

from vitals.domain.model_document import DEFAULT_MODEL
from vitals.storage.ports import WriteConflictError


def test_a_tenant_is_read_as_it_was_created(store: Store) -> None:
    made = a_tenant(
        id=an_id(7),
        name="Årsta AB",
        shards=16,
        limit_reads=5,
        limit_writes=6,
        limit_records=7,
        limit_events=8,
        limit_batches=9,
        limit_imports=10,
    )
    store.act(made, founding(made))
    assert store.tenants.tenant(made.id) == made
    assert store.tenants.tenant(store.tenant.id) == store.tenant


def test_nobody_is_no_tenant(store: Store) -> None:
    assert store.tenants.tenant(an_id(7)) is None


def test_a_tenant_is_created_but_once(store: Store) -> None:
    with pytest.raises(WriteConflictError):
        store.act(store.tenant, founding(a_tenant(name="Again"), {"signals": {}}))
    assert store.tenants.tenant(store.tenant.id) == store.tenant
    assert as_json(store.tenants.model_document(store.tenant.id, 1)) == DEFAULT_MODEL


def test_a_tenant_is_created_but_once_whatever_its_model(store: Store) -> None:
    with pytest.raises(WriteConflictError):
        store.act(store.tenant, founding(a_tenant(name="Again", model_version=2)))
    assert store.tenants.tenant(store.tenant.id) == store.tenant
    assert store.tenants.model_document(store.tenant.id, 2) is None


def as_json(document: object) -> object:
    """The document as it is sent: how its fractions are held does not matter."""
    return json.loads(json.dumps(document, default=float))


def test_a_model_is_read_as_it_was_saved(store: Store) -> None:
    assert as_json(store.tenants.model_document(store.tenant.id, 1)) == DEFAULT_MODEL
    assert store.tenants.model_document(store.tenant.id, 2) is None
    assert store.tenants.model_document(an_id(7), 1) is None


def test_it_is_known_whether_any_tenant_exists(store: Store) -> None:
    assert store.tenants.any_tenant()


def test_a_key_is_found_by_the_hash_of_its_secret(store: Store) -> None:
    made = a_key(expires_at=at(60))
    store.act(store.tenant, giving(made, "the hash"))
    assert store.tenants.key("the hash") == made
    assert store.tenants.key("another hash") is None


def test_a_key_is_never_written_over(store: Store) -> None:
    store.act(store.tenant, giving(a_key(), "the hash"))
    with pytest.raises(WriteConflictError):
        store.act(store.tenant, giving(a_key(name="forged"), "the hash"))
    assert store.tenants.key("the hash") == a_key()


def test_a_minutes_counters_add_up(store: Store) -> None:
    minute = int(NOW.timestamp()) // 60
    first = store.tenants.count(store.tenant.id, minute, {"reads": 1})
    second = store.tenants.count(store.tenant.id, minute, {"writes": 1, "records": 100})
    third = store.tenants.count(store.tenant.id, minute, {"writes": 1, "records": 5})
    assert (first, second, third) == (
        {"reads": 1},
        {"writes": 1, "records": 100},
        {"writes": 2, "records": 105},
    )


def test_counters_are_of_one_minute_and_one_tenant(store: Store) -> None:
    store.tenants.count(store.tenant.id, 100, {"reads": 5})
    assert store.tenants.count(store.tenant.id, 101, {"reads": 1}) == {"reads": 1}
    assert store.tenants.count(an_id(7), 100, {"reads": 1}) == {"reads": 1}

"""What is written to as it was read: what was erased stays so, what is old can be changed."""

from dataclasses import replace

import pytest
from tests.builders import NOW, a_key, a_tenant, an_event, an_id, giving
from tests.integration.storage.conftest import Store

from vitals.domain.access import Tenant
from vitals.storage import keys
from vitals.storage.administration import AdministrationTable
from vitals.storage.ports import Act, TenantChange, WriteConflictError
from vitals.storage.table import Table
from vitals.storage.tenants import tenant_item

pytestmark = pytest.mark.parametrize("store", ["one shard"], indirect=True)


def changing(before: Tenant) -> Act:
    after = replace(before, limit_reads=5, revision=before.revision + 1)
    return Act(event=an_event("x"), tenants=[TenantChange(before, after)])


def test_settings_that_were_stored_before_they_had_numbers_can_be_changed(
    store: Store, engine_table: Table
) -> None:
    old = a_tenant(id=an_id(7))
    stored = tenant_item(engine_table.item, old)
    stored.version = None
    engine_table.put(stored)
    store.act(store.tenant, changing(old))
    assert store.tenants.tenant(old.id) == replace(old, limit_reads=5, revision=1)
    with pytest.raises(WriteConflictError):
        store.act(store.tenant, changing(old))


@pytest.mark.parametrize("revision", [0, 1])
def test_a_tenant_that_is_gone_is_not_changed(store: Store, revision: int) -> None:
    gone = a_tenant(id=an_id(7), revision=revision)
    with pytest.raises(WriteConflictError) as lost:
        store.act(store.tenant, changing(gone))
    assert lost.value.on == {"version"}
    assert store.tenants.tenant(gone.id) is None


def test_the_use_of_a_key_that_is_gone_is_not_noted(store: Store, engine_table: Table) -> None:
    administration = AdministrationTable(engine_table)
    store.act(store.tenant, giving(a_key(), "the hash"))
    engine_table.delete_many([keys.api_key("the hash")])
    administration.touch("the hash", NOW)
    assert engine_table.get(keys.api_key("the hash")) is None

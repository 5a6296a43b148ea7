"""The stores that must all keep what the ports promise: plain dicts, the embedded engine, moto."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from local import template
from moto import mock_aws
from tests.builders import a_commit, a_tenant, founding, next_version
from tests.fakes import FakeCustomers, FakeTenants
from tests.integration.tables import connected, created

from vitals.domain.access import Tenant
from vitals.domain.customer import Customer
from vitals.storage.administration import AdministrationTable
from vitals.storage.customers import CustomerTable
from vitals.storage.ports import Act, Commit, Customers, Tenants
from vitals.storage.table import Table
from vitals.storage.tenants import TenantTable


@dataclass(frozen=True)
class Store:
    """A store with one tenant in it."""

    customers: Customers
    tenants: Tenants
    tenant: Tenant
    act: Callable[[Tenant, Act], None]

    def create(self, customer: Customer) -> Customer:
        """Store a new customer and return it."""
        self.commit(a_commit(None, customer))
        return customer

    def update(self, before: Customer, **fields: object) -> Customer:
        """Store the next version of a customer, with *fields* changed, and return it."""
        after = next_version(before, **fields)
        self.commit(a_commit(before, after))
        return after

    def commit(self, commit: Commit) -> None:
        self.customers.commit(self.tenant, commit)

    def get(self, customer: Customer) -> Customer | None:
        return self.customers.get(self.tenant, customer.id)


@pytest.fixture(params=["dicts", "one shard", "four shards", "moto"])
def store(request: pytest.FixtureRequest, template_table: template.Table) -> Iterator[Store]:
    """An empty store of each kind, with one tenant."""
    if request.param == "dicts":
        customers = FakeCustomers()
        tenants = FakeTenants(customers)
        yield _with(a_tenant(), customers, tenants, tenants.commit)
        return
    moto = request.param == "moto"
    table: Table = request.getfixturevalue("moto_table" if moto else "engine_table")
    tenant = a_tenant(shards=4 if request.param == "four shards" else 1)
    with mock_aws() if moto else nullcontext(), created(table, template_table):
        commit = AdministrationTable(table).commit
        yield _with(tenant, CustomerTable(table), TenantTable(table), commit)


@pytest.fixture(scope="session")
def engine_table(aws: Mapping[str, str]) -> Table:
    """A table in the embedded engine, not yet created."""
    return connected("storage-contract", aws)


@pytest.fixture(scope="session")
def moto_table() -> Table:
    """A table in moto, not yet created."""
    with mock_aws():
        return connected("storage-contract", {"AWS_DEFAULT_REGION": "us-east-1"})


def _with(
    tenant: Tenant, customers: Customers, tenants: Tenants, act: Callable[[Tenant, Act], None]
) -> Store:
    act(tenant, founding(tenant))
    return Store(customers, tenants, tenant, act)

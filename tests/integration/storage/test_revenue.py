"""The portfolio's MRR is what its live customers pay, whatever happened to them."""

from dataclasses import replace
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_change, a_tenant, an_id, customer_number, founding, next_version
from tests.integration.storage.conftest import Store

from vitals.domain.numbers import Number
from vitals.storage.ports import Commit

TENANTS = count(1000)
VERBS = ("set", "delete", "restore", "arrive", "purge")
AMOUNTS = st.one_of(st.none(), st.integers(0, 10**9), st.decimals(0, 10**6, places=2))
STEPS = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(VERBS), AMOUNTS), max_size=12)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_the_portfolio_is_what_its_live_customers_pay(
    store: Store, steps: list[tuple[int, str, Number | None]]
) -> None:
    fresh = replace(store, tenant=a_tenant(id=an_id(next(TENANTS)), shards=store.tenant.shards))
    fresh.act(fresh.tenant, founding(fresh.tenant))
    for number, verb, amount in steps:
        take(fresh, number, verb, amount)
    roster = fresh.customers.roster(fresh.tenant)
    paid = sum((Decimal(c.mrr or 0) for c in roster if not c.deleted_at), Decimal(0))
    tenant = fresh.tenants.tenant(fresh.tenant.id)
    assert tenant is not None
    assert tenant.portfolio_mrr == paid


def take(store: Store, number: int, verb: str, amount: Number | None) -> None:
    """Do *verb* to the customer of that number; one that does not exist is created."""
    before = store.customers.get(store.tenant, an_id(number))
    gone = store.customers.is_purged(store.tenant, an_id(number))
    if before is None:
        if not gone:
            store.create(customer_number(number, mrr=amount))
    elif verb == "purge":
        store.customers.purge(store.tenant, before, a_change(next_version(before)))
    elif verb == "arrive":
        store.commit(Commit(before, replace(before, mrr=before.mrr), None))
    elif verb == "set":
        store.update(before, mrr=amount)
    else:
        store.update(before, deleted_at=NOW if verb == "delete" else None)


def test_a_tenants_revenue_is_its_own(store: Store) -> None:
    store.create(customer_number(1, mrr=Decimal("0.1")))
    store.create(customer_number(2, mrr=Decimal("0.2")))
    other = replace(store, tenant=a_tenant(id=an_id(99)))
    other.act(other.tenant, founding(other.tenant))
    other.create(customer_number(1, mrr=7))
    found = [store.tenants.tenant(each.tenant.id) for each in (store, other)]
    assert [tenant and tenant.portfolio_mrr for tenant in found] == [Decimal("0.3"), 7]

"""Any sequence of writes, right and wrong ones, ends in the table as it does in plain dicts."""

from dataclasses import replace
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_change, a_tenant, an_answer, an_id, at, customer_number
from tests.fakes import FakeCustomers
from tests.integration.storage.conftest import Store

from vitals.domain.customer import Customer, Received
from vitals.storage.ports import Commit, Customers, WriteConflictError

TENANTS = count(1000)
NAMES = ("Acme", "acme ", "Bolt", "Corp")
EXTERNAL_IDS = (None, "x", "y")
STEP = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(["create", "update", "update", "update", "arrive", "purge"]),
        "number": st.integers(1, 3),
        "name": st.sampled_from(NAMES),
        "external_id": st.sampled_from(EXTERNAL_IDS),
        "behind": st.sampled_from([0, 0, 0, 1]),
        "answer": st.sampled_from([None, None, "k", "l"]),
        "deleted_at": st.sampled_from([None, NOW]),
    }
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEP, max_size=15))
def test_the_table_keeps_what_dicts_would(store: Store, steps: list[dict[str, Any]]) -> None:
    tenant = a_tenant(id=an_id(next(TENANTS)), shards=store.tenant.shards)
    fresh, oracle = replace(store, tenant=tenant), FakeCustomers()
    versions: dict[int, list[Customer]] = {}
    for second, step in enumerate(steps):
        known = versions.setdefault(step["number"], [])
        write = drafted(known, second, tenant_id=tenant.id, **step)
        if write is None:
            continue
        outcomes = {outcome(fresh, each, *write) for each in (oracle, store.customers)}
        assert len(outcomes) == 1, step
        stored = oracle.get(tenant, an_id(step["number"]))
        if stored is not None and (not known or known[-1] != stored):
            known.append(stored)
    assert shown(fresh, store.customers) == shown(fresh, oracle)


def drafted(
    known: list[Customer], second: int, *, verb: str, number: int, behind: int, **fields: Any
) -> tuple[str, Commit] | None:
    """What a writer would do who saw the customer some versions ago, if there was one then."""
    key, named = fields.pop("answer"), {"updated_at": at(second), **fields}
    before = known[-1 - behind] if len(known) > behind else None
    if verb == "create":
        before, after = None, customer_number(number, **named)
    elif before is None:
        return None
    else:
        after = replace(before, version=before.version + 1, **named)
    change = a_change(after, id=f"{after.id}-{second:03d}")
    if verb == "arrive" and before is not None:
        after = replace(before, received={"nps": Received(at(second), "sync")})
        return verb, Commit(before, after, None, an_answer(key) if key else None)
    return verb, Commit(before, after, change, an_answer(key) if key else None)


def outcome(store: Store, customers: Customers, verb: str, commit: Commit) -> frozenset[str]:
    """On what the write failed; nothing if it did not."""
    try:
        if verb == "purge" and commit.before is not None and commit.change is not None:
            customers.purge(store.tenant, commit.before, commit.change)
            customers.purge_history(store.tenant, commit.before.id)
        else:
            customers.commit(store.tenant, commit)
    except WriteConflictError as error:
        return error.on
    return frozenset()


def shown(store: Store, customers: Customers) -> list[object]:
    tenant, ids = store.tenant, [an_id(number) for number in (1, 2, 3)]
    wanted = [("name", name) for name in NAMES]
    wanted += [("external_id", each) for each in EXTERNAL_IDS if each]
    return [
        customers.get_many(tenant, ids),
        [customers.is_purged(tenant, each) for each in ids],
        customers.holders(tenant, wanted),
        list(customers.roster(tenant)),
        list(customers.feed(tenant)),
        [list(customers.history(tenant, each)) for each in ids],
        [bool(customers.answer(tenant, key, NOW)) for key in ("k", "l")],
    ]

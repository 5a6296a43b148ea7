"""Every DynamoDB call of every read fails once: the answer is right, or says to ask again."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from tests.integration.actions.api import Api
from tests.integration.faults.kept import kept
from tests.integration.faults.wire import THROTTLED, TIMEOUT, UNAVAILABLE, Wire, call_number

READS: dict[str, tuple[str, dict[str, Any]]] = {
    "a customer by name": ("get_customer", {"name": "Acme"}),
    "a customer by external_id": ("get_customer", {"external_id": "crm-1"}),
    "a page by time": ("list_customers", {"limit": 2}),
    "a page by score": ("list_customers", {"limit": 2, "sort": "score"}),
    "changes": ("list_changes", {}),
    "a history": ("get_history", {"name": "Acme", "limit": 1}),
    "the audit": ("list_audit", {}),
    "the keys": ("list_api_keys", {}),
    "who asks": ("whoami", {}),
}


@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize(("action", "query"), READS.values(), ids=READS)
def test_a_read_of_which_a_call_fails_is_right_or_busy(
    api: Api, impatient: Wire, *, action: str, query: dict[str, Any], shards: int
) -> None:
    api = api.another_tenant(shards=shards)
    for number in range(3):
        api.upsert(f"Customer {number}", logins=number)
    api.upsert("Acme", external_id="crm-1", mrr=1)
    api.restart()
    with impatient.tapped():
        right, calls = api.get(action, **query), impatient.calls
    before = kept(api).items
    for number, fault in product(calls, (THROTTLED, TIMEOUT, UNAVAILABLE)):
        api.restart()
        with impatient.failing(call_number(number, fault)):
            reply = api.get(action, **query)
        if reply.status != 200:
            assert (reply.status, reply.code) == (503, "busy")
            assert int(reply.headers["retry-after"]) >= 1
        else:
            assert without_use(reply.body) == without_use(right.body)
        assert kept(api).items == before
        assert without_use(api.get(action, **query).body) == without_use(right.body)


def without_use(body: Any) -> Any:
    """*body* without when keys were last used, which is noted as it goes."""
    data = body["data"]
    for each in data if isinstance(data, list) else [data]:
        each.pop("last_used_at", None)
    return body

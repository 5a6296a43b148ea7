"""Every operation in the hands of another tenant, and of a key that lacks a scope (LU-016, 083)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.integration.rest.client import DOC, Reply, Rest, place

from resources.operations import OPERATIONS, Operation
from vitals.domain.access import ALL_SCOPES

MARK = "Hidden"
"""What every name and text of the first tenant's holds."""


def world(rest: Rest) -> dict[str, str]:
    """Fill a tenant with one of everything that has an id, and return the ids."""
    found = rest.created(name=f"{MARK} Corp", signals={"logins": 22}, note=f"{MARK} note")
    trashed = rest.created(name=f"{MARK} Ltd", email_domain="hidden.example")
    rest.created(name=f"{MARK} Third", owner_email="hidden@vitals.example")
    assert rest.delete(f"/v1/customers/{trashed['id']}").status == 204
    contact = rest.post(f"/v1/customers/{found['id']}/contacts", {"name": f"{MARK} Person"})
    event = {"customer_id": found["id"], "event_name": MARK, "user_email": "hidden@x.example"}
    events = rest.post("/v1/events", {"events": [event, event]})
    hook = {"url": "https://hooks.example/x", "events": ["*"], "name": f"{MARK} hook"}
    subscription = rest.post("/v1/webhooks", hook)
    key = rest.post("/v1/api-keys", {"name": f"{MARK} key", "scopes": ["customers:read"]})
    rest.patch("/v1/health/model", {"weights": {"csat": 5, "growth": 0}})
    # One more than the other tenant will have: it counts its own.
    model = rest.patch("/v1/health/model", {"weights": {"csat": 0, "growth": 5}, "note": MARK})
    rows = [{"name": f"{MARK} {number}"} for number in range(3)]
    job = rest.post("/v1/customers/bulk-import", {"customers": rows})
    rest.api.run_jobs()
    for reply in (contact, events, subscription, key, model, job):
        assert reply.status < 300, reply.body
    return {
        "customer_id": found["id"],
        "trashed_id": trashed["id"],
        "contact_id": contact.body["id"],
        "subscription_id": subscription.body["id"],
        "key_id": key.body["id"],
        "job_id": job.body["job_id"],
        "version": str(model.body["version"]),
    }


def variables(operation: Operation, ids: Mapping[str, str]) -> dict[str, str]:
    if operation.module == "trash":
        return {**ids, "customer_id": ids["trashed_id"]}
    return dict(ids)


def a_body(operation: Operation) -> Any:
    """Return the first example of a body that the document gives, None if there is none."""
    about = DOC["paths"][operation.path][operation.method.lower()]
    if "requestBody" not in about:
        return None
    [first, *_] = about["requestBody"]["content"]["application/json"]["examples"].values()
    return first["value"]


def ask(rest: Rest, operation: Operation, ids: Mapping[str, str], **query: str) -> Reply:
    path = place(operation.path, **variables(operation, ids))
    more = "&".join(f"{name}={value}" for name, value in query.items())
    return rest.send(operation.method, path, a_body(operation), query=more)


def stored(rest: Rest) -> dict[tuple[str, str], Any]:
    """Return every item of the tenant's."""
    mine = f"T#{rest.api.tenant.id}"
    return {key: item for key, item in rest.api.stored().items() if key[0].startswith(mine)}


def holds_nothing_of(reply: Reply, ids: Mapping[str, str], tenant_id: str) -> bool:
    text = json.dumps(reply.body).casefold()
    told = [each for each in (*ids.values(), tenant_id) if len(each) > 20 and each in text.upper()]
    # A 404 repeats the id that it was asked for.
    return MARK.casefold() not in text and (reply.status == 404 or not told)


@pytest.fixture
def other(rest: Rest) -> Rest:
    return Rest(rest.api.another_tenant())


def test_every_operation_is_another_tenants_404_or_empty(rest: Rest, other: Rest) -> None:
    ids = world(rest)
    before = stored(rest)
    asked = 0
    for operation in OPERATIONS.values():
        reply = ask(other, operation, ids)
        asked += 1
        if "{" in operation.path:
            assert reply.status == 404, (operation.id, reply.status, reply.body)
        assert reply.status != 403, operation.id
        assert reply.status < 500, operation.id
        if not operation.is_public:
            assert holds_nothing_of(reply, ids, rest.api.tenant.id), operation.id
    other.api.run_jobs()
    assert stored(rest) == before
    assert asked == len(OPERATIONS)


def test_a_cursor_of_another_tenants_walks_its_bearers_data_alone(rest: Rest, other: Rest) -> None:
    ids = world(rest)
    assert rest.delete(f"/v1/customers/{rest.created(name=f'{MARK} Fourth')['id']}").status == 204
    walked = set()
    for operation in OPERATIONS.values():
        about = DOC["paths"][operation.path][operation.method.lower()]
        if not any(each.get("name") == "cursor" for each in about.get("parameters", ())):
            continue
        cursor = ask(rest, operation, ids, limit="1").body["next_cursor"]
        if cursor is None:
            continue
        walked.add(operation.id)
        reply = ask(other, operation, ids, limit="1", cursor=cursor)
        assert reply.status in (200, 404), (operation.id, reply.body)
        assert holds_nothing_of(reply, ids, rest.api.tenant.id), operation.id
    assert walked >= {
        "listCustomers", "listTrash", "listChanges", "listCustomerChanges", "listModelVersions",
        "listEvents", "listJobs", "listJobResults",
    }  # fmt: skip


def test_every_operation_names_the_scope_that_is_missing(rest: Rest) -> None:
    ids = world(rest)
    before = stored(rest)
    for operation in OPERATIONS.values():
        # The job of this world is an import; tests of jobs know of other kinds.
        for scope in operation.of_imports or operation.scopes:
            lacking = rest.holding(*(each for each in ALL_SCOPES if each != scope))
            # A list has what the key may read, unless it asks for more.
            query = {"kind": "import"} if operation.id == "listJobs" else {}
            reply = ask(lacking, operation, ids, **query)
            assert (reply.status, reply.code) == (403, "forbidden"), (operation.id, reply.body)
            assert reply.body["scope"] == scope, operation.id
    assert stored(rest) == before


def test_every_operation_asks_for_a_good_key(rest: Rest) -> None:
    ids = dict.fromkeys(("customer_id", "contact_id", "key_id"), "01KJQ8ZJ9W3B0C6V4S7T2R5XYZ")
    ids |= {"job_id": "x", "subscription_id": "x", "version": "1", "trashed_id": "x"}
    for operation in OPERATIONS.values():
        path = place(operation.path, **ids)
        reply = rest.send(operation.method, path, a_body(operation), authorization="")
        if operation.is_public:
            assert reply.status == 200
        else:
            assert (reply.status, reply.code) == (401, "unauthenticated"), operation.id
            assert reply.headers["www-authenticate"].startswith("Bearer ")


def test_a_scope_lets_in_where_nothing_else_is_asked_for(rest: Rest) -> None:
    """A table of scopes that asked for too much would pass the tests above."""
    ids = world(rest)
    for operation in OPERATIONS.values():
        if operation.method != "GET" or operation.is_public:
            continue
        scopes = operation.of_imports or operation.scopes or ("health:read",)
        reply = ask(rest.holding(*scopes), operation, ids)
        assert reply.status == 200, (operation.id, reply.body)

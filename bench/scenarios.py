"""The requests whose costs are measured: every action, in the cases that cost differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ACME = {
    "name": "Acme Corp",
    "mrr": 5000,
    "logins": 22,
    "adoption": 75,
    "tickets": 1,
    "tier": "mid",
    "manager": "Sarah",
}
"""The documented example."""

SINCE = {"updated_since": "2020-01-01"}
ID = {"id": "data.id"}
Asked = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Scenario:
    """One request, described, and the requests that make the table ready for it.

    *takes* are the parameters that the answer to the last of those gives, each by its path there.
    """

    what: str
    action: str
    data: Mapping[str, Any] = field(default_factory=dict)
    before: Sequence[Asked] = ()
    key: str = ""
    takes: Mapping[str, str] = field(default_factory=dict)


def named(name: str, **fields: object) -> dict[str, Any]:
    """Return the documented example under *name*, with *fields* changed."""
    return {**ACME, "name": name, **fields}


def made(name: str, **fields: object) -> Asked:
    """Return the request that makes the documented example under *name*."""
    return "upsert_account", named(name, **fields)


def _of(what: str, action: str, name: str, /, **data: object) -> Scenario:
    """Return *action* on a new customer, by its id."""
    return Scenario(what, action, data, [made(name)], takes=ID)


def _again(what: str, action: str, name: str) -> Scenario:
    """Return *action* on a customer that an earlier scenario left, by its id."""
    found = ("get_customer", {"name": name, "include_deleted": True})
    return Scenario(what, action, {}, [found], takes=ID)


def _batch(first: int, **fields: object) -> dict[str, Any]:
    return {"customers": [named(f"Customer {n:04}", **fields) for n in range(first, first + 100)]}


LISTS = (
    Scenario("100 of 1,000 by `updated_at`", "list_customers", {"limit": 100, **SINCE}),
    Scenario("100 of 1,000 by `score`", "list_customers", {"limit": 100, "sort": "score"}),
    Scenario("the newest 100", "list_changes", {"limit": 100}),
    Scenario("of one customer", "list_changes", {"customer": "Customer 0007"}),
    Scenario("of 1,000", "get_distribution"),
)
"""What is asked of a tenant with a portfolio of 1,000."""

CUSTOMERS = (
    Scenario("", "whoami"),
    Scenario("", "list_actions"),
    _of("by id", "get_customer", "A1"),
    Scenario("by name or external_id", "get_customer", {"name": "A2"}, [made("A2")]),
    _of("one change", "get_history", "A3"),
    Scenario("creates", "upsert_account", named("B1")),
    Scenario("creates, with external_id", "upsert_account", named("B2", external_id="b2")),
    _of("a signal, by id", "upsert_account", "B3", logins=28),
    Scenario("a signal, by name", "upsert_account", {"name": "B4", "logins": 28}, [made("B4")]),
    _of("revenue, by id", "upsert_account", "B5", mrr=6000),
    _of("renames", "upsert_account", "B6", name="B6 Ltd"),
    Scenario("unchanged, by name", "upsert_account", named("B7"), [made("B7")]),
    _of("unchanged, no signal", "upsert_account", "B8", mrr=5000),
    _of("dry run", "upsert_account", "B9", mrr=1, dry_run=True),
    Scenario("under an Idempotency-Key", "upsert_account", {"logins": 1},
             [made("C1")], "c1", ID),
    Scenario("the same key again", "upsert_account", {"logins": 1},
             [("get_customer", {"name": "C1"})], "c1", ID),
    Scenario("by name", "update_health", {"name": "C2", "field": "logins", "value": 28},
             [made("C2")]),
    _of("by id", "log_contact", "C3", channel="call"),
    Scenario("override cleared, by id", "score_customer", {}, [made("C4", score=40)], takes=ID),
    _of("nothing to clear, by id", "score_customer", "C5"),
    _of("by id", "delete_customer", "C6"),
    _again("again", "delete_customer", "C6"),
    _again("by id", "restore_customer", "C6"),
    Scenario("for good, 2 versions", "delete_customer", {"hard": True},
             [made("C7"), made("C7", logins=1)], takes=ID),
    Scenario("100 new", "batch_upsert", _batch(5000)),
    Scenario("100 changed", "batch_upsert", _batch(5000, logins=1)),
    Scenario("100 unchanged", "batch_upsert", _batch(5000, logins=1)),
)  # fmt: skip
"""What needs no more than one customer."""

_RESCORE: Asked = ("rescore_all", {})
_KEY = {"name": "sync", "scopes": ["customers:read"]}
_PROFILE = {
    "name": "enterprise", "weights": {"logins": 50, "adoption": 50}, "rescore": False,
}  # fmt: skip

ADMINISTRATION = (
    Scenario("", "get_config"),
    Scenario("a model, with its job", "update_config", {"quiet_after": 10}),
    Scenario("a limit", "update_config", {"limits": {"reads": 500}}),
    Scenario("unchanged", "update_config", {"limits": {"reads": 500}}),
    Scenario("dry run, with its job", "update_config", {"quiet_after": 20, "dry_run": True}),
    Scenario("a few", "list_models"),
    Scenario("", "get_model", {"version": 1}),
    Scenario("with its job", "restore_model", {"version": 1}),
    Scenario("a few", "list_config_history"),
    Scenario("without a job", "put_profile", _PROFILE),
    Scenario("", "list_profiles"),
    Scenario("counted over 100 customers", "list_profiles", {"count": True}),
    Scenario("100 customers looked through", "delete_profile",
             {"name": "enterprise", "rescore": False}),
    Scenario("", "rescore_all"),
    Scenario("", "get_job", {}, [_RESCORE], takes={"id": "job_id"}),
    Scenario("a few", "list_jobs"),
    Scenario("", "cancel_job", {}, [_RESCORE], takes={"id": "job_id"}),
    Scenario("", "create_api_key", _KEY),
    Scenario("2 keys, no sandbox's", "list_api_keys"),
    Scenario("of 3 keys", "rotate_api_key", {}, [("create_api_key", _KEY)], takes=ID),
    Scenario("of 5 keys", "revoke_api_key", {}, [("create_api_key", _KEY)], takes=ID),
    Scenario("the newest 50, customers' changes among them", "list_audit"),
    Scenario("the newest 100", "list_requests", {"limit": 100}, [("whoami", {})] * 100),
)  # fmt: skip
"""What an administrator asks of a tenant with 100 customers: it moves the model, so it is last."""

PLATFORM = (
    Scenario("", "create_tenant", {"name": "Another"}),
    Scenario("a few", "list_tenants"),
    Scenario("its name", "update_tenant", {"name": "Renamed"},
             [("create_tenant", {"name": "Named"})], takes={"tenant_id": "data.id"}),
    Scenario("and its sandbox", "suspend_tenant", {}, [("create_tenant", {"name": "Late"})],
             takes={"tenant_id": "data.id"}),
    Scenario("and its sandbox, with their job", "delete_tenant", {"confirm": "Gone"},
             [("create_tenant", {"name": "Gone"})], takes={"tenant_id": "data.id"}),
)  # fmt: skip
"""What whoever runs the platform asks."""

ALL = (*LISTS, *CUSTOMERS, *ADMINISTRATION, *PLATFORM)

"""Every request that writes, on a tenant that is made ready for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.actions.api import Api


@dataclass(frozen=True)
class Request:
    """One request, and what makes the tenant ready for it."""

    action: str
    prepare: Callable[[Api], object]
    data: dict[str, Any]


def nobody(_: Api) -> None: ...


def acme(api: Api) -> None:
    api.upsert("Acme", external_id="crm-1", email_domain="acme.example", logins=22, mrr=100)
    api.later(minutes=5)


def overridden(api: Api) -> None:
    acme(api)
    api.upsert("Acme", score=40, override_reason="they called")


def in_the_trash(api: Api) -> None:
    acme(api)
    assert api.post("delete_customer", {"name": "Acme"}).status == 200
    api.later(days=1)


def beyond_the_trash(api: Api) -> None:
    in_the_trash(api)
    api.later(days=30)


NAMED = {"name": "Acme"}
BATCH = [
    {**NAMED, "logins": 3, "mrr": 70},
    {"name": "Bolt", "adoption": 80, "mrr": 30},
    {"name": "Corp", "external_id": "crm-3", "email_domain": "corp.example"},
]
REQUESTS = {
    "create": Request(
        "upsert_account",
        nobody,
        {**NAMED, "external_id": "x", "email_domain": "x.example", "mrr": 9, "nps": 9},
    ),
    "create only": Request("upsert_account", nobody, {**NAMED, "create_only": True}),
    "create over expired trash": Request("upsert_account", beyond_the_trash, {**NAMED, "mrr": 7}),
    "update": Request("upsert_account", overridden, {**NAMED, "logins": 5, "mrr": 50}),
    "another domain": Request(
        "upsert_account", acme, {**NAMED, "email_domain": "acme.test", "mrr": 7}
    ),
    "rename": Request("upsert_account", acme, {"external_id": "crm-1", "name": "Bolt"}),
    "unchanged": Request("upsert_account", acme, {**NAMED, "logins": 22, "mrr": 100}),
    "restoring": Request("upsert_account", in_the_trash, {**NAMED, "on_deleted": "restore"}),
    "update_health": Request("update_health", acme, {**NAMED, "field": "logins", "value": 7}),
    "delete": Request("delete_customer", acme, NAMED),
    "delete again": Request("delete_customer", in_the_trash, NAMED),
    "hard delete": Request("delete_customer", overridden, {**NAMED, "hard": True}),
    "restore": Request("restore_customer", in_the_trash, NAMED),
    "score": Request("score_customer", overridden, NAMED),
    "contact": Request("log_contact", acme, {**NAMED, "channel": "call"}),
    "batch": Request("batch_upsert", acme, {"customers": BATCH}),
}

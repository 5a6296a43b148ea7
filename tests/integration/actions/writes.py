"""Every write that the API has, on a customer that is ready for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.actions.api import Api

Data = dict[str, Any]


@dataclass(frozen=True)
class Write:
    """One write: its action, what makes the table ready, its data, and other data like it."""

    action: str
    prepare: Callable[[Api], object]
    data: Data
    other: Data
    guarded: bool = True
    """Whether `if_version` guards the whole of it; a batch has one in each record."""


def nobody(_: Api) -> None: ...


def acme(api: Api) -> None:
    api.upsert("Acme", external_id="crm-1", logins=22, mrr=100, score=40)


def acme_in_the_trash(api: Api) -> None:
    acme(api)
    api.post("delete_customer", {"name": "Acme"})


NAMED = {"name": "Acme"}
WRITES = {
    "create": Write(
        "upsert_account", nobody, {**NAMED, "logins": 5, "external_id": "x"}, {"name": "Bolt"}
    ),
    "create only": Write(
        "upsert_account", nobody, {**NAMED, "create_only": True}, {"name": "B", "create_only": True}
    ),
    "update": Write("upsert_account", acme, {**NAMED, "logins": 5}, {**NAMED, "logins": 6}),
    "update that changes nothing": Write(
        "upsert_account", acme, {**NAMED, "mrr": 100}, {**NAMED, "mrr": 101}
    ),
    "rename": Write(
        "upsert_account",
        acme,
        {"external_id": "crm-1", "name": "Bolt"},
        {"external_id": "crm-1", "name": "Corp"},
    ),
    "restore by upsert": Write(
        "upsert_account",
        acme_in_the_trash,
        {**NAMED, "on_deleted": "restore"},
        {**NAMED, "on_deleted": "restore", "logins": 1},
    ),
    "update_health": Write(
        "update_health",
        acme,
        {**NAMED, "field": "logins", "value": 7},
        {**NAMED, "field": "logins", "value": 8},
    ),
    "score_customer": Write("score_customer", acme, NAMED, {"external_id": "crm-1"}),
    "log_contact": Write("log_contact", acme, {**NAMED, "channel": "call"}, NAMED),
    "delete_customer": Write("delete_customer", acme, NAMED, {"external_id": "crm-1"}),
    "delete for good": Write(
        "delete_customer", acme, {**NAMED, "hard": True}, {"external_id": "crm-1", "hard": True}
    ),
    "restore_customer": Write(
        "restore_customer", acme_in_the_trash, NAMED, {"external_id": "crm-1"}
    ),
    "batch_upsert": Write(
        "batch_upsert",
        acme,
        {"customers": [{**NAMED, "logins": 5}, {"name": "Bolt"}, {"logins": 1}]},
        {"customers": [{**NAMED, "logins": 6}, {"name": "Bolt"}, {"logins": 1}]},
        guarded=False,
    ),
}

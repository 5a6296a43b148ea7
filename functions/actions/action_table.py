"""The actions: one table, from which they are dispatched and described (IQ-010)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vitals.usecases.api_keys import (
    CreateKeyInput,
    KeyInput,
    RotateInput,
    create_api_key,
    key_view,
    list_api_keys,
    revoke_api_key,
    rotate_api_key,
)
from vitals.usecases.batch_upsert import BatchInput, batch_upsert
from vitals.usecases.context import Answer, Context
from vitals.usecases.customer_input import CustomerInput
from vitals.usecases.delete_customer import DeleteInput, delete_customer
from vitals.usecases.get_customer import GetInput, get_customer
from vitals.usecases.inputs import Input, WriteReference
from vitals.usecases.list_audit import AuditInput, list_audit
from vitals.usecases.list_changes import ChangesInput, HistoryInput, get_history, list_changes
from vitals.usecases.list_customers import ListInput, list_customers
from vitals.usecases.log_contact import ContactInput, log_contact
from vitals.usecases.restore_customer import restore_customer
from vitals.usecases.score_customer import score_customer
from vitals.usecases.update_health import UpdateHealthInput, update_health
from vitals.usecases.upsert_account import UpsertInput, upsert_account

READ = "customers:read"
WRITE = "customers:write"
ADMIN = "admin:*"


@dataclass(frozen=True, slots=True)
class Action:
    """One action: what it does, what it takes, and who may call it.

    A *writes* action goes by POST alone (AMB-14). A *scope* of None is any good key's.
    """

    run: Callable[[Context, Mapping[str, Any]], Answer]
    purpose: str
    takes: type[Input] = Input
    scope: str | None = READ
    writes: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the methods by which the action is called."""
        return ("POST",) if self.writes else ("GET", "POST")


def whoami(context: Context, given: Mapping[str, Any]) -> Answer:  # noqa: ARG001 - takes nothing
    """Return the key that calls and the tenant that it belongs to."""
    key = context.key
    return {
        "action": "whoami",
        "data": {
            **key_view(key),
            "type": "api_key",
            "tenant_name": context.tenant.name,
            "time_zone": context.tenant.time_zone,
        },
        "warnings": [],
    }


def list_actions(context: Context, given: Mapping[str, Any]) -> Answer:  # noqa: ARG001 - as above
    """Return every action with its methods, scope and parameters, and the tenant's signals."""
    return {
        "action": "list_actions",
        "data": [
            {
                "action": name,
                "purpose": action.purpose,
                "methods": list(action.methods),
                "scope": action.scope,
                "parameters": _parameters(action, context),
            }
            for name, action in ACTIONS.items()
        ],
        "signals": [
            {
                "name": signal.name,
                "aliases": list(signal.aliases),
                "minimum": signal.minimum,
                "maximum": signal.maximum,
                "options": signal.options,
                "dimension": signal.dimension,
            }
            for signal in context.model.signals
        ],
        "warnings": [],
    }


def _parameters(action: Action, context: Context) -> dict[str, Any]:
    """Return the JSON Schema of what *action* takes, the model's signals among it."""
    schema = action.takes.model_json_schema()
    if issubclass(action.takes, CustomerInput):
        for signal in context.model.signals:
            kind = {"enum": list(signal.options)} if signal.options else {"type": "number"}
            schema["properties"][signal.name] = kind
    return schema


ACTIONS: Mapping[str, Action] = {
    "list_customers": Action(list_customers, "Customers by filter, sorted, by page", ListInput),
    "get_customer": Action(get_customer, "One customer by id, external_id or name", GetInput),
    "upsert_account": Action(
        upsert_account, "Create or update a customer; rescored", UpsertInput, WRITE, writes=True
    ),
    "update_health": Action(
        update_health, "Set one field of a customer", UpdateHealthInput, WRITE, writes=True
    ),
    "delete_customer": Action(
        delete_customer,
        "Delete a customer, recoverable for 30 days",
        DeleteInput,
        WRITE,
        writes=True,
    ),
    "restore_customer": Action(
        restore_customer, "Restore a deleted customer", WriteReference, WRITE, writes=True
    ),
    "score_customer": Action(
        score_customer,
        "Score a customer anew, override cleared",
        WriteReference,
        WRITE,
        writes=True,
    ),
    "log_contact": Action(
        log_contact, "Record a contact with a customer", ContactInput, WRITE, writes=True
    ),
    "batch_upsert": Action(
        batch_upsert, "Upsert up to 1000 customers, each by itself", BatchInput, WRITE, writes=True
    ),
    "list_changes": Action(list_changes, "The feed of changes, newest first", ChangesInput),
    "get_history": Action(get_history, "One customer's changes, explained", HistoryInput),
    "create_api_key": Action(
        create_api_key, "Create an API key; shown once", CreateKeyInput, ADMIN, writes=True
    ),
    "list_api_keys": Action(list_api_keys, "The tenant's API keys, with last use", scope=ADMIN),
    "rotate_api_key": Action(
        rotate_api_key, "Replace an API key, both good for a while", RotateInput, ADMIN, writes=True
    ),
    "revoke_api_key": Action(
        revoke_api_key, "Close an API key for good", KeyInput, ADMIN, writes=True
    ),
    "list_audit": Action(list_audit, "Who did what, when, from where", AuditInput, ADMIN),
    "list_actions": Action(list_actions, "What can be called, and how", scope=None),
    "whoami": Action(whoami, "Whose key this is and what it may do", scope=None),
}

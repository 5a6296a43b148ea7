"""The operations: one table, by which requests are routed and the OpenAPI document is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from vitals.runtime.http import Response

READ = ("customers:read",)
WRITE = ("customers:write",)
HEALTH = ("health:read",)
RESCORE = ("health:write",)
MODEL = ("health:write", "admin:*")
ADMIN = ("admin:*",)
REPORT = ("customers:read", "health:read")
EVENTS = ("events:write",)

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ID = re.compile(r"[!-~]{1,128}")
_VERSION = re.compile(r"[1-9][0-9]{0,11}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: a method at a path, who may call it, and the module that answers it.

    Its function is *called*, or else as the operation's *id* in snake case, in `resources.module`,
    which is imported when it is first called: a start pays for what it answers alone. Without
    *scopes* it is any good key's; what *is_public* takes no key. Where a job is an import,
    *of_imports* are what it takes instead: whoever may start one may follow it.
    """

    id: str
    method: str
    path: str
    module: str
    scopes: tuple[str, ...] = ()
    draws: str = ""
    is_public: bool = False
    called: str = ""
    of_imports: tuple[str, ...] = ()

    @property
    def answer(self) -> Callable[..., Response]:
        """Return what answers the operation: a `Call`, or nothing at all where it is public."""
        found: Callable[..., Response] = getattr(self._module, self.function)
        return found

    @property
    def function(self) -> str:
        """Return the name of the function that answers."""
        return self.called or _WORDS.sub("_", self.id).lower()

    @property
    def needed(self) -> tuple[str, ...]:
        """Return the scopes that it takes whatever it is about."""
        return () if self.of_imports else self.scopes

    @property
    def takes_body(self) -> bool:
        """Tell whether a body is read."""
        return self.method in ("POST", "PATCH")

    @property
    def _module(self) -> Any:
        return import_module(f"resources.{self.module}")

    def drawn(self, body: Mapping[str, Any]) -> dict[str, int]:
        """Return what a request with *body* draws from which limit (LU-071 to 074, AMB-17)."""
        if self.draws == "events":
            events = body.get("events")
            return {"events": max(1, len(events) if isinstance(events, list) else 1), "batches": 1}
        if self.draws == "imports":
            rows = body.get("customers")
            return {"imports": 1, "records": max(1, len(rows) if isinstance(rows, list) else 1)}
        return {"reads" if self.method == "GET" else "writes": 1}


_ONE = "/v1/customers/{customer_id}"
_ALL = (
    Operation("listCustomers", "GET", "/v1/customers", "customers", READ),
    Operation("createCustomer", "POST", "/v1/customers", "customers", WRITE),
    Operation("importCustomers", "POST", "/v1/customers/bulk-import", "jobs", WRITE, "imports"),
    Operation("getCustomer", "GET", _ONE, "customers", READ),
    Operation("updateCustomer", "PATCH", _ONE, "customers", WRITE),
    Operation("deleteCustomer", "DELETE", _ONE, "customers", WRITE),
    Operation("listCustomerChanges", "GET", f"{_ONE}/changes", "changes", READ),
    Operation("listTrash", "GET", "/v1/trash", "trash", READ),
    Operation("restoreCustomer", "POST", "/v1/trash/{customer_id}/restore", "trash", WRITE),
    Operation("eraseCustomer", "DELETE", "/v1/trash/{customer_id}", "trash",
              ("customers:write", "admin:*")),
    Operation("listContacts", "GET", f"{_ONE}/contacts", "contacts", READ),
    Operation("createContact", "POST", f"{_ONE}/contacts", "contacts", WRITE),
    Operation("getContact", "GET", f"{_ONE}/contacts/{{contact_id}}", "contacts", READ),
    Operation("updateContact", "PATCH", f"{_ONE}/contacts/{{contact_id}}", "contacts", WRITE),
    Operation("deleteContact", "DELETE", f"{_ONE}/contacts/{{contact_id}}", "contacts", WRITE),
    Operation("getHealth", "GET", f"{_ONE}/health", "health", HEALTH),
    Operation("getHealthHistory", "GET", f"{_ONE}/health/history", "health", HEALTH),
    Operation("explainScore", "GET", f"{_ONE}/health/explanation", "health", HEALTH),
    Operation("recalculateHealth", "POST", f"{_ONE}/health/recalculate", "health", RESCORE),
    Operation("getHealthModel", "GET", "/v1/health/model", "models", HEALTH),
    Operation("updateHealthModel", "PATCH", "/v1/health/model", "models", MODEL),
    Operation("listModelVersions", "GET", "/v1/health/model/versions", "models", HEALTH),
    Operation("getModelVersion", "GET", "/v1/health/model/versions/{version}", "models", HEALTH),
    Operation("getHealthSummary", "GET", "/v1/health/summary", "health", HEALTH),
    Operation("listAtRisk", "GET", "/v1/health/at-risk", "health", REPORT),
    Operation("ingestEvents", "POST", "/v1/events", "events", EVENTS, "events"),
    Operation("listEvents", "GET", "/v1/events", "events", READ),
    Operation("listSignals", "GET", "/v1/signals/{customer_id}", "events", HEALTH),
    Operation("listChanges", "GET", "/v1/changes", "changes", READ),
    Operation("listJobs", "GET", "/v1/jobs", "jobs", HEALTH, of_imports=READ),
    Operation("getJob", "GET", "/v1/jobs/{job_id}", "jobs", HEALTH, of_imports=READ),
    Operation("listJobResults", "GET", "/v1/jobs/{job_id}/results", "jobs", READ),
    Operation("cancelJob", "POST", "/v1/jobs/{job_id}/cancel", "jobs", RESCORE, of_imports=WRITE),
    Operation("rescoreCustomers", "POST", "/v1/jobs/rescore", "jobs", RESCORE),
    Operation("getMe", "GET", "/v1/users/me", "keys"),
    Operation("listApiKeys", "GET", "/v1/api-keys", "keys", ADMIN),
    Operation("createApiKey", "POST", "/v1/api-keys", "keys", ADMIN),
    Operation("rotateApiKey", "POST", "/v1/api-keys/{key_id}/rotate", "keys", ADMIN),
    Operation("revokeApiKey", "DELETE", "/v1/api-keys/{key_id}", "keys", ADMIN),
    Operation("getPortfolio", "GET", "/v1/analytics/portfolio", "analytics", REPORT),
    Operation("getRenewals", "GET", "/v1/analytics/renewals", "analytics", REPORT),
    Operation("getCohorts", "GET", "/v1/analytics/cohorts", "analytics", REPORT),
    Operation("getOpenapi", "GET", "/v1/openapi.json", "reference", is_public=True),
    Operation("getDocs", "GET", "/v1/docs", "reference", is_public=True),
)  # fmt: skip


def _webhooks(path: str, noun: str) -> tuple[Operation, ...]:
    """Return the operations on webhooks: two names, one thing (LU-069, PE-022 to 025)."""
    one = f"{path}/{{subscription_id}}"
    rows = (
        (f"list{noun}s", "GET", path, "list_webhooks"),
        (f"create{noun}", "POST", path, "create_webhook"),
        (f"get{noun}", "GET", one, "get_webhook"),
        (f"update{noun}", "PATCH", one, "update_webhook"),
        (f"delete{noun}", "DELETE", one, "delete_webhook"),
        (f"test{noun}", "POST", f"{one}/test", "test_webhook"),
        (f"rotate{noun}Secret", "POST", f"{one}/rotate-secret", "rotate_secret"),
    )
    return tuple(
        Operation(name, method, where, "webhooks", ADMIN, called=function)
        for name, method, where, function in rows
    )


OPERATIONS: Mapping[str, Operation] = {
    operation.id: operation
    for operation in (
        *_ALL,
        *_webhooks("/v1/webhook-subscriptions", "WebhookSubscription"),
        *_webhooks("/v1/webhooks", "Webhook"),
    )
}

_Node = dict[str, Any]
_LEAF = ""
"""What holds the operations of a path that ends here; no segment is empty."""


@cache
def _tree() -> _Node:
    root: _Node = {}
    for operation in OPERATIONS.values():
        node = root
        for segment in operation.path.split("/")[1:]:
            node = node.setdefault("{}" if segment[0] == "{" else segment, {})
        node.setdefault(_LEAF, {})[operation.method] = operation
    return root


def _found(path: str) -> tuple[Mapping[str, Operation], list[str]]:
    """Return the operations at *path* by method, and the values of its variables."""
    node: _Node | None = _tree()
    values = []
    for segment in path.rstrip("/").split("/")[1:]:
        if node is None:
            break
        below = node.get(segment) if segment not in (_LEAF, "{}") else None
        if below is None:
            values.append(unquote(segment))
            below = node.get("{}")
        node = below
    return (node or {}).get(_LEAF, {}), values


def operation_of(method: str, path: str) -> tuple[Operation | None, Mapping[str, str]]:
    """Return the operation that *method* calls at *path*, None if none, and the path's variables.

    A literal segment goes before a variable; a slash at the end is as good as none.
    """
    found, values = _found(path)
    operation = found.get(method)
    if operation is None:
        return None, {}
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return operation, dict(zip(names, values, strict=True))


def can_be(variables: Mapping[str, str]) -> bool:
    """Tell whether *variables* of a path are such as anything could have."""
    return all(
        (_VERSION if name == "version" else _ID).fullmatch(value)
        for name, value in variables.items()
    )


def allowed(path: str) -> tuple[list[str], bool]:
    """Return the methods that are served at *path*, and whether they take no key."""
    found, _ = _found(path)
    return sorted(found), any(each.is_public for each in found.values())

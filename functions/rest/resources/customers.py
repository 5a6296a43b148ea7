"""Customers as the resource API shows and takes them (LU-021 to 037, AMB-31, 32)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any

from resources.call import Call, UseCase, etag, page_of
from vitals.domain.errors import CustomerNotFoundError
from vitals.domain.health import word_of
from vitals.runtime.http import Response
from vitals.usecases.context import Answer, Context
from vitals.usecases.delete_customer import delete_customer as delete
from vitals.usecases.get_customer import get_customer as get
from vitals.usecases.list_customers import list_customers as list_all
from vitals.usecases.upsert_account import Terms, upsert_account

STAGES = {
    "active": ("onboarding", "active", "atrisk", "won"),
    "trial": ("trial",),
    "paused": ("paused",),
    "churned": ("churned",),
}
"""The stages of each commercial state (AMB-32)."""
STATUS_OF = {stage: status for status, stages in STAGES.items() for stage in stages}
_FIRST = ("id", "tenant_id", "external_id", "name", "email_domain")
_SAME = (
    "lifecycle", "tags", "tier", "arr", "mrr", "renewal_date", "days_until_renewal",
    "renewal_overdue", "next_touch", "sentiment",
)  # fmt: skip
_LAST = (
    "score_exact", "coverage", "low_confidence", "priority_score", "model_version", "created_at",
    "updated_at", "version", "deleted_at",
)  # fmt: skip
_KNOWN = Terms(must_exist=True, trash_is_gone=True)
_RENAMED = {"owner_email": "manager", "owner_id": "manager", "customer_since": "since"}


def shown(context: Context, view: Mapping[str, Any]) -> dict[str, Any]:
    """Return a customer's *view* as the resource API shows it."""
    manager = view["manager"]
    signals = context.model_of(view["model_version"]).by_name
    found = {
        **{name: view[name] for name in _FIRST},
        "status": STATUS_OF[view["lifecycle"]],
        "owner_id": manager,
        "owner_email": manager if manager and "@" in manager else None,
        **{name: view[name] for name in _SAME},
        "customer_since": view["since"],
        "last_contact_date": view["last_contact_on"],
        "health_score": view["score"],
        "health_status": word_of(view["score"]),
        "band": view["status"],
        "signals": {name: view[name] for name in signals},
        **{name: view[name] for name in _LAST},
    }
    if "custom_fields" in view:
        found |= {"note": view["note"], "custom_fields": view["custom_fields"]}
    return found


def named(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of *query* by the core's names."""
    given = dict(query)
    if "owner_id" in given:
        given["manager"] = [given.pop("owner_id")]
    if "segment_id" in given:
        given["tag"] = [given.pop("segment_id")]
    if "status" in given:
        given["lifecycle"] = [stage for each in given.pop("status") for stage in STAGES[each]]
    if "health_status" in given:
        given["health"] = given.pop("health_status")
    return given


def list_customers(call: Call) -> Response:
    """Answer one page of customers."""
    answer = call.ask(list_all, {"limit": 50} | named(call.query))
    return call.reply(page_of(answer, partial(shown, call.context)))


def create_customer(call: Call) -> Response:
    """Answer the new customer, 201."""
    answer = call.ask(_saved(call.body, Terms()), {**given_of(call.body), "create_only": True})
    return replied(call, answer, HTTPStatus.CREATED)


def get_customer(call: Call) -> Response:
    """Answer one customer."""
    return replied(call, call.ask(get, {"id": call.variables["customer_id"]}))


def update_customer(call: Call) -> Response:
    """Answer the customer with what was sent."""
    given = {**given_of(call.body), "id": call.variables["customer_id"], **call.if_match}
    return replied(call, call.ask(_saved(call.body, _KNOWN), given))


def delete_customer(call: Call) -> Response:
    """Put the customer into the trash, or erase it; 204."""
    customer_id = call.variables["customer_id"]
    hard = call.query.get("hard", False)
    if hard:
        # Whoever is in the trash is not here any more.
        call.ask(get, {"id": customer_id})
    answer = call.ask(delete, {"id": customer_id, "hard": hard, **call.if_match})
    if answer["already_deleted"] and not call.context.replays:
        raise CustomerNotFoundError(
            f"the customer {customer_id} is in the trash: DELETE /v1/trash/{customer_id} erases it"
        )
    return call.reply(None, HTTPStatus.NO_CONTENT)


def replied(call: Call, answer: Answer, status: int = HTTPStatus.OK) -> Response:
    """Return the response that shows the customer of *answer*."""
    view = answer["data"]
    headers = etag(view["version"])
    if status == HTTPStatus.CREATED:
        headers["Location"] = f"/v1/customers/{view['id']}"
    return call.reply(shown(call.context, view), status, headers)


def given_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return *body* by the core's names; a `status` is the stage of its own name."""
    given = {_RENAMED.get(name, name): value for name, value in body.items()}
    status = given.pop("status", None)
    return given if status is None else {"lifecycle": status} | given


def stays_in(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the stages that say what the `status` of *body* says, if it says no stage itself."""
    return () if "lifecycle" in body else STAGES.get(body.get("status", ""), ())


def _saved(body: Mapping[str, Any], terms: Terms) -> UseCase:
    """Return the use-case that saves *body*: a status leaves a stage that says it already."""
    agreed = replace(terms, renewal_ahead=True, stays_in=stays_in(body))
    return partial(upsert_account, terms=agreed)

"""Customers as the resource API shows and takes them (LU-021 to 037, AMB-31, 32)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any

from resources.call import Call, UseCase, etag, page_of
from vitals.domain.errors import (
    CustomerNotFoundError,
    FieldError,
    UnprocessableError,
    ValidationError,
)
from vitals.domain.health import word_of
from vitals.domain.spelling import meant
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
NO_VERSION: Mapping[str, int] = {}
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
    answer = call.ask(_saved(call.body, Terms()), {**_strict(call.body), "create_only": True})
    return replied(call, answer, HTTPStatus.CREATED)


def get_customer(call: Call) -> Response:
    """Answer one customer."""
    return replied(call, call.ask(get, {"id": call.variables["customer_id"]}))


def update_customer(call: Call) -> Response:
    """Answer the customer with what was sent."""
    given = {**_strict(call.body), "id": call.variables["customer_id"], **call.if_match}
    return replied(call, call.ask(_saved(call.body, _KNOWN), given))


def delete_customer(call: Call) -> Response:
    """Put the customer into the trash, or erase it; 204."""
    customer_id = call.variables["customer_id"]
    if call.query.get("hard", False):
        # Whoever is in the trash is not here any more.
        return erased(call, lambda: call.ask(get, {"id": customer_id}), call.if_match)
    answer = call.ask(delete, {"id": customer_id, **call.if_match})
    if answer["already_deleted"]:
        raise CustomerNotFoundError(
            f"the customer {customer_id} is in the trash: DELETE /v1/trash/{customer_id} erases it"
        )
    return call.reply(None, HTTPStatus.NO_CONTENT)


def erased(
    call: Call, required: Callable[[], object], guarded: Mapping[str, int] = NO_VERSION
) -> Response:
    """Erase the customer that *required* does not raise of; 204.

    Of one that was erased before, what is left goes too: a deletion that was cut short is finished
    by the next, which is answered as the first was if it bears the same Idempotency-Key.
    """
    customer_id = call.variables["customer_id"]
    try:
        required()
    except CustomerNotFoundError:
        if not call.context.customers.is_purged(call.context.tenant, customer_id):
            raise
    answer = call.ask(delete, {"id": customer_id, "hard": True, **guarded})
    if answer["already_deleted"]:
        raise CustomerNotFoundError(f"the customer {customer_id} was erased for good")
    return call.reply(None, HTTPStatus.NO_CONTENT)


def replied(call: Call, answer: Answer, status: int = HTTPStatus.OK) -> Response:
    """Return the response that shows the customer of *answer*."""
    view = answer["data"]
    headers = etag(view["version"])
    if status == HTTPStatus.CREATED:
        headers["Location"] = f"/v1/customers/{view['id']}"
    return call.reply(shown(call.context, view), status, headers)


def given_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return *body* by the core's names; a `status` is the stage of its own name.

    Two names for one thing say the same here: see `conflicts_of`.
    """
    given = {_RENAMED.get(name, name): value for name, value in body.items()}
    if "owner_id" in body:
        given["manager"] = body["owner_id"]
    status = given.pop("status", None)
    return given if status is None else {"lifecycle": status} | given


def conflicts_of(body: Mapping[str, Any]) -> list[FieldError]:
    """Return where two names for one thing in *body* say different things.

    What was read may be sent back: an owner who is no e-mail has an owner_email of null.
    """
    found = []
    if "owner_id" in body and "owner_email" in body:
        owner, email = body["owner_id"], body["owner_email"]
        is_no_email = email is None and isinstance(owner, str) and "@" not in owner
        if owner != email and not is_no_email:
            found.append(("owner_email", "is another owner than owner_id: send one of them"))
    status, stage = body.get("status"), body.get("lifecycle")
    if isinstance(status, str) and isinstance(stage, str):
        meant_stage = meant(stage, STATUS_OF)
        if meant_stage is not None and STATUS_OF[meant_stage] != meant(status, STAGES):
            message = f"is not what lifecycle says, which is {STATUS_OF[meant_stage]}: send one"
            found.append(("status", message))
    return [FieldError(name, "conflicting_fields", message) for name, message in found]


def stays_in(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the stages that say what the `status` of *body* says, if it says no stage itself."""
    return () if "lifecycle" in body else STAGES.get(body.get("status", ""), ())


def _strict(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return *body* by the core's names; a signal that the model does not have is an error.

    Raises UnprocessableError for two names of one thing that say different things.
    """
    conflicts = conflicts_of(body)
    if conflicts:
        raise UnprocessableError(conflicts)
    return {**given_of(body), "strict": True}


def _saved(body: Mapping[str, Any], terms: Terms) -> UseCase:
    """Return the use-case that saves *body*: a status leaves a stage that says it already."""
    agreed = replace(terms, renewal_ahead=True, stays_in=stays_in(body))

    def saved(context: Context, given: Mapping[str, Any]) -> Answer:
        try:
            return upsert_account(context, given, terms=agreed)
        except ValidationError as refused:
            raise ValidationError([_placed(each, body) for each in refused.errors]) from refused

    return saved


def _placed(error: FieldError, body: Mapping[str, Any]) -> FieldError:
    """Return *error* where its field stood: signals stand under `signals` here."""
    if error.field in body.get("signals", ()):
        return replace(error, field=f"signals.{error.field}")
    return error

"""The actions function: one endpoint, the action chosen by name (IQ-001 to 008)."""

from __future__ import annotations

import gc

# Start-up makes only what stays: looking for garbage in it costs a tenth of a cold start.
gc.disable()

from collections.abc import Mapping
from typing import Any

from action_table import ACTIONS, Action
from vitals.domain.errors import (
    FieldError,
    MethodNotAllowedError,
    NotFoundError,
    UnknownActionError,
    ValidationError,
    VitalsError,
)
from vitals.runtime.authenticate import presented, require_scopes
from vitals.runtime.http import Request, Response, json_object
from vitals.runtime.limits import draw
from vitals.runtime.serve import Exchange, LambdaContext, serve
from vitals.runtime.wiring import wiring
from vitals.usecases.context import Idempotency

PATH = "/functions/v1/api-inbound"
LINKS = ("/reports", "/unsubscribe")
"""Where the links of messages lead: to who has one, without a key."""
LONGEST_KEY = 255
SHOWN = 40
"""So much of a wrong action's name is shown."""

wiring()
gc.freeze()
gc.enable()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the response to an API Gateway event."""
    return serve(event, context, _route)


def _route(exchange: Exchange) -> Response:
    request = exchange.request
    if request.path in LINKS:
        from vitals.runtime.links import followed  # noqa: PLC0415 - few requests follow a link

        return followed(exchange)
    if request.path.rstrip("/") != PATH:
        raise NotFoundError(
            f"nothing is at {request.path}: actions are at {PATH}, resources in /v1/docs"
        )
    if request.method not in ("GET", "POST"):
        raise MethodNotAllowedError(
            f"{request.method} is not served here", extra={"allow": ["GET", "POST"]}
        )
    wired, now = exchange.wired, exchange.now
    key, tenant = wired.admit(presented(request.headers), now)
    exchange.admitted(key, tenant)
    name, given, refused = _asked(request)
    action = ACTIONS.get(name)
    # A name that is none may be anything, a key among them.
    exchange.action = name if action else None
    window, spent = draw(wired.tenants, tenant, wired.settings, now, _drawn(action, given))
    exchange.headers = window.headers
    if spent or refused:
        raise spent or refused or AssertionError
    action = _allowed(request, name)
    require_scopes(key, action.scopes)
    run = wired.context(
        key,
        tenant,
        now,
        exchange.seconds_left,
        idempotency=_idempotency(request),
        source_ip=request.source_ip,
    )
    answer = action.run(run, given)
    headers = {}
    if run.replays:
        headers["Idempotency-Replayed"] = "true"
    shape = answer.pop("shape", "object")
    if shape == "csv":
        headers["Content-Type"] = "text/csv; charset=utf-8"
        headers["Content-Disposition"] = f'attachment; filename="{answer["filename"]}"'
        return Response(200, headers=headers, text=answer["data"])
    return Response(200, answer["data"] if shape == "array" else answer, headers)


def _asked(request: Request) -> tuple[str, dict[str, Any], VitalsError | None]:
    """Return the action's name, its parameters, and what was wrong with how they came.

    An error is returned, not raised: a refused request too counts against the limit.
    """
    query = dict(request.query)
    if request.method == "GET":
        return query.pop("action", ""), query, None
    try:
        body = json_object(request)
        action, data = body.pop("action", None), body.pop("data", {})
        if not isinstance(data, dict):
            raise ValidationError([FieldError("data", "must_be_object", "must be an object")])
        # What stands beside `data`, or in the query, counts as in it; saying two things does not.
        given = _joined(_joined(data, body), {k: v for k, v in query.items() if k != "action"})
        if not isinstance(action, str | None):
            raise ValidationError([FieldError("action", "must_be_string", "must be a string")])
        names = {name for name in (action, query.get("action")) if name is not None}
        if len(names) > 1:
            message = "must be one name, in the body or in the query"
            raise ValidationError([FieldError("action", "conflicting_fields", message)])
    except VitalsError as error:
        return "", {}, error
    return next(iter(names), ""), given, None


def _joined(data: dict[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    clashing = [name for name, value in beside.items() if name in data and data[name] != value]
    if clashing:
        message = "stands inside data and beside it, with two values"
        raise ValidationError([FieldError(n, "conflicting_fields", message) for n in clashing])
    return {**beside, **data}


def _drawn(action: Action | None, given: Mapping[str, Any]) -> dict[str, int]:
    """Return what the request draws from which limit; a batch's records have one of their own."""
    if action is None or not action.writes:
        return {"reads": 1}
    records = given.get("customers")
    many = action.name == "batch_upsert" and isinstance(records, list)
    return {"writes": 1, "records": len(records)} if many and records else {"writes": 1}


def _allowed(request: Request, name: str) -> Action:
    """Return the action called *name*, if the method may call it."""
    action = ACTIONS.get(name)
    if action is None:
        said = f"{name[:SHOWN]!r} is no action" if name else "no action was named"
        raise UnknownActionError(
            f"{said}{_meant(name)}: name one of `actions`; list_actions says what each takes",
            extra={"actions": list(ACTIONS)},
        )
    if request.method not in action.methods:
        raise MethodNotAllowedError(
            f"{name} changes data: call it by POST", extra={"allow": list(action.methods)}
        )
    return action


def _meant(name: str) -> str:
    """Return the likeliest action that was meant, as a question."""
    import difflib  # noqa: PLC0415 - only mistakes pay for it

    close = difflib.get_close_matches(name[:SHOWN].casefold(), ACTIONS, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _idempotency(request: Request) -> Idempotency | None:
    key = request.headers.get("idempotency-key", "").strip()
    if not key:
        return None
    if len(key) > LONGEST_KEY:
        message = f"must be at most {LONGEST_KEY} characters"
        raise ValidationError([FieldError("Idempotency-Key", "too_long", message)])
    return Idempotency(key, request.fingerprint)

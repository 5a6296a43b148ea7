"""The rest function: the resources under /v1, over the use-cases that the actions call too."""

from __future__ import annotations

import gc

# Start-up makes only what stays: looking for garbage in it costs a tenth of a cold start.
gc.disable()

from collections.abc import Mapping
from typing import Any

from resources.call import Call, refuse_any
from resources.operations import Operation, allowed, can_be, operation_of
from vitals.domain.access import ApiKey
from vitals.domain.errors import MethodNotAllowedError, NotFoundError, VitalsError
from vitals.runtime.authenticate import presented, require_scopes
from vitals.runtime.http import Response, json_object
from vitals.runtime.limits import draw
from vitals.runtime.serve import Exchange, LambdaContext, serve
from vitals.runtime.wiring import wiring

LIKE = 'like {"name": "Acme Corp"}'
"""What a body looks like."""

wiring()
gc.freeze()
gc.enable()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the response to an API Gateway event."""
    return serve(event, context, _route)


def _route(exchange: Exchange) -> Response:
    request = exchange.request
    operation, variables = operation_of(request.method, request.path)
    exchange.action = operation.id if operation else None
    if operation is not None and operation.is_public:
        refuse_any(request.query)
        return operation.answer()
    methods, is_open = allowed(request.path) if operation is None else ([], False)
    if is_open:
        raise _nothing_here(request.method, request.path, methods)
    wired, now = exchange.wired, exchange.now
    key, tenant = wired.admit(presented(request.headers), now)
    exchange.admitted(key, tenant)
    call, refused = _called(exchange, operation, variables, key)
    if operation is None:
        refused = _nothing_here(request.method, request.path, methods)
    window, spent = draw(wired.tenants, tenant, wired.settings, now, _drawn(operation, call))
    exchange.headers = window.headers
    # A refused request too counts against the limit.
    if spent is not None or call is None:
        raise spent or refused or AssertionError
    call.context = wired.context(
        key,
        tenant,
        now,
        exchange.seconds_left,
        idempotency=call.idempotency,
        source_ip=request.source_ip,
    )
    return call.operation.answer(call)


def _called(
    exchange: Exchange, operation: Operation | None, variables: Mapping[str, str], key: ApiKey
) -> tuple[Call | None, VitalsError | None]:
    """Return the call that the request is, or what is wrong with it."""
    if operation is None:
        return None, None
    try:
        require_scopes(key, operation.needed)
        if not can_be(variables):
            path = exchange.request.path
            raise NotFoundError(f"nothing is at {path}: no id is like that")
        body = json_object(exchange.request, LIKE) if operation.takes_body else {}
        return Call(exchange, operation, variables, body), None
    except VitalsError as error:
        return None, error


def _drawn(operation: Operation | None, call: Call | None) -> dict[str, int]:
    """Return what the request draws from which limit; a refused one starts no import."""
    if operation is None:
        return {"reads": 1}
    if call is None:
        return {"reads" if operation.method == "GET" else "writes": 1}
    return operation.drawn(call.body)


def _nothing_here(method: str, path: str, methods: list[str]) -> VitalsError:
    if methods:
        served = ", ".join(methods)
        return MethodNotAllowedError(
            f"{method} is not served at {path}: {served}", extra={"allow": methods}
        )
    return NotFoundError(f"nothing is at {path}: /v1/docs lists what is")

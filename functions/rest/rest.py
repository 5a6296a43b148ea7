"""The rest function: the resources under /v1, over the use-cases that the actions call too."""

from __future__ import annotations

import gc

# Start-up makes only what stays: looking for garbage in it costs a tenth of a cold start.
gc.disable()

from collections.abc import Mapping
from typing import Any

from resources.call import Call, refuse_any, run
from resources.operations import allowed, can_be, operation_of
from vitals.domain.errors import MethodNotAllowedError, NotFoundError, VitalsError
from vitals.runtime.authenticate import presented, require_scopes
from vitals.runtime.http import Response, json_object
from vitals.runtime.limits import draw
from vitals.runtime.serve import Exchange, LambdaContext, serve
from vitals.runtime.wiring import wiring

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
    body: dict[str, Any] = {}
    refused: VitalsError | None = None
    if operation is None:
        refused = _nothing_here(request.method, request.path, methods)
    elif operation.takes_body:
        try:
            body = json_object(request)
        except VitalsError as error:
            # A refused request too counts against the limit.
            refused = error
    drawn = operation.drawn(body) if operation else {"reads": 1}
    window, spent = draw(wired.tenants, tenant, wired.settings, now, drawn)
    exchange.headers = window.headers
    if spent is not None or operation is None:
        raise spent or refused or AssertionError
    require_scopes(key, operation.needed)
    if not can_be(variables):
        raise NotFoundError(f"nothing is at {request.path}: no id is like that")
    if refused is not None:
        raise refused
    call = Call(exchange, operation, variables, body)
    call.context = wired.context(
        key,
        tenant,
        now,
        exchange.seconds_left,
        idempotency=call.idempotency,
        source_ip=request.source_ip,
    )
    return run(call)


def _nothing_here(method: str, path: str, methods: list[str]) -> VitalsError:
    if methods:
        served = ", ".join(methods)
        return MethodNotAllowedError(
            f"{method} is not served at {path}: {served}", extra={"allow": methods}
        )
    return NotFoundError(f"nothing is at {path}: /v1/docs lists what is")

"""Serving: from an API Gateway event to its response, whatever goes wrong in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from itertools import chain, repeat
from typing import Any, Protocol

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.audit import LoggedRequest
from vitals.domain.errors import BusyError, RateLimitedError, UnauthenticatedError, VitalsError
from vitals.runtime import clock
from vitals.runtime.http import Request, Response, request_of
from vitals.runtime.limits import untouched
from vitals.runtime.logging import logger, measure
from vitals.runtime.metrics import REQUEST
from vitals.runtime.problems import MEDIA_TYPE, problem, status_of
from vitals.runtime.wiring import Wiring, wiring
from vitals.storage.ports import StorageBusyError


class LambdaContext(Protocol):
    """What of Lambda's context object is used."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""


class Exchange:
    """One request on its way to a response, and what was learnt of it: whose it is, what for."""

    def __init__(self, request: Request, wired: Wiring, seconds_left: Callable[[], float]) -> None:
        self.request = request
        self.wired = wired
        self.seconds_left = seconds_left
        self.now: datetime = clock.now()
        self.headers = untouched(wired.settings, self.now).headers
        self.action: str | None = None
        self.key: ApiKey | None = None
        self.tenant: Tenant | None = None

    def admitted(self, key: ApiKey, tenant: Tenant) -> None:
        """Note who asks: from here on the request is in the tenant's log."""
        self.key, self.tenant = key, tenant
        logger().append_keys(tenant_id=tenant.id)


Route = Callable[[Exchange], Response]
_LONGEST_PATH = 200
_LONGEST_PUT = 7.5
"""Seconds that a call may take until it is given up."""
_cold_starts = chain([1], repeat(0))
"""1 for the first request of the process, 0 for every other."""


def serve(event: Mapping[str, Any], context: LambdaContext, route: Route) -> dict[str, Any]:
    """Return the response of *route* to *event*, or the problem document of what it raised.

    Every response bears the rate-limit headers and the trace id; every request is one log line
    (IQ-011). A 500 shows its trace id and nothing else.
    """
    trace_id = context.aws_request_id
    started = clock.monotonic()
    # Whatever writes a line on the way, use-cases among them, it bears these.
    logger().append_keys(trace_id=trace_id, tenant_id=None)
    request = request_of(event, trace_id)
    exchange = Exchange(request, wiring(), lambda: context.get_remaining_time_in_millis() / 1000)
    try:
        response = route(exchange)
    except VitalsError as error:
        response = refusal(error, request)
    except StorageBusyError:
        busy = BusyError("the table is throttling: try again", extra={"retry_after": 1})
        response = refusal(busy, request)
    except Exception:  # noqa: BLE001 - the last line: log everything, show nothing
        logger().exception("unforeseen", trace_id=trace_id)
        response = refusal(VitalsError("something went wrong on our side"), request)
    response.headers = {**exchange.headers, **response.headers}
    duration_ms = round((clock.monotonic() - started) * 1000, 1)
    _log(exchange, response, duration_ms)
    _remember(exchange, response, duration_ms)
    return response.event(trace_id)


def _log(exchange: Exchange, response: Response, duration_ms: float) -> None:
    """Write the request's one log line, whose counts CloudWatch takes for metrics."""
    request, status = exchange.request, response.status
    measure(
        "request",
        exchange.now,
        REQUEST,
        trace_id=request.trace_id,
        tenant_id=exchange.tenant.id if exchange.tenant else None,
        key_id=exchange.key.id if exchange.key else None,
        action=exchange.action or "none",
        method=request.method,
        path=request.path,
        status=status,
        code=_code(response),
        refused=_refused_fields(response.body),
        duration_ms=duration_ms,
        requests=1,
        errors=int(status == HTTPStatus.INTERNAL_SERVER_ERROR),
        throttles=int(status == HTTPStatus.TOO_MANY_REQUESTS),
        busy=int(status == HTTPStatus.SERVICE_UNAVAILABLE),
        cold_starts=next(_cold_starts),
    )


def _remember(exchange: Exchange, response: Response, duration_ms: float) -> None:
    """Put the request into its tenant's log, if the table takes it: it must cost no answer."""
    if exchange.tenant is None or exchange.key is None:
        return
    request = exchange.request
    entry = LoggedRequest(
        trace_id=request.trace_id,
        at=exchange.now,
        method=request.method,
        path=request.path[:_LONGEST_PATH],
        action=exchange.action,
        status=response.status,
        code=_code(response),
        duration_ms=duration_ms,
        key_id=exchange.key.id,
        source_ip=request.source_ip,
    )
    if exchange.seconds_left() <= _LONGEST_PUT:
        return
    try:
        exchange.wired.administration.log(exchange.tenant.id, entry)
    except Exception:  # noqa: BLE001 - see above
        logger().warning("request not remembered", trace_id=request.trace_id, exc_info=True)


def _code(response: Response) -> str | None:
    return response.body.get("code") if isinstance(response.body, dict) else None


def _refused_fields(body: Any) -> list[str] | None:
    """Return which fields were refused and why, without what was in them."""
    errors = body.get("errors") if isinstance(body, dict) else None
    return [f"{each['field']}: {each['code']}" for each in errors][:20] if errors else None


def refusal(error: VitalsError, request: Request) -> Response:
    """Return the problem response of *error*."""
    headers = {"Content-Type": MEDIA_TYPE}
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = 'Bearer realm="vitals", Basic realm="vitals"'
    if isinstance(error, RateLimitedError | BusyError):
        headers["Retry-After"] = str(error.extra.get("retry_after", 1))
    if "allow" in error.extra:
        headers["Allow"] = ", ".join(error.extra["allow"])
    return Response(status_of(error), problem(error, request.path, request.trace_id), headers)

"""Serving: from an API Gateway event to its response, whatever goes wrong in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from vitals.domain.errors import BusyError, RateLimitedError, UnauthenticatedError, VitalsError
from vitals.runtime import clock
from vitals.runtime.http import Request, Response, request_of
from vitals.runtime.limits import untouched
from vitals.runtime.logging import logger
from vitals.runtime.problems import MEDIA_TYPE, problem, status_of
from vitals.runtime.wiring import Wiring, wiring
from vitals.storage.ports import StorageBusyError


class LambdaContext(Protocol):
    """What of Lambda's context object is used."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""


class Exchange:
    """One request on its way to a response; notes gathered on the way go into the log line."""

    def __init__(self, request: Request, wired: Wiring, seconds_left: Callable[[], float]) -> None:
        self.request = request
        self.wired = wired
        self.seconds_left = seconds_left
        self.now: datetime = clock.now()
        self.headers = untouched(wired.settings, self.now).headers
        self.notes: dict[str, Any] = {}


Route = Callable[[Exchange], Response]


def serve(event: Mapping[str, Any], context: LambdaContext, route: Route) -> dict[str, Any]:
    """Return the response of *route* to *event*, or the problem document of what it raised.

    Every response bears the rate-limit headers and the trace id; every request is one log line
    (IQ-011). A 500 shows its trace id and nothing else.
    """
    trace_id = context.aws_request_id
    started = clock.monotonic()
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
    logger().info(
        "request",
        trace_id=trace_id,
        method=request.method,
        path=request.path,
        status=response.status,
        code=response.body.get("code") if isinstance(response.body, dict) else None,
        refused=_refused_fields(response.body),
        duration_ms=round((clock.monotonic() - started) * 1000, 1),
        **exchange.notes,
    )
    return response.event(trace_id)


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

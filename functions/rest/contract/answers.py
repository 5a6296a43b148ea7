"""What every operation may answer besides its own: problems, headers, the gateway's own words."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from contract.shape import GatewayMessage, Problem

REF = "#/components/schemas/{model}"
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Trace-Id")
PROBLEMS = {
    400: ("validation_error", "arr: must not be negative"),
    401: ("unauthenticated", "the API key is unknown or was revoked"),
    403: ("forbidden", "this needs the scope customers:write, which the key 'CRM' does not have"),
    404: ("not_found", "there is nothing of this id"),
    409: ("duplicate_email_domain", "the e-mail domain 'acme.example' belongs to another customer"),
    412: ("precondition_failed", "if_version is 3, the customer is at version 4"),
    413: ("payload_too_large", "the body has 1200000 bytes, at most 1048576 are taken"),
    415: ("unsupported_media_type", "the body is text/plain: send JSON"),
    422: ("unprocessable", "renewal_date: must not become a day that is over"),
    429: ("rate_limited", "more than 300 writes in this minute: wait 12 s"),
    500: ("internal_error", "something went wrong on our side"),
    503: ("busy", "the table is throttling: try again"),
}
HEADERS: Mapping[str, tuple[str, Any, Any]] = {
    "X-RateLimit-Limit": ("So many a minute", {"type": "integer"}, 1000),
    "X-RateLimit-Remaining": ("So many are left of them", {"type": "integer"}, 987),
    "X-RateLimit-Reset": ("When it begins anew, in Unix seconds", {"type": "integer"}, 1795184640),
    "X-Trace-Id": (
        "Names the request in the logs",
        {"type": "string"},
        "5f0b9c1e-6d0c-4c7e-9a57-0f5a1c3e7b21",
    ),
    "Retry-After": ("Seconds to wait", {"type": "integer", "minimum": 1}, 12),
    "WWW-Authenticate": ("How to authenticate", {"type": "string"}, 'Bearer realm="vitals"'),
    "ETag": ("The version; send it as If-Match", {"type": "string"}, '"3"'),
    "Location": ("Where it is", {"type": "string"}, "/v1/customers/01KJQ8ZJ9W3B0C6V4S7T2R5XYZ"),
    "Idempotency-Replayed": (
        "true, where an earlier answer is given again",
        {"type": "string"},
        "true",
    ),
}
TOO_LONG = {
    "description": "URI Too Long; the gateway's own answer",
    "content": {
        "application/json": {
            "schema": {"$ref": REF.format(model=GatewayMessage.__name__)},
            "examples": {"example": {"value": {"message": "URI Too Long"}}},
        }
    },
}


def refusal(status: int) -> dict[str, Any]:
    """Return the response that refuses with *status*."""
    code, detail = PROBLEMS[status]
    headers = list(LIMITS)
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append("WWW-Authenticate")
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers.append("Retry-After")
    phrase = HTTPStatus(status).phrase
    errors = []
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        field, _, message = detail.partition(": ")
        errors = [{"field": field, "code": "out_of_range", "message": message}]
    example = {
        "type": f"urn:vitals:error:{code}",
        "title": phrase,
        "status": status,
        "detail": detail,
        "instance": "/v1/customers",
        "code": code,
        "trace_id": "5f0b9c1e-6d0c-4c7e-9a57-0f5a1c3e7b21",
        "errors": errors,
    }
    return {
        "description": phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {
            "application/problem+json": {
                "schema": {"$ref": REF.format(model=Problem.__name__)},
                "examples": {"example": {"value": example}},
            }
        },
    }


def name_of(status: int) -> str:
    """Return what a response is called among the components."""
    return "".join(word.title() for word in HTTPStatus(status).phrase.split())

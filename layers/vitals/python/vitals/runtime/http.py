"""HTTP as API Gateway's payload format 2.0 carries it: requests in, responses out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from vitals.domain.errors import (
    InvalidBodyError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from vitals.storage.codec import encode

LARGEST_BODY = 1024 * 1024
_JSON_TYPES = ("application/json", "text/json")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case, a query name said twice has both
    values, joined by a comma."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    trace_id: str
    source_ip: str = ""

    @property
    def fingerprint(self) -> str:
        """Return what tells this request from another under the same Idempotency-Key."""
        head = f"{self.method} {self.path} {sorted(self.query.items())}\n".encode()
        return hashlib.sha256(head + self.body).hexdigest()


@dataclass(slots=True)
class Response:
    """One response; *body* is a JSON value, or None for an empty body; *text* is sent as it is."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None

    def event(self, trace_id: str) -> dict[str, Any]:
        """Return the response as API Gateway takes it."""
        headers = {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "X-Trace-Id": trace_id,
            **self.headers,
        }
        text = "" if self.body is None else encode(self.body)
        body = text if self.text is None else self.text
        return {"statusCode": self.status, "headers": headers, "body": body}


def request_of(event: Mapping[str, Any], trace_id: str) -> Request:
    """Return the request that *event* carries."""
    http = event["requestContext"]["http"]
    body = event.get("body") or ""
    raw = body.encode("utf-8", "surrogatepass")
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(body)
        except (binascii.Error, ValueError):
            raw = b""
    query: dict[str, str] = {}
    for name, value in parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True):
        # Said twice is both: filters take several values, and nothing else takes a comma.
        query[name] = f"{query[name]},{value}" if name in query else value
    return Request(
        method=http["method"].upper(),
        path=event.get("rawPath") or http.get("path") or "/",
        query=query,
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=raw,
        trace_id=trace_id,
        source_ip=http.get("sourceIp", ""),
    )


def json_object(request: Request, like: str = '{"action": …, "data": {…}}') -> dict[str, Any]:
    """Return the JSON object in *request*'s body; an absent body is an empty object.

    *like* is what one looks like. No Content-Type counts as JSON: some senders give none. Raises
    PayloadTooLargeError, UnsupportedMediaTypeError, InvalidBodyError.
    """
    if len(request.body) > LARGEST_BODY:
        raise PayloadTooLargeError(
            f"the body has {len(request.body)} bytes, at most {LARGEST_BODY} are taken: "
            "send it in parts"
        )
    if not request.body.strip():
        # Whatever it is said to be: curl says of nothing that it is a form.
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type not in _JSON_TYPES and not media_type.endswith("+json"):
        raise UnsupportedMediaTypeError(
            f"the body is {media_type}: send JSON, with Content-Type: application/json"
        )
    try:
        # An unpaired surrogate is no text: decoding finds it as bytes, encoding as an escape,
        # wherever it hides.
        text = request.body.decode("utf-8-sig")
        parsed = json.loads(text, parse_float=_decimal, parse_constant=_no_number)
        if "\\ud" in text or "\\uD" in text:
            encode(parsed).encode()
    except RecursionError:
        raise InvalidBodyError("the body is nested too deep") from None
    except json.JSONDecodeError as error:
        raise InvalidBodyError(
            f"the body is no JSON: {error.msg}, at character {error.pos}"
        ) from None
    except UnicodeError:
        raise InvalidBodyError("the body is no UTF-8, or has half a surrogate pair") from None
    except ValueError as error:
        # Python reads no longer ones, and says so in words of its own.
        raise InvalidBodyError("the body is no JSON: a number has too many digits") from error
    if not isinstance(parsed, dict):
        raise InvalidBodyError(f"the body is no JSON object: send {like}")
    return parsed


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidBodyError("the body is no JSON: an exponent is out of range") from None


def _no_number(constant: str) -> NoReturn:
    raise InvalidBodyError(f"the body is no JSON: {constant} is no number")

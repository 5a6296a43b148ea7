"""Lambda proxy integration, payload format 2.0: a request as an event, an answer as a response."""

import base64
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.intrinsics import ACCOUNT_ID
from local.routes import Match

# API Gateway keeps these to itself; cookies have a field of their own.
_NOT_PASSED_ON = {
    "connection",
    "cookie",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# Whatever else arrives in base64, application/x-www-form-urlencoded and no type at all included.
_TEXT_TYPES = {"application/json", "application/javascript", "application/xml"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True)
class Request:
    """One HTTP request as it came over the wire."""

    method: str
    target: str
    protocol: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str
    port: int
    id: str = field(default_factory=lambda: base64.b64encode(os.urandom(11)).decode())

    @property
    def path(self) -> str:
        """The path, decoded: HTTP APIs do so, though the event calls it raw."""
        return unquote(self.target.partition("?")[0])


@dataclass(frozen=True)
class Response:
    """One HTTP response as it goes over the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class MalformedResponseError(Exception):
    """A function answered what API Gateway cannot turn into a response."""


def message(status: int, text: str) -> Response:
    """Return a response of API Gateway's own."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return Response(status, [("Content-Type", "application/json")], body)


def to_event(request: Request, match: Match) -> dict[str, Any]:
    """Return *request* as the event that the function of *match* receives."""
    headers = _joined((name.lower(), value) for name, value in request.headers)
    now = time.time()
    query = request.target.partition("?")[2]
    parameters = _joined(parse_qsl(query, keep_blank_values=True, errors="replace"))
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "localhost")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": request.path,
        "rawQueryString": query,
        "headers": _passed_on(request, headers, now),
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request.id,
            "routeKey": match.route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if "cookie" in headers:
        cookies = [value for name, value in request.headers if name.lower() == "cookie"]
        event["cookies"] = [part.strip() for value in cookies for part in value.split(";")]
    if parameters:
        event["queryStringParameters"] = parameters
    if match.parameters:
        event["pathParameters"] = match.parameters
    if request.body:
        event["isBase64Encoded"] = not _is_text(headers.get("content-type", ""))
        event["body"] = (
            base64.b64encode(request.body).decode()
            if event["isBase64Encoded"]
            else request.body.decode("utf-8", errors="replace")
        )
    return event


def to_response(answer: str) -> Response:
    """Return the response that a function's *answer*, as JSON text, stands for."""
    try:
        value = json.loads(answer)
    except ValueError:
        value = answer  # a handler that returned bytes
    if not isinstance(value, dict) or "statusCode" not in value:
        # The short form: the whole answer is the body of a 200.
        body = value if isinstance(value, str) else answer
        return Response(200, [("Content-Type", "application/json")], body.encode(errors="replace"))
    given, cookies = value.get("headers") or {}, value.get("cookies") or []
    if not isinstance(given, dict) or not isinstance(cookies, list):
        raise MalformedResponseError("headers is no object, or cookies no array")
    headers = [_header(name, item) for name, item in given.items()]
    headers += [_header("Set-Cookie", cookie) for cookie in cookies]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
    return Response(_status(value["statusCode"]), headers, _body(value))


def _joined(pairs: Any) -> dict[str, str]:
    """Return *pairs* as a mapping, the values of a repeated name joined by commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _passed_on(request: Request, headers: Mapping[str, str], now: float) -> dict[str, str]:
    """Return the headers of the event: the client's, and those that API Gateway adds."""
    forwarded = headers.get("x-forwarded-for")
    own = {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": f"Root=1-{int(now):08x}-{os.urandom(12).hex()}",
        "x-forwarded-for": f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip,
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }
    passed = {name: value for name, value in headers.items() if name not in _NOT_PASSED_ON}
    return dict(sorted((passed | own).items()))


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError) as error:
        raise MalformedResponseError(f"statusCode is {value!r}") from error
    if not 200 <= status <= 599:  # noqa: PLR2004 - final responses
        raise MalformedResponseError(f"statusCode is {value!r}")
    return status


def _header(name: str, value: Any) -> tuple[str, str]:
    text = value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, dict | list) or not text.isprintable() or not _TOKEN.fullmatch(name):
        raise MalformedResponseError(f"a header is {name!r}: {value!r}")
    return name, text


def _body(value: Mapping[str, Any]) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponseError("body is not a string")
    if not value.get("isBase64Encoded"):
        return body.encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise MalformedResponseError("body is not base64") from error

"""AWS calls on a loopback port: what functions ask of services that the local cloud plays."""

import json
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Protocol

from local.chunked import ChunkedError, read_chunked
from local.console import complain

_MAX_BODY = 64 * 1024 * 1024  # a mail of SES's 40 MB, in base64

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]


class ServiceError(Exception):
    """A call is refused as the service itself refuses it; *query* is its code of older days."""

    def __init__(self, code: str, message: str, query: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.query = query


@dataclass(frozen=True)
class Call:
    """One request as it came; *target* is path and query."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def name(self) -> str:
        """How the services that speak JSON name the operation."""
        return self.headers.get("x-amz-target") or f"{self.method} {self.target}"

    @property
    def is_signed(self) -> bool:
        """Whether it has the header that a page in a browser cannot add to another's call."""
        return "authorization" in self.headers


@dataclass(frozen=True)
class Answer:
    """What a call is answered with."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Player(Protocol):
    """One service: which calls are its own, and what it answers to them, refusals included."""

    def takes(self, call: Call) -> bool:
        """Return whether *call* is meant for this service."""

    def answer(self, call: Call) -> Answer:
        """Return the answer to *call*."""


@dataclass(frozen=True)
class Service:
    """One service of JSON: how its calls are named, what it can do, how it says what not."""

    prefix: str  # of X-Amz-Target, or of method and path
    operations: Mapping[str, Operation]
    unknown: str

    def takes(self, call: Call) -> bool:
        """Return whether *call* is named as this service's are."""
        return call.name.startswith(self.prefix)

    def answer(self, call: Call) -> Answer:
        """Return what the operation answers, or how it is refused."""
        try:
            if not call.is_signed:
                raise ServiceError("MissingAuthenticationToken", "The request is not signed.")
            return _in_json(200, self._call(call.name, _parsed(call.body)))
        except ServiceError as error:
            return refusal(error)

    def _call(self, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        operation = self.operations.get(name)
        if operation is None:
            shown = name.rpartition(".")[2]
            raise ServiceError(self.unknown, f"The local cloud does not play {shown}.")
        return operation(request)


def refusal(error: ServiceError) -> Answer:
    """Return how a service of JSON says *error*."""
    headers = {"x-amzn-ErrorType": error.code}
    if error.query:
        headers["x-amzn-query-error"] = f"{error.query};Sender"
    return _in_json(400, {"__type": error.code, "message": error.message}, headers)


def _in_json(
    status: int, answer: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Answer:
    kind = {"Content-Type": "application/x-amz-json-1.0"}
    return Answer(status, kind | dict(headers or {}), json.dumps(answer).encode())


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        request = None
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "The request is no JSON object.")
    return request


class ServiceServer(ThreadingHTTPServer):
    """Services at one URL; for callers that sign, which pages in a browser do not."""

    request_queue_size = 128

    def __init__(self, services: tuple[Player, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.services = services
        self._stopped = False

    def server_bind(self) -> None:
        """Bind without the reverse name look-up of HTTPServer, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment] # an IPv4 address is (str, int)

    def start(self) -> None:
        """Begin to answer; stop() ends it."""
        threading.Thread(
            target=self.serve_forever, args=(0.1,), name="services", daemon=True
        ).start()

    def stop(self) -> None:
        """Answer nothing any more."""
        self._stopped = True
        self.shutdown()

    def answer(self, call: Call) -> Answer:
        """Return what the first service that takes *call* answers to it."""
        for service in self.services:
            if service.takes(call):
                return service.answer(call)
        unknown = f"The local cloud does not play {call.name}."
        return refusal(ServiceError("UnknownOperationException", unknown))

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - theirs
        """Report a fault of ours; a client that went away is none, nor is what the stop cuts."""
        if not self._stopped and not isinstance(sys.exception(), ConnectionError | TimeoutError):
            complain(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: ServiceServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # a response in one packet
    timeout = 75

    def _serve(self) -> None:
        try:
            answer = self.server.answer(Call(self.command, self.path, self.headers, self._body()))
        except ServiceError as error:
            self._send(refusal(error))
        except Exception:
            self._send(_in_json(500, {"__type": "InternalFailure", "message": "A fault of ours."}))
            raise  # to handle_error()
        else:
            self._send(answer)

    # the names are http.server's
    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _serve  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunked_body()
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY:
            self.close_connection = True
            raise ServiceError("RequestEntityTooLargeException", "The request is too large.")
        return self.rfile.read(int(length))

    def _chunked_body(self) -> bytes:
        try:
            return read_chunked(self.rfile, _MAX_BODY)[0]
        except ChunkedError as error:
            self.close_connection = True
            raise ServiceError("InvalidRequest", f"The body is not chunked: {error}.") from error

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def handle_expect_100(self) -> bool:
        """Tell the client to send its body, which S3's wait for."""
        super().handle_expect_100()
        self.wfile.flush()  # or the client waits for what lies in our buffer
        return True

    def log_message(self, *_arguments: object) -> None:
        """Write nothing: these are the functions' calls, not the person's."""

"""AWS calls on a loopback port: what functions ask of services that the local cloud plays."""

import json
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

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
class Service:
    """One service: how its calls are named on the wire, what it can do, how it says what not."""

    prefix: str  # of X-Amz-Target, or of method and path
    operations: Mapping[str, Operation]
    unknown: str

    def call(self, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to *request*; raise ServiceError."""
        operation = self.operations.get(name)
        if operation is None:
            shown = name.rpartition(".")[2]
            raise ServiceError(self.unknown, f"The local cloud does not play {shown}.")
        return operation(request)


class ServiceServer(ThreadingHTTPServer):
    """Services at one URL; for callers that sign, which pages in a browser do not."""

    request_queue_size = 128

    def __init__(self, services: tuple[Service, ...]) -> None:
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

    def answer(self, name: str, body: bytes) -> dict[str, Any]:
        """Return the answer to the call *name*; raise ServiceError."""
        for service in self.services:
            if name.startswith(service.prefix):
                return service.call(name, _parsed(body))
        raise ServiceError("UnknownOperationException", f"The local cloud does not play {name}.")

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - theirs
        """Report a fault of ours; a client that went away is none, nor is what the stop cuts."""
        if not self._stopped and not isinstance(sys.exception(), ConnectionError | TimeoutError):
            complain(traceback.format_exc())


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        request = None
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "The request is no JSON object.")
    return request


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: ServiceServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # a response in one packet
    timeout = 75

    def _serve(self) -> None:
        name = self.headers.get("x-amz-target") or f"{self.command} {self.path}"
        try:
            body = self._body()
            if "authorization" not in self.headers:
                raise ServiceError("MissingAuthenticationToken", "The request is not signed.")
            answer = self.server.answer(name, body)
        except ServiceError as error:
            self._send(400, {"__type": error.code, "message": error.message}, error)
        except Exception:
            self._send(500, {"__type": "InternalFailure", "message": "A fault of ours."})
            raise  # to handle_error()
        else:
            self._send(200, answer)

    # the names are http.server's
    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = _serve  # noqa: N815

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY:
            self.close_connection = True
            raise ServiceError("RequestEntityTooLargeException", "The request is too large.")
        return self.rfile.read(int(length))

    def _send(self, status: int, answer: dict[str, Any], error: ServiceError | None = None) -> None:
        body = json.dumps(answer).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        if error is not None:
            self.send_header("x-amzn-ErrorType", error.code)
        if error is not None and error.query:
            self.send_header("x-amzn-query-error", f"{error.query};Sender")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Write nothing: these are the functions' calls, not the person's."""

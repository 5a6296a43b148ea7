"""The HTTP API: requests from a socket to functions, and their answers back.

The standard library's server, because an event needs what it alone keeps: the target as it was
sent, and every header in its order. WSGI servers decode the one and merge the others.
"""

import contextlib
import errno
import re
import string
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPMethod, HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from local import proxy
from local.console import LocalCloudError, complain, printable, say
from local.functions import EventTooLargeError, FunctionError, RunningFunction
from local.proxy import Request, Response
from local.routes import Match, Router

MAX_BODY = 10 * 1024 * 1024  # API Gateway's quota
_MAX_DRAINED = 10 * MAX_BODY  # of a refused body, so that its sender gets to read the refusal
_CHUNK = 64 * 1024
_METHODS = {*HTTPMethod.__members__, "QUERY"}
_NO_BODY = {204, 304}
_LENGTH = re.compile(r"[0-9]{1,18}")
_ORIGIN = re.compile(r"^[A-Za-z]+://[^/?]*")  # of the absolute form, which proxies are sent
_OURS = {"connection", "content-length", "date", "transfer-encoding"}


class Gateway(ThreadingHTTPServer):
    """An HTTP API on a loopback port, bound as soon as it is made, serving once it may."""

    request_queue_size = 128

    def __init__(self, port: int) -> None:
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = "is already in use"
            else:
                reason = f"cannot be used ({error.strerror})"
            raise LocalCloudError(
                f"Port {port} {reason}; choose another, such as PORT={port % 65535 + 1} make run"
            ) from error
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._router = Router(())
        self._functions: Mapping[str, RunningFunction] = {}
        self._invocations = ThreadPoolExecutor(max_workers=64, thread_name_prefix="invocation")

    def server_bind(self) -> None:
        """Bind without the reverse name look-up of HTTPServer, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment] # an IPv4 address is (str, int)

    def connect(self, router: Router, functions: Mapping[str, RunningFunction]) -> None:
        """Say which function takes what; to be called before serving."""
        self._router = router
        self._functions = functions

    def answer(self, request: Request) -> Response:
        """Return what API Gateway would answer to *request*, errors of the function included."""
        match = self._router.match(request.method, request.path)
        if match is None:
            return proxy.message(404, "Not Found")
        function = self._functions[match.route.function]
        try:
            return self._invoke(function, request, match)
        except EventTooLargeError:
            return proxy.message(413, "Request Entity Too Large")
        except TimeoutError:
            complain(f"{function.name}: no answer within {match.route.timeout:g} s")
            return proxy.message(503, "Service Unavailable")
        except proxy.MalformedResponseError as error:
            complain(f"{function.name}: its answer is no response: {error}")
        except FunctionError as error:
            if not function.stopped:
                _report(function, error)
        return proxy.message(500, "Internal Server Error")

    def _invoke(self, function: RunningFunction, request: Request, match: Match) -> Response:
        event = proxy.to_event(request, match)
        # The function may outlive the integration's time: API Gateway gives up, Lambda does not.
        answer = self._invocations.submit(function.invoke, event)
        response = proxy.to_response(answer.result(timeout=match.route.timeout))
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            complain(f"{function.name}: answered {response.status} (log: {function.log})")
        return response

    def note(self, request: Request, status: int, seconds: float) -> None:
        """Write the access line of one request."""
        path = printable(request.target.partition("?")[0])
        say(f"{request.method} {path} {status} {seconds * 1000:.0f} ms")

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - theirs
        """Report a fault of ours; a client that went away is none."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            complain(traceback.format_exc())


class _BadRequestError(Exception):
    """A request whose body cannot be read."""


class _BodyTooLargeError(Exception):
    """A request whose body exceeds what API Gateway takes."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Gateway
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # a response in one packet
    timeout = 75  # seconds of silence after which a connection is closed

    def _serve(self) -> None:
        started = time.monotonic()
        request = self._request(b"")
        try:
            request = self._request(self._body())
            response = self.server.answer(request)
        except _BodyTooLargeError:
            response = proxy.message(413, "Request Entity Too Large")
        except _BadRequestError:
            self.close_connection = True
            response = proxy.message(400, "Bad Request")
        self._send(response, request)
        self.server.note(request, response.status, time.monotonic() - started)

    # the names are http.server's
    def __getattr__(self, name: str) -> Callable[[], None]:
        """Return what serves a method: API Gateway passes each on to a route of any."""
        if name.removeprefix("do_") in _METHODS:
            return self._serve
        raise AttributeError(name)

    def _request(self, body: bytes) -> Request:
        target = _ORIGIN.sub("", self.path)
        return Request(
            method=self.command,
            target=target if target.startswith(("/", "*")) else f"/{target}",
            protocol=self.request_version,
            headers=self.headers.items(),
            body=body,
            source_ip=self.client_address[0],
            port=self.server.server_port,
        )

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunked_body()
        return self._read(self._length(), 0)

    def _length(self) -> int:
        length = self.headers.get("content-length", "0")
        if not _LENGTH.fullmatch(length):
            raise _BadRequestError
        return int(length)

    def _chunked_body(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            body += self._read(size, len(body))
            self.rfile.readline(_CHUNK)
        while self.rfile.readline(_CHUNK).strip():
            pass  # trailers
        return bytes(body)

    def _chunk_size(self) -> int:
        digits = self.rfile.readline(_CHUNK).partition(b";")[0].strip().decode("latin-1")
        if not digits or set(digits) - set(string.hexdigits):
            raise _BadRequestError
        return int(digits, 16)

    def _read(self, size: int, already: int) -> bytes:
        """Return the next *size* bytes of a body of which *already* bytes are read."""
        if already + size > MAX_BODY:
            self._drain(size)
            raise _BodyTooLargeError
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError  # the client went away in the middle
        return data

    def _drain(self, size: int) -> None:
        self.close_connection = True
        left = min(size, _MAX_DRAINED)
        while left > 0 and (data := self.rfile.read(min(left, _CHUNK))):
            left -= len(data)

    def _send(self, response: Response, request: Request) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string())
        for name, value in response.headers:
            if name.lower() not in _OURS:
                # send_header writes Latin-1; this way a header goes out as UTF-8
                self.send_header(name, value.encode().decode("latin-1"))
        self.send_header("Apigw-Requestid", request.id)
        if response.status not in _NO_BODY:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if request.method != "HEAD" and response.status not in _NO_BODY:
            self.wfile.write(response.body)

    def handle_expect_100(self) -> bool:
        """Tell the client to send its body, unless its size already forbids that."""
        with contextlib.suppress(_BadRequestError):  # which is answered as without Expect
            if self._length() > MAX_BODY:
                self.close_connection = True
                self._send(proxy.message(413, "Request Entity Too Large"), self._request(b""))
                return False
        super().handle_expect_100()
        self.wfile.flush()  # or the client waits for what lies in our buffer
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - theirs
        """Refuse what is no HTTP request, in API Gateway's form."""
        self.close_connection = True
        short, _long = self.responses.get(code, ("Bad Request", ""))
        response = proxy.message(code, short)
        with contextlib.suppress(ConnectionError):
            self.request_version = self.protocol_version  # it may not have been read
            self.send_response_only(code)
            for name, value in response.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(response.body)

    def log_message(self, *_arguments: object) -> None:
        """Write nothing: access lines are the gateway's."""


def _report(function: RunningFunction, error: FunctionError) -> None:
    trace = "".join(error.error.get("stackTrace", []))
    complain(f"{function.name}: {error} (log: {function.log})")
    if trace:
        complain("Traceback (most recent call last):\n" + trace.rstrip("\n"))

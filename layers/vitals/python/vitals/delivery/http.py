"""One POST to somebody else's server, over in time whatever that server does."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import Any, cast

from vitals.delivery.addresses import (
    Address,
    Endpoint,
    RefusedAddressError,
    check_url,
    is_refused,
    parse_url,
)

__all__ = ["RefusedAddressError", "Response", "UnreachableError", "check_url", "post"]

SECONDS = 15.0
KEPT_BYTES = 4096

Clock = Callable[[], float]


class UnreachableError(Exception):
    """No answer came; says why in one short sentence, without the URL."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered: *retry_after* is its header as sent, *body* the first 4096 bytes."""

    status: int
    retry_after: str | None
    body: str
    duration_ms: int


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_local: bool,
    seconds: float = SECONDS,
    clock: Clock = time.monotonic,
) -> Response:
    """Post *body* and return the answer, within *seconds*.

    A redirect is an answer like any other, and a proxy is never asked. Status line and headers
    make an answer: a body that breaks off, or has no end, is kept as far as it came. With
    *allow_local*, http and loopback addresses are allowed.

    Raises UnreachableError and RefusedAddressError.
    """
    deadline = _Deadline(seconds, clock)
    endpoint = parse_url(url, allow_local)
    addresses = _allowed(_resolve(endpoint, deadline), allow_local)
    try:
        with _connect(addresses, endpoint, deadline) as connected:
            return _exchange(connected, endpoint, body, headers, deadline)
    except TimeoutError:
        raise UnreachableError(f"no answer within {seconds:g} s") from None
    except ssl.SSLCertVerificationError as error:
        reason = f"its certificate is not valid: {error.verify_message}"
        raise UnreachableError(reason) from None
    except ssl.SSLError:
        raise UnreachableError("the TLS connection failed") from None
    except ConnectionRefusedError:
        raise UnreachableError("it refused the connection") from None
    except ConnectionError:  # also http.client's, for an end without an answer
        raise UnreachableError("it closed the connection without an answer") from None
    except OSError:
        raise UnreachableError("it cannot be reached") from None
    except (http.client.HTTPException, ValueError):
        raise UnreachableError("its answer is not HTTP") from None


class _Deadline:
    """The instant at which everything must be over."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._start = clock()
        self._end = self._start + seconds

    def left(self) -> float:
        """Return the seconds left; raise TimeoutError when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError
        return left

    def spent_ms(self) -> int:
        return round((self._clock() - self._start) * 1000)


def _resolve(endpoint: Endpoint, deadline: _Deadline) -> list[str]:
    """Return the addresses of a name, asked for once.

    A second question may be answered differently (DNS rebinding), so that what is checked is what
    is connected to.
    """
    answer: SimpleQueue[list[Any] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
            answer.put(list(found))
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            answer.put(error)

    # In a thread: the question cannot be given a time, and the receiver's own servers answer it.
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answer.get(timeout=deadline.left())
    except (Empty, TimeoutError):
        raise UnreachableError("its name was not resolved in time") from None
    if isinstance(found, Exception):
        raise UnreachableError("its name does not resolve") from None
    return [str(address[0]) for *_, address in found]


def _allowed(texts: list[str], allow_local: bool) -> list[Address]:
    """Return the addresses that may be connected to; raise RefusedAddressError if none may."""
    addresses = [ip_address(text) for text in texts]
    allowed = [address for address in addresses if not is_refused(address, allow_local)]
    if not allowed:
        raise RefusedAddressError("its name leads to an address that is not public")
    return allowed


def _connect(addresses: list[Address], endpoint: Endpoint, deadline: _Deadline) -> socket.socket:
    """Return a connection to the first address that answers, encrypted where the scheme says so."""
    for position, address in enumerate(addresses, start=1):
        # Each gets its share of the time, so that a dead first address leaves some to the next.
        share = deadline.left() / (len(addresses) - position + 1)
        try:
            connected = socket.create_connection((str(address), endpoint.port), timeout=share)
            break
        except OSError:
            if position == len(addresses):
                raise
    if endpoint.scheme == "http":
        return connected
    try:
        connected.settimeout(deadline.left())
        return _tls().wrap_socket(connected, server_hostname=endpoint.host)
    except BaseException:
        connected.close()
        raise


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    # Once: reading the certificates takes longer than anything else here.
    return ssl.create_default_context()


def _exchange(
    connected: socket.socket,
    endpoint: Endpoint,
    body: bytes,
    headers: Mapping[str, str],
    deadline: _Deadline,
) -> Response:
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
    line = _Line(connected, deadline)
    connection.sock = cast("socket.socket", line)
    fields = {**headers, "Host": endpoint.authority, "Connection": "close"}
    # It may have answered, and closed, before it had read everything.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", endpoint.target, body, fields)
    with connection.getresponse() as response:
        if line.ended:  # http.client takes an end for the blank line that ends the headers
            raise ConnectionResetError
        kept = _beginning(response)
    text = kept.decode("utf-8", errors="replace")
    return Response(response.status, response.getheader("retry-after"), text, deadline.spent_ms())


def _beginning(response: http.client.HTTPResponse) -> bytes:
    kept = b""
    # Cut short, or out of time: the answer was its status.
    with suppress(OSError, http.client.HTTPException, ValueError):
        while len(kept) < KEPT_BYTES and (more := response.read1(KEPT_BYTES - len(kept))):
            kept += more
    return kept


class _Line:
    """A socket as http.client uses one, each of whose waits ends at the deadline.

    A socket's own timeout starts anew with every byte, so that a server may drip for ever.
    """

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        self._socket = connected
        self._deadline = deadline
        self.ended = False

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self._deadline.left())
            rest = rest[self._socket.send(rest) :]

    def receive(self, buffer: memoryview) -> int:
        self._socket.settimeout(self._deadline.left())
        count = self._socket.recv_into(buffer)
        self.ended = count == 0
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Leave the socket open: http.client closes it before the body is read."""


class _Incoming(io.RawIOBase):
    """What comes in on a line."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._line.receive(memoryview(buffer))

"""HTTP to the embedded engine by the shortest way, so that tests take half the time."""

from __future__ import annotations

import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

_SECONDS = 10


class _Raw:
    """The body as botocore takes it from urllib3."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


class ShortWire:
    """Connections that stay open, each used by one call at a time; what they carry is botocore's.

    Not urllib3 over http.client: theirs was most of the time that the tests took.
    """

    def __init__(self) -> None:
        self._idle: defaultdict[str, list[_Connection]] = defaultdict(list)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Send *request* and return its answer, or raise as botocore's own session does."""
        host = urlsplit(request.url).netloc
        lines = [b"POST / HTTP/1.1\r\nHost: %s\r\n" % host.encode()]
        lines += [b"%s: %s\r\n" % (_bytes(k), _bytes(v)) for k, v in request.headers.items()]
        body = request.body or b""
        assert isinstance(body, str | bytes)
        message = b"".join([*lines, b"\r\n", _bytes(body)])
        try:
            connection = self._connection(host)
            try:
                connection.sender.sendall(message)
                status, headers, answer = _read(connection.reader)
            except BaseException:
                connection.close()
                raise
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except OSError as error:
            self.close()  # whoever answered there may be gone
            raise ConnectionClosedError(endpoint_url=request.url, error=error) from error
        self._idle[host].append(connection)
        # It makes headers of its own of whatever has items.
        given = cast("HTTPHeaders", headers)
        response = AWSResponse(request.url, status, given, _Raw(answer))
        assert response.content == answer  # it is read once, and kept
        return response

    def close(self) -> None:
        """Close every connection that is not in use."""
        for connections in self._idle.values():
            while connections:
                connections.pop().close()

    def _connection(self, host: str) -> _Connection:
        try:
            return self._idle[host].pop()
        except IndexError:
            return _Connection(host)


class _Connection:
    def __init__(self, host: str) -> None:
        address, _, port = host.partition(":")
        self.sender = socket.create_connection((address, int(port)), timeout=_SECONDS)
        self.sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.sender.makefile("rb")

    def close(self) -> None:
        self.reader.close()
        self.sender.close()


@contextmanager
def short_wires() -> Iterator[None]:
    """Have botocore reach loopback by a `ShortWire`, all else as ever, in a with block."""
    wire = ShortWire()
    usual = URLLib3Session.send

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        if request.method == "POST" and request.url.startswith("http://127.0.0.1:"):
            return wire.send(request)
        return usual(session, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", send)
        try:
            yield
        finally:
            wire.close()


def _read(reader: BinaryIO) -> tuple[int, dict[str, str], bytes]:
    first = reader.readline()
    if not first:
        raise ConnectionResetError
    headers = {}
    while line := reader.readline().rstrip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name] = value.strip()
    length = next(int(v) for name, v in headers.items() if name.lower() == "content-length")
    return int(first.split()[1]), headers, reader.read(length)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()

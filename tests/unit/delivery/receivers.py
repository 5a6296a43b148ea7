"""Servers on the loopback that do to a connection whatever a test says."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], None]

FOR_EVER = 3.0
"""Seconds; a client that never gives up then fails its test, instead of hanging it."""


class Receiver:
    """A server that handles each connection as *behaviour* says, and keeps what it was sent."""

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._behaviour = behaviour
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/SECRET?token=SECRET"

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._handle, args=(connected,))
            self._threads.append(thread)
            thread.start()

    def _handle(self, connected: socket.socket) -> None:
        # A client that goes away ends any behaviour; so does the end of the test.
        connected.settimeout(5)
        with connected, suppress(OSError):
            if self._tls is None:
                self._behaviour(connected)
                return
            with self._tls.wrap_socket(connected, server_side=True) as encrypted:
                self._behaviour(encrypted)

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()


@contextmanager
def receiving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(behaviour, tls)
    try:
        yield receiver
    finally:
        receiver.close()


def read_request(connected: socket.socket) -> bytes:
    """Return a whole request: its head, and the body that its Content-Length announces."""
    given = b""
    while b"\r\n\r\n" not in given:
        given += _received(connected)
    head, _, body = given.partition(b"\r\n\r\n")
    [length] = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < length:
        body += _received(connected)
    return head + b"\r\n\r\n" + body


def _received(connected: socket.socket) -> bytes:
    data = connected.recv(65536)
    if not data:
        raise ConnectionResetError
    return data


def answering(*parts: bytes, seen: list[bytes] | None = None) -> Behaviour:
    """Return the behaviour of a server that reads, answers with *parts*, and closes."""

    def behave(connected: socket.socket) -> None:
        request = read_request(connected)
        if seen is not None:
            seen.append(request)
        for part in parts:
            connected.sendall(part)

    return behave


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def until_gone(connected: socket.socket) -> None:
    """Say nothing until the client goes away."""
    while connected.recv(65536):
        pass


def streaming(start: bytes, piece: bytes, pause: float = 0.0) -> Behaviour:
    """Return the behaviour of a server that reads, sends *start*, and then *piece* for ever."""

    def behave(connected: socket.socket) -> None:
        read_request(connected)
        connected.sendall(start)
        end = time.monotonic() + FOR_EVER
        while time.monotonic() < end:
            connected.sendall(piece)
            time.sleep(pause)

    return behave

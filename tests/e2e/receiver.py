"""A receiver of webhooks on this machine: it keeps what arrives, and answers as it is told."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

PATIENCE = 60
"""Seconds that a test waits for what must arrive."""


@dataclass(frozen=True)
class Arrival:
    """One request: its headers by lower-case name, its body, and when it came (monotonic)."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    def verified(self, secret: str) -> Any:
        """The event, once an independent verifier has found its signature good."""
        return Webhook(secret).verify(self.body, dict(self.headers))

    def verified_whenever(self, secret: str) -> Any:
        """The same under a clock that was moved, which a verifier takes for a replay."""
        at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        signed = Webhook(secret).sign(self.headers["webhook-id"], at, self.body.decode())
        assert signed in self.headers["webhook-signature"].split()
        return self.event


@dataclass
class Receiver:
    """Where it listens, and what has arrived."""

    url: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    answer: Callable[[Arrival], int] = lambda _: 200
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, count: int) -> list[Arrival]:
        """Return everything, once there are *count* of them."""
        with self.changed:
            arrived = self.changed.wait_for(lambda: len(self.arrivals) >= count, PATIENCE)
            assert arrived, f"{len(self.arrivals)} of {count} arrived"
            return list(self.arrivals)

    def told(self, kind: str) -> list[Arrival]:
        """Return what arrived of one type."""
        with self.changed:
            return [each for each in self.arrivals if each.event["type"] == kind]


@contextlib.contextmanager
def listening(port: int = 0) -> Iterator[Receiver]:
    """Have a receiver for the length of a with block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the base class's name for it
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            arrival = Arrival(self.path, headers, body, time.monotonic())
            self.send_response(receiver.answer(arrival))
            self.end_headers()
            with receiver.changed:
                receiver.arrivals.append(arrival)
                receiver.changed.notify_all()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()

"""Line 8: from a write's answer to its webhook's first byte, in the whole local cloud.

The floor is the write's own request: what the same processes take to answer it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path
from statistics import median, quantiles
from typing import Any, cast
from urllib.parse import urlsplit

from bench.report import Line
from local.console import LocalCloudError
from local.dynamodb import ROOT, TETHER
from local.folder import DataFolder

_PATIENCE = 60
"""Seconds for a start, and for a delivery."""
_PATH = "/functions/v1/api-inbound"
_HEALTHY, _FALLEN = {"logins": 22, "adoption": 79}, {"logins": 12, "adoption": 40}
_NOT_INHERITED = ("AWS_", "VITALS_", "TABLE_NAME")


def line(writes: int = 40) -> list[Line]:
    """Return how long a rule's message is on its way, where nothing else is."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _cloud(Path(folder) / "data") as cloud,
        _receiver() as (url, arrivals),
    ):
        made = cloud.send("put_connection", {"name": "Bench", "kind": "webhook", "url": url})
        event = {"type": "health_below_threshold", "threshold": 50}
        rule = {"name": "Below 50", "connections": [made["data"]["id"]], "events": [event]}
        cloud.send("put_alert_rule", rule)
        # What starts with the first of them is no part of the figure.
        timed = [_timed(cloud, arrivals) for _ in range(writes + 3)][3:]
    on_the_way = [arrived - answered for _, answered, arrived in timed]
    answers = [answered - sent for sent, answered, _ in timed]
    late = quantiles(on_the_way, n=20)[-1]
    return [
        Line(
            what="8. A write's answer to its webhook's first byte",
            measured=f"{median(on_the_way) * 1000:,.0f} ms (of 20 one takes {late * 1000:,.0f})",
            floor=f"{median(answers) * 1000:,.0f} ms: the write's own request",
            ratio=median(on_the_way) / median(answers),
            target="seconds",
        )
    ]


@dataclass
class _Cloud:
    port: int
    key: str

    def send(self, action: str, data: Mapping[str, Any]) -> Any:
        """Return the answer of an action. Raises AssertionError if it is refused."""
        asked = json.dumps({"action": action, "data": data})
        headers = {"content-type": "application/json", "x-api-key": self.key}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
            connection.request("POST", _PATH, asked, headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        if answer.status != 200:
            raise AssertionError(body)
        return body


def _timed(cloud: _Cloud, arrivals: queue.SimpleQueue[float]) -> tuple[float, float, float]:
    """Return when a write was sent, when it was answered, and when its message arrived."""
    cloud.send("upsert_account", {"name": "Acme", **_HEALTHY})
    sent = time.perf_counter()
    cloud.send("upsert_account", {"name": "Acme", **_FALLEN})
    answered = time.perf_counter()
    return sent, answered, arrivals.get(timeout=_PATIENCE)


@contextlib.contextmanager
def _receiver() -> Iterator[tuple[str, queue.SimpleQueue[float]]]:
    """Give the URL of a receiver, and the instants at which a message's first byte was there."""
    arrivals: queue.SimpleQueue[float] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            if cast("BufferedReader", self.rfile).peek(1):
                arrivals.put(time.perf_counter())
                self.handle_one_request()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", arrivals
        server.shutdown()


@contextlib.contextmanager
def _cloud(folder: Path) -> Iterator[_Cloud]:
    """Run the local cloud, as `make run` does, on an empty folder and a free port."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    run = [sys.executable, "-m", "local", "run", "--folder", str(folder), "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-IS", str(TETHER), *run],
        cwd=ROOT,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as process:
        try:
            url = _started(folder, process)
            key = (folder / "api-key").read_text(encoding="utf-8").strip()
            yield _Cloud(urlsplit(url).port or 0, key)
        finally:
            os.killpg(process.pid, signal.SIGINT)


def _started(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Return the URL of the local cloud once it serves."""
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(LocalCloudError):
            state = DataFolder(folder).running() if folder.exists() else None
            if state is not None:
                return str(state["url"])
        time.sleep(0.05)
    raise LocalCloudError("the local cloud did not start")

"""How one command asks the local cloud that runs to move its clock."""

import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from local.console import LocalCloudError, complain, say
from local.folder import DataFolder

_MAX_REQUEST = 1000

Tick = Callable[[datetime, Callable[[str], object]], None]


class Control(ThreadingTCPServer):
    """A loopback port for those who can read the data folder, and there the *key*."""

    daemon_threads = True

    def __init__(self, tick: Tick) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tick = tick
        self.port = int(self.server_address[1])
        self.key = secrets.token_hex(16)

    def start(self) -> None:
        """Begin to answer; shutdown() ends it."""
        threading.Thread(
            target=self.serve_forever, args=(0.1,), name="control", daemon=True
        ).start()


class _Handler(StreamRequestHandler):
    """One request, answered by a line of JSON for each thing there is to say."""

    server: Control

    def handle(self) -> None:
        """Move the clock, if the key is right."""
        try:
            request = json.loads(self.rfile.readline(_MAX_REQUEST))
            key, until = str(request["key"]), datetime.fromisoformat(request["time"])
        except (KeyError, TypeError, ValueError):
            return
        if not hmac.compare_digest(key.encode(), self.server.key.encode()):
            return
        try:
            self._tick(until)
        except ConnectionError:
            say("The clock stays where it is: who moved it went away.")

    def _tick(self, until: datetime) -> None:
        try:
            self.server.tick(until, lambda line: self._write(said=line))
        except LocalCloudError as error:
            complain(str(error))
            self._write(error=str(error))
        else:
            self._write(done=True)

    def _write(self, **answer: object) -> None:
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def tick(folder: DataFolder, text: str) -> None:
    """Have the local cloud on *folder* move its clock to an instant, and say what it ran."""
    until = _instant(text)
    state = folder.running()
    if state is None or state.get("control") is None:
        raise LocalCloudError(f"No local cloud runs on {folder.path}: `make run` starts one.")
    request = {"key": state["control_key"], "time": until.isoformat()}
    try:
        with (
            socket.create_connection(("127.0.0.1", state["control"])) as connection,
            connection.makefile("rw", encoding="utf-8") as lines,
        ):
            lines.write(json.dumps(request) + "\n")
            lines.flush()
            if any(_is_last(json.loads(line)) for line in lines):
                return
    except ConnectionError as error:
        raise LocalCloudError(f"The local cloud does not answer: {error}.") from error
    raise LocalCloudError("The local cloud ended before the clock was there.")


def _is_last(answer: dict[str, Any]) -> bool:
    if "error" in answer:
        raise LocalCloudError(answer["error"])
    if answer.get("said"):
        say(answer["said"])
    return "done" in answer


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = datetime.min  # noqa: DTZ901 - as one without a time zone
    if instant.tzinfo is None:
        raise LocalCloudError(f"TIME={text} is no instant; one is TIME=2026-12-24T09:00:00Z.")
    return instant

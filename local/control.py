"""How a command, or a demonstration, asks the local cloud that runs to move its clock."""

import contextlib
import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Protocol, TextIO

from local.console import LocalCloudError, complain, say
from local.folder import DataFolder

_MAX_REQUEST = 1000


class Tick(Protocol):
    """What moves the clock, and tells what it ran."""

    def __call__(
        self, until: datetime, tell: Callable[[str], object], pause: bool = False, /
    ) -> None:
        """Move the clock forward to *until*."""


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
    """One connection: requests, each answered by a line of JSON for each thing there is to say."""

    server: Control
    disable_nagle_algorithm = True  # an answer is several short lines

    def handle(self) -> None:
        """Move the clock at each request, as long as they have the key."""
        while line := self.rfile.readline(_MAX_REQUEST):
            try:
                request = json.loads(line)
                key, until = str(request["key"]), datetime.fromisoformat(request["time"])
                pause = bool(request.get("pause"))
            except (KeyError, TypeError, ValueError):
                return
            if not hmac.compare_digest(key.encode(), self.server.key.encode()):
                return
            try:
                self._tick(until, pause)
            except ConnectionError:
                say("The clock stays where it is: who moved it went away.")
                return

    def _tick(self, until: datetime, pause: bool) -> None:
        try:
            self.server.tick(until, lambda line: self._write(said=line), pause)
        except LocalCloudError as error:
            complain(str(error))
            self._write(error=str(error))
        else:
            self._write(done=True)

    def _write(self, **answer: object) -> None:
        self.wfile.write(json.dumps(answer).encode() + b"\n")


class Hand:
    """A hand at the clock of the local cloud that runs, for as many moves as are wanted."""

    def __init__(self, lines: TextIO, key: str) -> None:
        self._lines = lines
        self._key = key

    def move(self, until: datetime, pause: bool = False) -> list[str]:
        """Move the clock forward to *until*; return what there is to say of what was run.

        With a *pause* it is as if the local cloud had not run until then. Raises LocalCloudError.
        """
        return list(self.moving(until, pause))

    def moving(self, until: datetime, pause: bool = False) -> Iterator[str]:
        """Do what move() does, and yield each line when it is said."""
        request = {"key": self._key, "time": until.isoformat(), "pause": pause}
        try:
            self._lines.write(json.dumps(request) + "\n")
            self._lines.flush()
            for line in self._lines:
                answer: dict[str, Any] = json.loads(line)
                if "error" in answer:
                    raise LocalCloudError(answer["error"])
                if answer.get("said"):
                    yield str(answer["said"])
                if "done" in answer:
                    return
        except ConnectionError as error:
            raise LocalCloudError(f"The local cloud does not answer: {error}.") from error
        raise LocalCloudError("The local cloud ended before the clock was there.")


@contextlib.contextmanager
def hand(folder: DataFolder) -> Iterator[Hand]:
    """Have a hand at the clock of the local cloud on *folder*, over one connection."""
    state = folder.running()
    if state is None or state.get("control") is None:
        raise LocalCloudError(f"No local cloud runs on {folder.path}: `make run` starts one.")
    try:
        connection = socket.create_connection(("127.0.0.1", state["control"]))
    except ConnectionError as error:
        raise LocalCloudError(f"The local cloud does not answer: {error}.") from error
    with connection, connection.makefile("rw", encoding="utf-8") as lines:
        yield Hand(lines, str(state["control_key"]))


def tick(folder: DataFolder, text: str, pause: bool = False) -> None:
    """Have the local cloud on *folder* move its clock to an instant, and say what it ran."""
    until = instant(text)
    with hand(folder) as clock:
        for line in clock.moving(until, pause):
            say(line)


def instant(text: str, option: str = "TIME") -> datetime:
    """Return the instant that a person wrote, or raise LocalCloudError with the *option*'s name."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - as one without a time zone
    if found.tzinfo is None:
        raise LocalCloudError(
            f"{option}={text} is no instant; one is {option}=2026-12-24T09:00:00Z."
        )
    return found

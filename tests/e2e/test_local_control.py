"""Asking the local cloud that runs to move its clock: who may, what is told, how it ends."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from local.console import LocalCloudError
from local.control import Control, hand, tick
from local.folder import DataFolder

TIME = "2026-12-24T09:00:00Z"


class Served:
    """A folder that is held, and a control that answers for it as a test says."""

    def __init__(self, path: Path) -> None:
        self.folder = DataFolder(path)
        self.asked: list[datetime] = []
        self.pauses: list[bool] = []
        self.lines: list[str] = []
        self.error: Exception | None = None
        self.control = Control(self._tick)
        self.control.start()

    def announce(self, **changes: str | int | None) -> None:
        state: dict[str, str | int | None] = {"control": self.control.port}
        state |= {"control_key": self.control.key, **changes}
        self.folder.announce(pid=os.getpid(), url=None, **state)

    def _tick(self, until: datetime, tell: Callable[[str], object], pause: bool = False, /) -> None:
        self.asked.append(until)
        self.pauses.append(pause)
        for line in self.lines:
            tell(line)
        if self.error is not None:
            raise self.error


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "folder")
    with made.control, made.folder.held():
        made.announce()
        yield made
        made.control.shutdown()


def test_what_was_run_is_printed_as_it_is_told(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.lines = ["first", "", "é"]
    tick(served.folder, TIME)
    assert served.asked == [datetime(2026, 12, 24, 9, tzinfo=UTC)]
    assert capsys.readouterr().out == "first\né\n"


def test_a_refusal_is_what_the_person_sees_after_what_was_done(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.lines, served.error = ["first"], LocalCloudError("It never goes back.")
    with pytest.raises(LocalCloudError, match=r"^It never goes back\.$"):
        tick(served.folder, TIME)
    assert capsys.readouterr().out == "first\n"


def test_a_pause_is_asked_for_as_such(served: Served) -> None:
    tick(served.folder, TIME)
    tick(served.folder, TIME, pause=True)
    assert served.pauses == [False, True]


def test_one_connection_is_enough_for_many_moves_and_a_refusal_does_not_end_it(
    served: Served,
) -> None:
    served.lines = ["ran"]
    start = datetime(2026, 12, 24, 9, tzinfo=UTC)
    moves = [start + timedelta(days=days) for days in range(200)]
    with hand(served.folder) as clock:
        began = time.monotonic()
        assert all(clock.move(each, pause=True) == ["ran"] for each in moves)
        assert time.monotonic() - began < 200 * 0.01, "no packet waits for another"
        served.error = LocalCloudError("It never goes back.")
        with pytest.raises(LocalCloudError, match=r"^It never goes back\.$"):
            clock.move(start)
        served.error = None
        assert clock.move(start) == ["ran"]
    assert served.asked == [*moves, start, start]


def test_who_does_not_know_the_key_moves_nothing(served: Served) -> None:
    served.announce(control_key="wrong")
    with pytest.raises(LocalCloudError, match="ended before the clock was there"):
        tick(served.folder, TIME)
    assert served.asked == []


@pytest.mark.parametrize("request_line", ["", "x", "[]", "{}", '{"key": "é", "time": "soon"}'])
def test_what_is_no_request_is_not_answered(served: Served, request_line: str) -> None:
    with contextlib.closing(
        socket.create_connection(("127.0.0.1", served.control.port))
    ) as connection:
        connection.sendall(f"{request_line}\n".encode())
        assert connection.recv(100) == b""
    assert served.asked == []


def test_a_local_cloud_that_is_gone_is_said_to_be(served: Served) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        served.announce(control=int(free.getsockname()[1]))
        with pytest.raises(LocalCloudError, match="does not answer"):
            tick(served.folder, TIME)


def test_an_invocation_that_works_alone_has_no_clock_to_move(served: Served) -> None:
    served.folder.announce(pid=os.getpid(), url=None, dynamodb=None)
    with pytest.raises(LocalCloudError, match="No local cloud runs on"):
        tick(served.folder, TIME)


def test_the_key_is_for_the_owner_of_the_folder_alone(served: Served) -> None:
    state = served.folder.path / "running.json"
    assert json.loads(state.read_text())["control_key"] == served.control.key
    assert state.stat().st_mode & 0o077 == 0

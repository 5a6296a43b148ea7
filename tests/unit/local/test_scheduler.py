"""Schedules at work: what runs when, what is made up for, and what a tick runs on its way."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from local.clock import LocalClock
from local.console import LocalCloudError
from local.functions import FunctionError, RunningFunction
from local.scheduler import Scheduler
from local.schedules import Schedule
from local.template import Function

QUARTERLY = Schedule("F.Quarterly", "F", '{"time": "<aws.scheduler.scheduled-time>"}',
                     "0/15 * * * *", timedelta(0))  # fmt: skip
DAILY = Schedule("F.Daily", "F", '{"day": "<aws.scheduler.scheduled-time>"}',
                 "0 0 * * *", timedelta(0))  # fmt: skip
DAY = timedelta(days=1)
MOMENT = timedelta(seconds=5)


class Scripted(RunningFunction):
    """A function that remembers its events and what the clock said at each."""

    def __init__(self, clock: LocalClock) -> None:
        super().__init__(Function("F", "", "", Path(), (), 1, 128, {}), {"AWS_REGION": "eu-west-1"})
        self.events: list[dict[str, str]] = []
        self.seen: list[datetime] = []
        self.answer: Callable[[], str] = lambda: "{}"
        self._clock = clock

    def invoke(self, event: Any) -> str:
        self.events.append(event)
        self.seen.append(self._clock.now())
        return self.answer()


class Cloud:
    """A scheduler on a clock that stands just behind a quarter of an hour, tomorrow."""

    def __init__(self, folder: Path) -> None:
        tomorrow = (datetime.now(UTC) + DAY).replace(hour=23, minute=31, second=0, microsecond=0)
        self.begun = tomorrow
        self.clock = LocalClock(folder / "clock.json")
        self.clock.keep({each.name: tomorrow for each in (QUARTERLY, DAILY)}, tomorrow)
        self.function = Scripted(self.clock)
        self.messages = 0
        self.told: list[str] = []
        self.scheduler = Scheduler(
            (QUARTERLY, DAILY), {"F": self.function}, self.clock, lambda: self.messages, 0.01
        )

    def at(self, hours: int, minutes: int) -> datetime:
        """Return an instant of the day after the clock's."""
        return self.begun.replace(hour=0, minute=0) + DAY + timedelta(hours=hours, minutes=minutes)

    def tick(self, until: datetime) -> list[str]:
        self.scheduler.tick(until, self.told.append)
        return [line for line in self.told if line]

    @property
    def times(self) -> list[str]:
        """When each event was due, in the order in which they came."""
        return [next(iter(event.values()))[11:16] for event in self.function.events]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    made = Cloud(tmp_path)
    yield made
    made.scheduler.stop()
    if made.scheduler.is_alive():
        made.scheduler.join()


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_tick_runs_what_falls_due_in_order_each_with_its_own_time(cloud: Cloud) -> None:
    cloud.tick(cloud.at(0, 20))
    assert cloud.times == ["23:45", "00:00", "00:00", "00:15"]
    assert [next(iter(event)) for event in cloud.function.events[1:3]] == ["time", "day"]


def test_while_ticking_the_clock_says_when_each_occurrence_is_and_then_the_end(
    cloud: Cloud,
) -> None:
    cloud.tick(cloud.at(0, 20))
    due = [cloud.begun.replace(minute=45), cloud.at(0, 0), cloud.at(0, 0), cloud.at(0, 15)]
    for seen, at in zip(cloud.function.seen, due, strict=True):
        assert at <= seen < at + MOMENT
    assert cloud.at(0, 20) <= cloud.clock.now() < cloud.at(0, 20) + MOMENT


def test_an_occurrence_waits_for_all_that_followed_from_the_one_before(tmp_path: Path) -> None:
    cloud, order = Cloud(tmp_path), list[str]()

    def settle() -> int:
        order.append("settled")
        return 0

    def answer() -> str:
        order.append("ran")
        return "{}"

    cloud.function.answer = answer
    waiting = Scheduler((QUARTERLY,), {"F": cloud.function}, cloud.clock, settle)
    waiting.tick(cloud.at(0, 5), cloud.told.append)
    assert order == ["settled", "ran", "settled", "ran", "settled"]


def test_what_falls_due_at_one_instant_is_settled_once(tmp_path: Path) -> None:
    cloud, order = Cloud(tmp_path), list[str]()

    def settle() -> int:
        order.append("settled")
        return len(order)

    def answer() -> str:
        order.append(cloud.times[-1])
        return "{}"

    cloud.function.answer = answer
    waiting = Scheduler((QUARTERLY, DAILY), {"F": cloud.function}, cloud.clock, settle)
    waiting.tick(cloud.at(0, 5), cloud.told.append)
    assert order == ["settled", "23:45", "settled", "00:00", "00:00", "settled"]
    assert cloud.told[1].endswith("F answered {}; F answered {}; messages handled: 3")


def test_a_tick_tells_of_what_something_followed_from_and_sums_up_the_rest(cloud: Cloud) -> None:
    def answer() -> str:
        if cloud.times[-1] == "23:45":
            cloud.messages += 2
        return '{"started": 2}'

    cloud.function.answer = answer
    first, last = cloud.tick(cloud.at(0, 5))
    assert first.endswith('T23:45:00Z  F answered {"started": 2}; messages handled: 2')
    assert last.endswith("T00:05:00Z  F ran 3 times")
    assert len(cloud.told) == 3, "an instant of which nothing follows is told without a line"


def test_what_a_tick_ran_is_not_run_again(cloud: Cloud) -> None:
    cloud.tick(cloud.at(0, 20))
    assert cloud.tick(cloud.at(0, 25))[-1].endswith("Nothing fell due.")
    assert len(cloud.times) == 4


def test_a_clock_is_not_moved_back(cloud: Cloud) -> None:
    with pytest.raises(LocalCloudError, match=r"T23:31:0.Z, and never goes back"):
        cloud.tick(cloud.begun - MOMENT)
    assert cloud.function.events == []


def test_a_tick_ends_where_a_run_fails_and_that_run_is_not_done(cloud: Cloud) -> None:
    def fail() -> str:
        raise FunctionError("ValueError", "no such day")

    cloud.function.answer = fail
    with pytest.raises(LocalCloudError, match=r"F failed at .*T23:45:00Z: ValueError: no such day"):
        cloud.tick(cloud.at(0, 20))
    assert cloud.clock.now() < cloud.begun.replace(minute=45) + MOMENT
    cloud.function.answer = lambda: "{}"
    cloud.tick(cloud.at(0, 5))
    assert cloud.times == ["23:45", "23:45", "00:00", "00:00"]


def test_a_tick_that_nobody_waits_for_any_more_ends(cloud: Cloud) -> None:
    def gone(_line: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        cloud.scheduler.tick(cloud.at(5, 0), gone)
    assert cloud.times == ["23:45"]


def test_a_tick_that_the_stop_cuts_short_leaves_its_occurrence_to_be_run_again(
    cloud: Cloud,
) -> None:
    def interrupted() -> str:
        cloud.scheduler.stop()
        return "{}"

    cloud.function.answer = interrupted
    with pytest.raises(LocalCloudError, match="was stopped"):
        cloud.tick(cloud.at(5, 0))
    assert cloud.clock.ran("F.Quarterly") == cloud.begun


def test_a_pause_runs_the_latest_of_each_and_the_clock_says_its_end_at_all_of_them(
    cloud: Cloud,
) -> None:
    until = cloud.at(7, 50) + 13 * DAY
    cloud.scheduler.tick(until, cloud.told.append, pause=True)
    assert cloud.times == ["00:00", "07:45"]
    assert [next(iter(event.values()))[:10] for event in cloud.function.events] == [
        f"{until:%Y-%m-%d}", f"{until:%Y-%m-%d}",
    ]  # fmt: skip
    assert all(until <= seen < until + MOMENT for seen in cloud.function.seen)
    assert cloud.told[-1].endswith("T07:50:00Z  F ran 2 times")
    cloud.scheduler.tick(until + timedelta(minutes=5), cloud.told.append, pause=True)
    assert len(cloud.times) == 2, "what it ran is not run again"
    cloud.tick(until + timedelta(minutes=15))
    assert cloud.times[2:] == ["08:00"]


def test_a_pause_begins_when_all_is_done_that_was_due_before(tmp_path: Path) -> None:
    cloud, said = Cloud(tmp_path), list[tuple[str, datetime]]()

    def settle() -> int:
        said.append(("settled", cloud.clock.now()))
        return 0

    def answer() -> str:
        said.append(("ran", cloud.clock.now()))
        return "{}"

    cloud.function.answer = answer
    until = cloud.at(7, 50)
    waiting = Scheduler((QUARTERLY,), {"F": cloud.function}, cloud.clock, settle)
    waiting.tick(until, cloud.told.append, pause=True)
    assert [what for what, _ in said] == ["settled", "ran", "settled"]
    assert said[0][1] < cloud.begun + MOMENT
    assert said[1][1] >= until


def test_a_pause_in_which_a_run_fails_leaves_that_run_to_be_made(cloud: Cloud) -> None:
    def fail() -> str:
        raise FunctionError("ValueError", "no such day")

    cloud.function.answer = fail
    with pytest.raises(LocalCloudError, match=r"F failed at .*T00:00:00Z: ValueError"):
        cloud.scheduler.tick(cloud.at(7, 50), cloud.told.append, pause=True)
    cloud.function.answer = lambda: "{}"
    cloud.scheduler.tick(cloud.at(7, 50) + MOMENT, cloud.told.append, pause=True)
    assert cloud.times == ["00:00", "00:00", "07:45"]


def test_what_was_missed_is_run_once_at_the_start_the_latest_of_each(cloud: Cloud) -> None:
    cloud.clock.keep(now=cloud.at(7, 50))
    cloud.scheduler.start()
    wait_until(lambda: len(cloud.times) == 2)
    assert cloud.times == ["00:00", "07:45"]
    wait_until(lambda: cloud.clock.ran("F.Quarterly") == cloud.at(7, 45))
    again = Scheduler((QUARTERLY, DAILY), {"F": cloud.function}, cloud.clock, int)
    again.tick(cloud.at(7, 55), cloud.told.append)
    assert len(cloud.times) == 2


def test_what_falls_due_runs_by_itself(cloud: Cloud) -> None:
    cloud.clock.keep(now=cloud.begun.replace(minute=44, second=59, microsecond=800_000))
    cloud.scheduler.start()
    wait_until(lambda: cloud.times)
    assert cloud.function.events == [{"time": f"{cloud.begun:%Y-%m-%d}T23:45:00Z"}]
    assert cloud.function.seen[0] >= cloud.begun.replace(minute=45)


def test_a_run_that_fails_is_tried_three_times_and_then_left_to_the_next(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> str:
        raise FunctionError("ValueError", "no such day")

    cloud.function.answer = fail
    cloud.clock.keep(now=cloud.begun.replace(minute=50))
    cloud.scheduler.start()
    wait_until(lambda: cloud.clock.ran("F.Quarterly") == cloud.begun.replace(minute=45))
    assert cloud.times == ["23:45"] * 3
    assert "ValueError: no such day (log: None); attempt 3 of 3" in capsys.readouterr().err


def test_what_the_stop_interrupts_is_run_at_the_next_start(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = threading.Event()

    def interrupted() -> str:
        begun.set()
        cloud.scheduler.stop()
        raise FunctionError("Runtime.ExitError", "the end")

    cloud.function.answer = interrupted
    cloud.clock.keep(now=cloud.begun.replace(minute=50))
    cloud.scheduler.start()
    cloud.scheduler.join()
    assert begun.is_set()
    kept = json.loads(Path(cloud.clock.variables["VITALS_CLOCK"]).read_text())
    assert datetime.fromisoformat(kept["ran"]["F.Quarterly"]) == cloud.begun
    assert capsys.readouterr().err == ""

"""Schedules at work: in real time, after a pause, and on the way to an instant."""

import heapq
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, takewhile
from operator import itemgetter

from local.clock import LocalClock, shown
from local.console import LocalCloudError, complain, say
from local.functions import EventTooLargeError, FunctionError, RunningFunction
from local.schedules import Schedule

ATTEMPTS = 3  # Lambda's, at an invocation that nobody waits for
RETRY_SECONDS = 3.0  # Lambda waits a minute, then two
_LONGEST_PAUSE = 10.0  # a machine that slept is late by its timers

Occurrence = tuple[datetime, Schedule]


class Scheduler(threading.Thread):
    """Every schedule of a template, on the local cloud's clock.

    What was missed while nobody ran it is made up for by one run of each, of the latest.
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        functions: Mapping[str, RunningFunction],
        clock: LocalClock,
        settle: Callable[[], int],
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        super().__init__(name="scheduler", daemon=True)
        self._schedules = schedules
        self._functions = functions
        self._clock = clock
        self._settle = settle
        self._retry_seconds = retry_seconds
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._awake = threading.Event()

    def run(self) -> None:
        """Run what falls due, until stop()."""
        while not self._stopping.is_set():
            with self._lock:
                self._catch_up()
            self._awake.wait(self._pause())
            self._awake.clear()

    def stop(self) -> None:
        """Start nothing any more; what is under way ends with its function."""
        self._stopping.set()
        self._awake.set()

    def tick(self, until: datetime, tell: Callable[[str], object], pause: bool = False) -> None:
        """Move the clock forward to *until*, running all that falls due on the way, in order.

        What falls due at one instant runs once everything is done that followed from what fell due
        before it. *tell* is called after each instant, with a line if messages followed from it,
        else with nothing. Where a run fails, or *tell* raises, the clock stays. Raises
        LocalCloudError.

        With a *pause* it is as if nobody had run the local cloud until then: of what fell due, the
        latest of each schedule runs, and the clock says *until* at each.
        """
        with self._lock:
            now = self._clock.now()
            if until < now:
                raise LocalCloudError(f"The clock says {shown(now)}, and never goes back.")
            say(f"The clock moves from {shown(now)} to {shown(until)}.")
            self._catch_up()
            messages, runs = self._settle(), Counter[str]()
            coming = self._missed(until) if pause else self._due(until)
            for at, occurrences in groupby(coming, key=itemgetter(0)):
                due = [schedule for _at, schedule in occurrences]
                self._clock.keep(now=until if pause else at)
                said = [f"{each.function} answered {self._invoke(each, at)}" for each in due]
                before, messages = messages, self._settle()
                if self._stopping.is_set():
                    raise LocalCloudError("The local cloud was stopped.")
                self._clock.keep({each.name: at for each in due})
                runs.update(each.function for each in due)
                said.append(f"messages handled: {messages - before}")
                tell(f"{shown(at)}  {'; '.join(said)}" if messages > before else "")
            self._clock.keep(now=until)
        self._awake.set()
        ran = "; ".join(f"{name} ran {count} times" for name, count in runs.items())
        tell(f"{shown(until)}  {ran or 'Nothing fell due.'}")

    def _catch_up(self) -> None:
        """Run the latest occurrence of each schedule, if it is not done."""
        for at, schedule in self._missed(self._clock.now()):
            if self._is_over(schedule, at):
                self._clock.keep({schedule.name: at})

    def _missed(self, now: datetime) -> list[Occurrence]:
        """Return the latest occurrence of each schedule up to *now*, if it is not done."""
        latest = ((schedule.latest(now), schedule) for schedule in self._schedules)
        return [
            (at, schedule)
            for at, schedule in sorted(latest, key=itemgetter(0))
            if at > self._clock.ran(schedule.name)
        ]

    def _is_over(self, schedule: Schedule, at: datetime) -> bool:
        """Invoke what is due *at* then, up to three times; False is for the next start."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._invoke(schedule, at)
            except LocalCloudError as error:
                if self._stopping.is_set():
                    return False
                complain(f"{error}; attempt {attempt} of {ATTEMPTS}")
                if attempt < ATTEMPTS and self._stopping.wait(self._retry_seconds):
                    return False
            else:
                break
        return True

    def _invoke(self, schedule: Schedule, at: datetime) -> str:
        function = self._functions[schedule.function]
        try:
            return function.invoke(schedule.event(at))
        except FunctionError as error:
            why = f"{function.name} failed at {shown(at)}: {error} (log: {function.log})"
            raise LocalCloudError(why) from error
        except EventTooLargeError as error:
            raise LocalCloudError(f"{schedule.name}: its Input exceeds 6 MB.") from error

    def _due(self, until: datetime) -> Iterator[Occurrence]:
        """Yield what falls due and is not done, in order; at one instant, in the template's."""
        due = heapq.merge(*map(self._following, self._schedules), key=itemgetter(0))
        return takewhile(lambda occurrence: occurrence[0] <= until, due)

    def _following(self, schedule: Schedule) -> Iterator[Occurrence]:
        for at in schedule.after(self._clock.ran(schedule.name)):
            yield at, schedule

    def _pause(self) -> float:
        """Return the seconds until something falls due, or until it is time for another look."""
        now = self._clock.now()
        left = [(next(self._following(each))[0] - now).total_seconds() for each in self._schedules]
        return max(0.0, min([*left, _LONGEST_PAUSE]))

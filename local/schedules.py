"""What template.yaml says of schedules, and the instants at which they invoke their functions."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cronsim import CronSim, CronSimError

from local.clock import shown
from local.console import LocalCloudError
from local.document import FUNCTION, Document

_PLAYED = {"ScheduleExpression", "Input"}
# Names, permissions, and how an invocation that fails is tried again.
_IN_AWS = {"DeadLetterConfig", "Description", "GroupName", "KmsKeyArn", "Name", "OmitName"}
_IN_AWS |= {"PermissionsBoundary", "RetryPolicy", "RoleArn"}
_TIME = "<aws.scheduler.scheduled-time>"
_EXPRESSION = re.compile(r"cron\((?P<cron>[^()]*)\)|rate\((?P<rate>[^()]*)\)")
_UNITS = {"minute": 1, "hour": 60, "day": 60 * 24}
_MOMENT = timedelta(microseconds=1)
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Schedule:
    """One schedule of one function: by *cron*, five fields in UTC, or else every *interval*."""

    name: str
    function: str
    input: str | None
    cron: str
    interval: timedelta

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Yield the occurrences after *instant*, the soonest first."""
        if self.cron:
            yield from CronSim(self.cron, instant)
            return
        soonest = self._last(instant)
        while True:
            soonest += self.interval
            yield soonest

    def latest(self, instant: datetime) -> datetime:
        """Return the last occurrence that is not after *instant*."""
        if self.cron:
            return next(CronSim(self.cron, instant + _MOMENT, reverse=True))
        return self._last(instant)

    def event(self, occurrence: datetime) -> Any:
        """Return what the function is invoked with at *occurrence*."""
        return (
            {} if self.input is None else json.loads(self.input.replace(_TIME, shown(occurrence)))
        )

    def _last(self, instant: datetime) -> datetime:
        # In AWS a rate counts from when its schedule was made; here that must outlive a restart.
        return instant - (instant - _EPOCH) % self.interval


def schedules(document: Document) -> Iterator[Schedule]:
    """Yield every schedule of *document*; refuse what the local cloud cannot play."""
    for function in document.resources(FUNCTION):
        for event, found in document.properties(function).get("Events", {}).items():
            name = f"{function}.{event}"
            if found["Type"] == "Schedule":
                raise _cannot(name, "Schedule; use ScheduleV2")
            if found["Type"] == "ScheduleV2":
                yield _schedule(name, function, document.resolve(found["Properties"]))


def _schedule(name: str, function: str, found: Mapping[str, Any]) -> Schedule:
    for unknown in sorted(set(found) - _PLAYED - _IN_AWS):
        raise _cannot(name, unknown)
    expression = found["ScheduleExpression"]
    parts = _EXPRESSION.fullmatch(expression)
    cron = _cron(parts["cron"]) if parts and parts["cron"] else ""
    interval = _interval(parts["rate"]) if parts and parts["rate"] else timedelta(0)
    schedule = Schedule(name, function, found.get("Input"), cron, interval)
    try:
        if not (cron or interval):
            raise ValueError
        next(schedule.after(_EPOCH))
        schedule.event(_EPOCH)
    except (CronSimError, StopIteration) as error:
        raise _cannot(name, f"{expression}: {error}") from error
    except json.JSONDecodeError as error:
        raise _cannot(name, f"an Input that is not JSON: {error}") from error
    except ValueError as error:
        raise _cannot(name, expression) from error
    return schedule


def _cron(fields: str) -> str:
    """Return AWS's six *fields* as cron's five, or nothing if they cannot be said so.

    The last is the year. Of the days, one field is `?`. Days of the week that are numbers mean
    others in cron, so they have to be named.
    """
    match fields.split():
        case [minute, hour, day, month, weekday, "*"] if "?" in (day, weekday):
            if not re.search(r"\d", weekday.partition("#")[0]):
                day, weekday = (each.replace("?", "*") for each in (day, weekday))
                return f"{minute} {hour} {day} {month} {weekday}"
    return ""


def _interval(rate: str) -> timedelta:
    """Return the time between two occurrences, or none if *rate* is not of AWS's form."""
    match rate.split():
        case [count, unit] if count.isascii() and count.isdigit():
            return timedelta(minutes=int(count) * _UNITS.get(unit.removesuffix("s"), 0))
    return timedelta(0)


def _cannot(name: str, what: str) -> LocalCloudError:
    return LocalCloudError(f"The local cloud cannot play {name}: {what}.")

"""Running a job: taken once, its progress kept, stopped in time, gone on with, tried again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.errors import VitalsError
from vitals.domain.instants import iso
from vitals.domain.job import DONE, FAILED, QUEUED, RUNNING, Job
from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.usecases.context import Context

MOST_ATTEMPTS = 8
"""A job that fails so often in a row, without more done in between, has failed."""
FIRST_WAIT = timedelta(seconds=2)
"""How long a failed job waits before its second attempt; each wait doubles the one before."""
KEPT_EVERY = timedelta(seconds=3)
"""Progress is written no more often."""


class OutOfTimeError(Exception):
    """The function's time is nearly over: the job goes on in another invocation."""


class LostError(Exception):
    """The job was cancelled, or another runner has it."""


class Run:
    """One invocation's work on one job; *sleep* waits some seconds."""

    def __init__(self, context: Context, job: Job, sleep: Callable[[float], None]) -> None:
        self.job = job
        self._context = context
        self._sleep = sleep
        self._kept_at = context.clock()

    def progress(self, counted: Mapping[str, int], place: tuple[str, str] | None = None) -> None:
        """Note what was *counted* so far, and that the job goes on from *place*.

        Raises OutOfTimeError, and LostError once somebody else has written the job.
        """
        progress = {**self.job.progress, **counted}
        self.job = replace(self.job, progress=progress, place=place)
        now = self._context.clock()
        if not self._context.has_time():
            raise OutOfTimeError
        if now - self._kept_at >= KEPT_EVERY:
            self.keep()

    def wait(self, length: timedelta) -> None:
        """Wait for *length*, with the progress written; raises OutOfTimeError, LostError."""
        self.keep()
        # Counted, not looked up: a clock that steps back must not make it an hour.
        left = length.total_seconds()
        while left > 0:
            if not self._context.has_time():
                raise OutOfTimeError
            self._sleep(min(1.0, left))
            left -= 1

    def keep(self, **changes: Any) -> None:
        """Write the job as it is, with *changes*. Raises LostError."""
        self._kept_at = self._context.clock()
        wanted = replace(self.job, updated_at=self._kept_at, **changes)
        try:
            self.job = self._context.jobs.save(wanted)
        except WriteConflictError:
            # It may be our own write that is in the way, sent twice because no answer came.
            found = self._context.jobs.get(wanted.tenant_id, wanted.id)
            if found != replace(wanted, version=wanted.version + 1):
                raise LostError from None
            self.job = found


Runner = Callable[[Context, Run, Job], Mapping[str, Any]]


def run_job(
    context: Context,
    job: Job,
    runner: Runner,
    sleep: Callable[[float], None],
    trace_id: str,
) -> str:
    """Do what is left of *job* and return the state it is in then.

    A job that is over, or that another runner took, is left alone. One that runs out of time, or
    fails for the first few times, is queued again, from where it was.
    """
    if job.is_over:
        return job.state
    run = Run(context, job, sleep)
    try:
        run.keep(state=RUNNING, started_at=job.started_at or context.now)
        result = runner(context, run, job)
        run.keep(state=DONE, result=result, finished_at=context.clock(), error=None, place=None)
    except LostError:
        found = context.jobs.get(job.tenant_id, job.id)
        return found.state if found else FAILED
    except OutOfTimeError:
        return _again(run, 0)
    except Exception as error:  # noqa: BLE001 - whatever it is, the job must not be lost with it
        known = isinstance(error, VitalsError)
        if not known and not isinstance(error, StorageBusyError):
            context.report(error)
        got_on = sum(run.job.progress.values()) > sum(job.progress.values())
        attempts = 1 if got_on else job.attempts + 1
        _breathe(run, attempts)
        return _again(run, attempts, _problem(error, trace_id))
    return run.job.state


def _breathe(run: Run, attempts: int) -> None:
    """Wait before the job is tried again, longer each time: a throttled table needs it."""
    with suppress(OutOfTimeError, LostError, StorageBusyError):
        run.wait(FIRST_WAIT * 2 ** (attempts - 1))


def _again(run: Run, attempts: int, error: Mapping[str, Any] | None = None) -> str:
    """Queue the job again, or let it have failed; the queue itself tries again if that fails."""
    try:
        if attempts >= MOST_ATTEMPTS:
            now = run.job.updated_at
            run.keep(state=FAILED, error=error, attempts=attempts, finished_at=now)
        else:
            run.keep(state=QUEUED, error=error, attempts=attempts)
    except LostError:
        return "lost"
    return run.job.state


def _problem(error: Exception, trace_id: str) -> dict[str, Any]:
    """Return what the job says of *error*; what nobody foresaw is in the log alone."""
    code = "busy" if isinstance(error, StorageBusyError) else "internal_error"
    if isinstance(error, VitalsError):
        code = error.code
    return {"code": code, "detail": detail_of(error), "trace_id": trace_id}


def detail_of(error: Exception) -> str:
    """Return what may be said of *error*."""
    if isinstance(error, VitalsError):
        return error.detail
    if isinstance(error, StorageBusyError):
        return "the table was throttling"
    return "something went wrong on our side"


def place_of(customer: Customer) -> tuple[str, str]:
    """Return the place of *customer* in the roster."""
    return iso(customer.updated_at), customer.id

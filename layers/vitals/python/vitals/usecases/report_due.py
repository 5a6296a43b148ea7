"""Report schedules that are due: each occurrence starts one job, however often it is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from vitals.domain.instants import iso
from vitals.domain.job import CANCELLED, DONE, FAILED, QUEUED, Job
from vitals.domain.job import REPORT as REPORT_JOB
from vitals.domain.rule_document import schedule_of
from vitals.storage.ports import Entry, StorageBusyError, Wake, WriteConflictError
from vitals.storage.reaction_ports import REPORT
from vitals.usecases import occurrences
from vitals.usecases.context import Context
from vitals.usecases.occurrences import SCHEDULED
from vitals.usecases.report_schedules import schedule_entry

_AGAIN = "#again"
"""What the key of a second look at an occurrence ends with, behind the schedule's id."""
WAITS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(days=1))
"""How long an occurrence is left to its job until the next look; the last wait over and over."""


def start_reports(
    context_of: Callable[[str], Context | None],
    due: Iterable[Wake],
    forget: Callable[[Wake], None],
    report: Callable[[Exception], None],
) -> int:
    """Start the report of every schedule that is *due*, and return how many.

    Of occurrences that were missed the latest alone is sent (IQ-147). One whose job did not end
    well starts again until it has, or another occurrence takes its place. What fails is due again
    at the next run, and stops nothing else; *report* is told of what nobody foresaw.
    """
    started = 0
    for wake in _in_turn(due):
        try:
            context = context_of(wake.tenant_id)
            if context is None:
                forget(wake)
                continue
            if not context.has_time():
                break
            if wake.key.endswith(_AGAIN):
                _start_again(context, wake)
            else:
                started += _start(context, wake)
        except (StorageBusyError, WriteConflictError):
            # The next run takes it, or another one has it.
            continue
        except Exception as error:  # noqa: BLE001 - one tenant's fault must not stop the others
            report(error)
    return started


def _in_turn(due: Iterable[Wake]) -> Iterator[Wake]:
    """Yield what is *due*, second looks last, and none where the next occurrence is due as well.

    A run that breaks off between the two would send both. Held until then are keys alone: one
    second look at most for each schedule whose latest job has not ended.
    """
    looks: list[Wake] = []
    begins: set[tuple[str, str]] = set()
    for wake in due:
        if wake.key.endswith(_AGAIN):
            looks.append(wake)
        else:
            begins.add((wake.tenant_id, wake.key))
            yield wake
    for wake in looks:
        if (wake.tenant_id, wake.key.removesuffix(_AGAIN)) not in begins:
            yield wake


def _start(context: Context, wake: Wake) -> bool:
    entry = schedule_entry(context, wake.key)
    if entry is None or not entry.document["enabled"]:
        context.outbound.wakes.done(wake)
        return False
    schedule = schedule_of(entry.document["schedule"])
    following = schedule.next_after(context.now, context.where)
    latest = schedule.last_until(context.now, context.where)
    if following is None or latest is None:
        return False
    early = following - wake.at < wake.at - latest
    if early or context.tenant.suspended_at is not None:
        # The tenant's clock was put back since the wake was set: what it stands for is to come. A
        # tenant that is closed sends nothing, and nothing later of what was due meanwhile.
        context.outbound.wakes.move(wake, following)
        return False
    # The tenant's clock may have been put on since the wake was set: never before it.
    at = max(latest, wake.at)
    job = Job(
        id=context.new_id(context.now),
        tenant_id=context.tenant.id,
        kind=REPORT_JOB,
        by="schedule",
        created_at=context.now,
        params={
            "schedule_id": entry.id,
            "purpose": SCHEDULED,
            "occurrence": iso(at),
            "secret": context.outbound.new_token(),
        },
    )
    again = Wake(wake.tenant_id, REPORT, entry.id + _AGAIN, context.now + WAITS[0])
    occurrence = occurrences.begun(entry.id, at, job)
    context.outbound.wakes.start(wake, following, job, again, occurrence)
    return True


def _start_again(context: Context, wake: Wake) -> None:
    """Start the job of a schedule's latest occurrence again, unless it ended or is under way.

    It is the same job, so that nobody is sent it twice, with figures as of now. Whatever kept it
    from its end, its message being set aside, too, is over or not at the next look.
    """
    schedule_id = wake.key.removesuffix(_AGAIN)
    entry = schedule_entry(context, schedule_id)
    if entry is None:
        # It may have begun while its schedule was being deleted.
        occurrences.drop(context, schedule_id)
    occurrence = occurrences.latest(context, schedule_id) if entry else None
    job = _job_of(context, occurrence)
    if job is not None and job.is_over:
        occurrences.note_end(context, occurrence, job)
    closed = context.tenant.suspended_at is not None
    if job is None or job.state in (DONE, CANCELLED) or not _goes_on(entry) or closed:
        # What is missed while a schedule is paused or a tenant closed is not sent.
        context.outbound.wakes.done(wake)
        return
    under_way = job.state != FAILED and context.now - (job.updated_at or job.created_at) < WAITS[0]
    if under_way:
        context.outbound.wakes.move(wake, context.now + WAITS[0])
        return
    elapsed = context.now - job.created_at
    until = context.now + next((wait for wait in WAITS if wait > elapsed), WAITS[-1])
    queued = replace(
        job,
        state=QUEUED,
        params={**job.params, "as_of": iso(context.now)},
        attempts=0,
        finished_at=None,
        updated_at=context.now,
    )
    context.outbound.wakes.start_again(wake, until, queued)


def _job_of(context: Context, occurrence: Entry | None) -> Job | None:
    if occurrence is None:
        return None
    return context.jobs.get(context.tenant.id, occurrence.document["job_id"])


def _goes_on(schedule: Entry | None) -> bool:
    return schedule is not None and bool(schedule.document["enabled"])

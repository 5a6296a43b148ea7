"""Report schedules that are due: each occurrence starts one job, however often it is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vitals.domain.instants import iso
from vitals.domain.job import REPORT as REPORT_JOB
from vitals.domain.job import Job
from vitals.domain.rule_document import schedule_of
from vitals.storage.ports import StorageBusyError, Wake, WriteConflictError
from vitals.usecases.context import Context
from vitals.usecases.make_report import SCHEDULED
from vitals.usecases.report_schedules import schedule_entry


def start_reports(
    context_of: Callable[[str], Context | None],
    due: Iterable[Wake],
    forget: Callable[[Wake], None],
) -> int:
    """Start the report of every schedule that is *due*, and return how many.

    Of occurrences that were missed the latest alone is sent (IQ-147). What fails is due again at
    the next run, and stops nothing else.
    """
    started = 0
    for wake in due:
        try:
            context = context_of(wake.tenant_id)
        except StorageBusyError:
            continue
        if context is None:
            forget(wake)
            continue
        if not context.has_time():
            break
        try:
            started += _start(context, wake)
        except (StorageBusyError, WriteConflictError):
            # The next run takes it, or another one has it.
            continue
        except Exception as error:  # noqa: BLE001 - one tenant's fault must not stop the others
            context.report(error)
    return started


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
    job = Job(
        id=context.new_id(context.now),
        tenant_id=context.tenant.id,
        kind=REPORT_JOB,
        by="schedule",
        created_at=context.now,
        params={
            "schedule_id": entry.id,
            "purpose": SCHEDULED,
            # The tenant's clock may have been put on since the wake was set: never before it.
            "occurrence": iso(max(latest, wake.at)),
            "secret": context.outbound.new_token(),
        },
    )
    context.outbound.wakes.start(wake, following, job)
    return True

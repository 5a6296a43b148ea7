"""What becomes of a schedule's latest occurrence: begun, done, skipped or failed (IQ-147)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from vitals.domain.instants import iso
from vitals.domain.job import CANCELLED, DONE, FAILED, Job
from vitals.storage.ports import Entry, StorageBusyError
from vitals.storage.reaction_ports import OCCURRENCE
from vitals.usecases.context import Context

SCHEDULED = "schedule"
"""The purpose of a job that an occurrence started."""
BEGUN, SKIPPED = "begun", "skipped"


def begun(schedule_id: str, at: datetime, job: Job) -> Entry:
    """Return the occurrence of *at*, for which *job* starts; its version is the occurrence's."""
    document = {"at": iso(at), "job_id": job.id, "state": BEGUN}
    return Entry(OCCURRENCE, schedule_id, int(at.timestamp()), document)


def latest(context: Context, schedule_id: str) -> Entry | None:
    """Return the latest occurrence of the schedule as last written: 1 read."""
    return context.outbound.rulebooks.entry(context.tenant.id, OCCURRENCE, schedule_id)


def drop(context: Context, schedule_id: str) -> None:
    """Forget the latest occurrence of a schedule that is gone: 1 delete."""
    context.outbound.rulebooks.drop(context.tenant.id, OCCURRENCE, schedule_id)


def is_replaced(occurrence: Entry | None, job: Job) -> bool:
    """Tell whether another occurrence began since the one that started *job*."""
    return occurrence is not None and occurrence.document["job_id"] != job.id


def note_result(context: Context, occurrence: Entry | None, result: Mapping[str, Any]) -> None:
    """Note on *occurrence* that its job is done, with this *result*, if the table takes it now.

    What was sent must not be made again for the sake of a note: `note_end` catches up on it.
    """
    with suppress(StorageBusyError):
        _note(context, occurrence, _of_result(result))


def note_failure(context: Context, occurrence: Entry | None, why: str) -> None:
    """Note on *occurrence* that its job failed, as `note_result` does; it is tried again later."""
    with suppress(StorageBusyError):
        _note(context, occurrence, {"state": FAILED, "why": why})


def note_end(context: Context, occurrence: Entry | None, job: Job) -> None:
    """Note on *occurrence* what *job*, which is over, says of its end. Raises StorageBusyError."""
    if job.state == DONE:
        _note(context, occurrence, _of_result(job.result or {}))
    elif job.state == CANCELLED:
        _note(context, occurrence, {"state": SKIPPED, "why": "the job was cancelled"})
    else:
        _note(context, occurrence, {"state": FAILED, "why": (job.error or {}).get("detail")})


def last_view(occurrence: Entry | None) -> dict[str, Any] | None:
    """Return *occurrence* as answers show it; None for none."""
    if occurrence is None:
        return None
    nothing = {"why": None, "deliveries": None}
    return {**nothing, **occurrence.document}


def _of_result(result: Mapping[str, Any]) -> dict[str, Any]:
    if "skipped" in result:
        return {"state": SKIPPED, "why": result["skipped"]}
    return {"state": DONE, "deliveries": result.get("deliveries", 0)}


def _note(context: Context, occurrence: Entry | None, ended: Mapping[str, Any]) -> None:
    if occurrence is None:
        return
    kept = {name: occurrence.document[name] for name in ("at", "job_id")}
    if occurrence.document != {**kept, **ended}:
        after = Entry(OCCURRENCE, occurrence.id, occurrence.version, {**kept, **ended})
        context.outbound.rulebooks.note(context.tenant.id, after)

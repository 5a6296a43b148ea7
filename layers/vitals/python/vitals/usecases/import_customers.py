"""import_customers: up to a thousand customers by a job, and what became of each (LU-038, 039)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Annotated, Any

from vitals.domain.errors import (
    BusyError,
    FieldError,
    InvalidCursorError,
    JobNotFoundError,
    ValidationError,
    VersionConflictError,
    VitalsError,
)
from vitals.domain.job import CANCELLED, Job
from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.usecases.administer import Plan, administer
from vitals.usecases.batch_upsert import Records, in_order, refuse_number, told
from vitals.usecases.context import Answer, Context, Idempotency
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Flag, Short, one_of
from vitals.usecases.find import Known, find
from vitals.usecases.inputs import Input, Reference, read
from vitals.usecases.jobs import IMPORT, ROWS, job_view, new_job, required
from vitals.usecases.paging import Page, filled, paged
from vitals.usecases.runner import LostError, OutOfTimeError, Run
from vitals.usecases.upsert_account import Terms, upsert_account

ACTION = "import_customers"
CREATE_ONLY, UPDATE_ONLY, CREATE_OR_UPDATE = MODES = (
    "create_only", "update_only", "create_or_update",
)  # fmt: skip
SKIP, OVERWRITE, ERROR = RESOLUTIONS = ("skip", "overwrite", "error")
SLICE = 100
"""So many rows are written, and their results kept, at once."""
KEPT_FOR = timedelta(days=7)
"""Results are kept for so long, and rows of an import that never was over."""
NOT_ATTEMPTED = "not_attempted"
_COUNTED = {
    "created": "created", "updated": "updated", "unchanged": "unchanged", "skipped": "skipped",
    "error": "failed",
}  # fmt: skip


class ImportInput(Input):
    """The rows, each as upsert_account takes it, and what holds for all of them."""

    customers: Records
    mode: Annotated[str, one_of(*MODES)] = CREATE_OR_UPDATE
    conflict_resolution: Annotated[str, one_of(*RESOLUTIONS)] = SKIP
    dry_run: Flag = False


class ImportResultsInput(Page):
    """Of which import."""

    id: Short


def import_customers(context: Context, given: Mapping[str, Any]) -> Answer:
    """Start a job that upserts every row of *given*; its results tell what became of each.

    A row's `if_version` is what it was made from: if its customer is at another one by then,
    `conflict_resolution` says what to do (AMB-39). A bad row costs no other. `stays_in` of a row is
    as in `Terms`: it says which stages its `lifecycle` leaves as they are; `refused` are (field,
    code, message) of what was found wrong with it before, and is its result.
    """
    parsed, warnings, _ = read(ImportInput, given)
    rows = parsed.customers
    refuse_number(len(rows))
    params = {
        "mode": parsed.mode,
        "conflict_resolution": parsed.conflict_resolution,
        "dry_run": parsed.dry_run,
        "total": len(rows),
        # Its signals are pushed by the key that sent them (AMB-60).
        "key_name": context.key.name,
    }
    job: Job | None = None

    def plan(context: Context) -> Plan:
        nonlocal job
        if job is None:
            # Kept before the job is: nobody finds a job that has nothing to work through.
            job = new_job(context, IMPORT, params)
            for start in range(0, len(rows), SLICE):
                _keep(context, job, _page(ROWS, start), rows[start : start + SLICE])
        answer = {"job_id": job.id, "data": job_view(job), "warnings": warnings}
        return Plan(subject=job.id, answer=answer, details=params, job=job)

    try:
        answer = administer(context, ACTION, plan)
    except BusyError:
        # Nobody knows whether the job is there.
        raise
    except VitalsError:
        _give_way(context, job)
        raise
    if job is not None and job.id != answer["job_id"]:
        _give_way(context, job)
    return answer


def _give_way(context: Context, job: Job | None) -> None:
    """Delete the rows of a *job* that there is none of: another request had its key first."""
    if job is not None:
        with suppress(StorageBusyError):
            # Whatever is left of them expires.
            context.jobs.drop(context.tenant.id, job.id, ROWS)


def list_import_results(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of what became of an import's rows, in their order; those to come too.

    Raises JobNotFoundError, also once the results are no longer kept, InvalidCursorError.
    """
    parsed, warnings, _ = read(ImportResultsInput, given)
    job = required(context, parsed.id)
    if job.kind != IMPORT:
        raise JobNotFoundError(f"the job {job.id!r} is no import: get_job has its result")
    if job.created_at + KEPT_FOR <= context.now:
        raise JobNotFoundError(f"what became of each row was kept for {KEPT_FOR.days} days")
    query = digest("import_results", job.id)
    start = 0
    if parsed.cursor is not None:
        [start] = place_of(parsed.cursor, query, int)
        if not 0 < start < job.params["total"]:
            raise InvalidCursorError("cursor was not issued here: start without one")
    page = filled(_results(context, job, start), parsed.limit, dict)
    action = "list_import_results"
    return paged(action, parsed, warnings, page, lambda last: cursor(query, [last["index"] + 1]))


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Write what is left of the rows of *job*, a slice at a time; return what became of them.

    Each row has an Idempotency-Key of its own: a slice that was cut short is done again, and
    nothing in it happens twice.
    """
    total: int = job.params["total"]
    if "total" not in run.job.progress:
        run.progress({"done": 0, "total": total, **dict.fromkeys(_COUNTED.values(), 0)})
    while (start := run.job.progress["done"]) < total:
        rows = context.jobs.kept(context.tenant.id, job.id, _page(ROWS, start), context.now)
        if rows is None:
            raise JobNotFoundError(f"the rows of an import are kept for {KEPT_FOR.days} days")
        results = _written(context, job, rows, start)
        _keep(context, job, _page("results", start), results)
        counts = Counter(_COUNTED[each["status"]] for each in results)
        counted = {name: run.job.progress[name] + counts[name] for name in _COUNTED.values()}
        run.progress({"done": start + len(results), **counted})
        try:
            # Seen here that it was cancelled: what follows is not done any more.
            run.keep()
        except LostError:
            _count_late(context, run.job)
            raise
    # All of them have their results: nobody reads them any more, and they may name the erased.
    context.jobs.drop(context.tenant.id, job.id, ROWS)
    return {**run.job.progress, "dry_run": job.params["dry_run"]}


def _count_late(context: Context, job: Job) -> None:
    """Put what was written while *job* was cancelled into its progress, if nobody else has it."""
    found = context.jobs.get(job.tenant_id, job.id)
    if found is not None and found.state == CANCELLED:
        with suppress(WriteConflictError, StorageBusyError):
            context.jobs.save(replace(found, progress=job.progress))


def _written(context: Context, job: Job, rows: Sequence[Any], start: int) -> list[Answer]:
    """Return what became of the *rows* from index *start* on, all of them.

    Raises OutOfTimeError, StorageBusyError if one of them has to be tried again.
    """

    def one(number: int, known: Known) -> Answer:
        return _result(context, job, rows[number], start + number, known)

    results = in_order(context, rows, one)
    if any(each["status"] == NOT_ATTEMPTED for each in results):
        if not context.has_time():
            raise OutOfTimeError
        raise StorageBusyError
    return results


def _result(context: Context, job: Job, row: Any, index: int, known: Known) -> Answer:
    """Return what became of one row; whatever is wrong with it is its own result."""
    if not context.has_time():
        return _shown(index, NOT_ATTEMPTED, row)
    # No header can spell such a key: it meets no caller's own.
    own = replace(context, idempotency=Idempotency(f"{job.id}\n{index}", job.id), replays=[])
    try:
        return _upserted(own, job, row, index, known)
    except (BusyError, StorageBusyError):
        return _shown(index, NOT_ATTEMPTED, row)
    except VitalsError as error:
        return _shown(index, "error", row, error=error)
    except Exception as error:  # noqa: BLE001 - one row's accident must not stop the others
        context.report(error)
        ours = VitalsError("something went wrong on our side with this row")
        return _shown(index, "error", row, error=ours)


def _upserted(context: Context, job: Job, row: Any, index: int, known: Known) -> Answer:
    if not isinstance(row, Mapping):
        raise ValidationError([FieldError(f"customers.{index}", "must_be_object", "no object")])
    mode = job.params["mode"]
    given = {**row, "create_only": mode == CREATE_ONLY, "dry_run": job.params["dry_run"]}
    refused = given.pop("refused", ())
    if refused:
        raise ValidationError([FieldError(*each) for each in refused])
    stays_in = given.pop("stays_in", ())
    terms = Terms(
        must_exist=mode == UPDATE_ONLY,
        stays_in=tuple(stays_in) if isinstance(stays_in, list | tuple) else (),
        action=ACTION,
        cause=IMPORT,
    )
    try:
        answer = upsert_account(context, given, known, terms)
    except VersionConflictError:
        if job.params["conflict_resolution"] == ERROR:
            raise
        if job.params["conflict_resolution"] == SKIP:
            return _skipped(context, row, index)
        unguarded = {name: value for name, value in given.items() if name != "if_version"}
        answer = upsert_account(context, unguarded, terms=terms)
    status = "created" if answer["created"] else "updated"
    found = _shown(index, "unchanged" if answer["unchanged"] else status, answer["data"])
    return found | {"warnings": answer["warnings"]}


def _skipped(context: Context, row: Mapping[str, Any], index: int) -> Answer:
    """Return the result of a row whose customer is newer than the row."""
    names = {name: value for name, value in row.items() if name in Reference.model_fields}
    reference, _, _ = read(Reference, names)
    found = find(context, reference)
    if found is None:
        return _shown(index, "skipped", row)
    return _shown(
        index, "skipped", {"id": found.id, "external_id": found.external_id, "name": found.name}
    )


def _shown(index: int, status: str, said: Any, *, error: VitalsError | None = None) -> Answer:
    """Return the result of the row at *index*; *said* is its customer, or else the row itself."""
    names = said if isinstance(said, Mapping) else {}
    texts = {name: names.get(name) for name in ("id", "external_id", "name")}
    return {
        "index": index,
        "status": status,
        **{name: value if isinstance(value, str) else None for name, value in texts.items()},
        "error": told(error) if error else None,
        "warnings": [],
    }


def _results(context: Context, job: Job, start: int) -> Iterator[Answer]:
    """Yield what became of each row from index *start* on."""
    total: int = job.params["total"]
    for first in range(start - start % SLICE, total, SLICE):
        page = _page("results", first)
        found = context.jobs.kept(context.tenant.id, job.id, page, context.now)
        if found is None:
            # Not yet, or never: the job was stopped before.
            last = min(first + SLICE, total)
            found = [_shown(index, NOT_ATTEMPTED, None) for index in range(first, last)]
        yield from islice(found, max(0, start - first), None)


def _page(what: str, start: int) -> str:
    return f"{what}{start:04d}"


def _keep(context: Context, job: Job, page: str, value: Any) -> None:
    context.jobs.keep(context.tenant.id, job.id, page, value, job.created_at + KEPT_FOR)

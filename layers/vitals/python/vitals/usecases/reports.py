"""run_report, send_report, send_test, export_customers: reports that are asked for now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from vitals.domain.errors import FieldError, JobNotFoundError, ValidationError
from vitals.domain.instants import iso, local_day
from vitals.domain.job import DONE, REPORT, Job
from vitals.domain.reports.catalogue import BY_NAME
from vitals.usecases.administer import Plan, administer
from vitals.usecases.branding import look_of
from vitals.usecases.context import Answer, Context
from vitals.usecases.export_customers import CUSTOMERS, EXPORTS, export_csv
from vitals.usecases.fields import Flag, Short, one_of
from vitals.usecases.inputs import Warning_, read
from vitals.usecases.jobs import job_view, new_job
from vitals.usecases.jobs import required as required_job
from vitals.usecases.make_report import as_csv, book_of, made, shown
from vitals.usecases.report_input import (
    CSV,
    JSON,
    PDF,
    Filtered,
    RunInput,
    SendInput,
    asked_of,
    customer_meant,
    filters_of,
)
from vitals.usecases.report_schedules import not_mailed, required, unknown_receivers
from vitals.usecases.send_report import RUN, TEST

LARGEST = 4 * 1024 * 1024
"""What an answer holds at most, in bytes: Lambda's own end is 6 MB. More goes by link."""
MOST_AT_ONCE = 30_000
"""Of more accounts a report is made by its job: a request has half a minute."""
LINKED = timedelta(hours=1)
WAITS = (0.2, 0.3, 0.5, *(1.0,) * 10)
"""Seconds between looks at a report under way: most are done within the first three."""


class ExportInput(Filtered):
    """Which *columns*: all (`customers`), or those that can be sent back (`bulksheet`).

    *job_id* asks for the file of an export that was under way.
    """

    columns: Annotated[str, one_of(*EXPORTS)] = CUSTOMERS
    link: Flag = False
    job_id: Short | None = None


def run_report(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return a report as JSON or CSV, or a link to it, which HTML and PDF always have.

    What takes longer than some seconds is answered with its job. Raises ValidationError,
    CustomerNotFoundError, JobNotFoundError.
    """
    parsed, warnings, _ = read(RunInput, given)
    if parsed.job_id is not None:
        return _answered(context, "run_report", _own(context, parsed.job_id), warnings)
    asked = asked_of(parsed) | {"format": parsed.format, "table": parsed.table, "purpose": RUN}
    asked = _checked(context, asked)
    if parsed.format in (JSON, CSV) and not parsed.link:
        found = _inline(context, asked, warnings)
        if found is not None:
            return found
    return _by_job(context, "run_report", asked, warnings, dry_run=parsed.dry_run)


def export_customers(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every customer whom the filters mean as CSV, or a link to it (IQ-162, IQ-163)."""
    parsed, warnings, _ = read(ExportInput, given)
    if parsed.job_id is not None:
        job = _own(context, parsed.job_id, exports=True)
        return _answered(context, "export_customers", job, warnings)
    filters = {name: value for name, value in asked_of_filters(parsed).items() if value}
    asked = {"report": parsed.columns, "format": CSV, "purpose": RUN, **filters}
    if not parsed.link:
        text = export_csv(context, parsed.columns, filters_of(asked))
        if len(text.encode()) <= LARGEST:
            return _as_csv(context, "export_customers", parsed.columns, text)
    return _by_job(context, "export_customers", asked, warnings, dry_run=False)


def send_report(context: Context, given: Mapping[str, Any]) -> Answer:
    """Send a report now: a schedule's own to its receivers, or what is asked to whom is named.

    Raises ReportNotFoundError, CustomerNotFoundError, ValidationError.
    """
    return _sent(context, "send_report", given, "send")


def send_test(context: Context, given: Mapping[str, Any]) -> Answer:
    """Send a report now as a test, which says so in its subject; to whom is named, if anybody is.

    Raises what `send_report` does.
    """
    return _sent(context, "send_test", given, TEST)


def _sent(context: Context, action: str, given: Mapping[str, Any], purpose: str) -> Answer:
    parsed, warnings, _ = read(SendInput, given)
    sent = asked_of(parsed)
    names = ("format", "recipients", "connections")
    named = {name: getattr(parsed, name) for name in names if name in parsed.model_fields_set}
    sent |= {
        name: list(value) if isinstance(value, tuple) else value for name, value in named.items()
    }
    asked: dict[str, Any] = {"format": PDF}
    if parsed.schedule_id is not None:
        document = required(context, parsed.schedule_id).document
        warnings += _left(document, parsed.recipients or ())
        asked |= {name: document[name] for name in _OF_SCHEDULE if name in document}
        if "recipients" in sent or "connections" in sent:
            # Whoever is named is meant, and nobody else.
            asked |= {"recipients": [], "connections": []}
        asked["schedule_id"] = parsed.schedule_id
    asked |= {**sent, "purpose": purpose}
    asked = _checked(context, asked)
    errors = unknown_receivers(context, asked, named="connections" in named)
    if errors:
        raise ValidationError(errors)
    warnings += not_mailed(context, asked)
    return _by_job(context, action, asked, warnings, dry_run=parsed.dry_run)


def _left(schedule: Mapping[str, Any], named: Sequence[str]) -> list[Warning_]:
    """Return a warning for each of those *named* who left the *schedule*: they are not mailed."""
    gone = schedule.get("unsubscribed", ())
    return [
        {
            "code": "unsubscribed",
            "field": "recipients",
            "message": f"{each} left the schedule, and is not mailed of it: "
            "to have it back, name it as a recipient in put_report_schedule",
        }
        for each in named
        if each.casefold() in gone
    ]


_OF_SCHEDULE = (
    "report", "days", "customer_id", "format", "recipients", "connections", "manager", "tier",
    "lifecycle", "tag",
)  # fmt: skip


def asked_of_filters(parsed: Filtered) -> dict[str, list[str]]:
    """Return the filters as jobs have them."""
    return {name: list(values) for name, values in parsed.filters.shown().items()}


def _checked(context: Context, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return *asked* with the id of whom it is about.

    Refuses what names no report, or no customer whom it must be about.
    """
    if asked.get("report") is None:
        names = ", ".join(BY_NAME)
        raise ValidationError([FieldError("report", "required", f"say which: one of {names}")])
    report = BY_NAME[asked["report"]]
    if asked.get("customer_id"):
        return {**asked, "customer_id": customer_meant(context, asked["customer_id"])}
    if report.of_one:
        message = "the report is about one customer: give its id, external_id or name"
        raise ValidationError([FieldError("customer_id", "required", message)])
    return dict(asked)


def _inline(context: Context, asked: Mapping[str, Any], warnings: list[Warning_]) -> Answer | None:
    """Return the report itself; None if it is too large for an answer, or for its time."""
    book = book_of(context, asked)
    if len(book.accounts) > MOST_AT_ONCE:
        return None
    look = look_of(context)
    book.subject = look.name
    document = made(context, asked, book)
    table = asked.get("table")
    if table is not None and table not in document.tables():
        known = ", ".join(document.tables())
        raise ValidationError([FieldError("table", "unknown_value", f"must be one of: {known}")])
    if asked["format"] == CSV:
        text = as_csv(document, table)
        if len(text.encode()) > LARGEST:
            return None
        return _as_csv(context, "run_report", asked["report"], text)
    view = shown(document, look)
    if size_of(view) > LARGEST:
        return None
    return {"action": "run_report", "data": view, "warnings": warnings}


def size_of(view: Mapping[str, Any]) -> int:
    """Return about how many bytes *view* has as JSON: its rows are what is many."""
    rows = sum(len(section.get("rows", ())) for section in view["sections"])
    if rows < 1000:  # noqa: PLR2004 - so few are never too large
        return 0
    # A name in Chinese has three bytes a letter.
    return sum(
        len(str(row).encode()) for section in view["sections"] for row in section.get("rows", ())
    )


def _as_csv(context: Context, action: str, name: str, text: str) -> Answer:
    day = local_day(context.now, context.where)
    filename = f"{name.replace('_', '-')}-{day}.csv"
    return {"action": action, "data": text, "shape": "csv", "filename": filename}


def _by_job(
    context: Context,
    action: str,
    asked: Mapping[str, Any],
    warnings: list[Warning_],
    *,
    dry_run: bool,
) -> Answer:
    """Start the job that makes the report, and return its file's link once it is done."""

    def plan(context: Context) -> Plan:
        job = new_job(context, REPORT, {**asked, "secret": context.outbound.new_token()})
        answer = {"job_id": job.id, "data": job_view(job), "warnings": warnings}
        details = {name: asked[name] for name in ("report", "format", "purpose")}
        return Plan(subject=job.id, answer=answer, details=details, job=job)

    started = administer(context, action, plan, dry_run=dry_run)
    if dry_run:
        return started
    return _answered(context, action, _waited(context, started["job_id"]), warnings)


def _waited(context: Context, job_id: str) -> Job:
    for seconds in WAITS:
        job = required_job(context, job_id)
        if job.is_over or not context.has_time():
            return job
        context.sleep(seconds)
    return required_job(context, job_id)


def _own(context: Context, job_id: str, *, exports: bool = False) -> Job:
    job = required_job(context, job_id)
    if job.kind != REPORT or (exports and job.params.get("report") not in EXPORTS):
        raise JobNotFoundError(f"the job {job_id!r} makes no report: get_job shows it")
    return job


def _answered(context: Context, action: str, job: Job, warnings: list[Warning_]) -> Answer:
    data = job_view(job) | {"link": link_of(context, job)}
    return {"action": action, "job_id": job.id, "data": data, "warnings": warnings}


def link_of(context: Context, job: Job) -> dict[str, Any] | None:
    """Return a link to the file that *job* made, good for an hour at most; None if there is none.

    It ends sooner with the session of the role that signed it.
    """
    result = job.result if job.state == DONE else None
    if not result or "file" not in result or result["kept_until"] <= iso(context.now):
        return None
    url = context.outbound.files.link(result["file"], int(LINKED.total_seconds()))
    return {"url": url, "until": iso(context.clock() + LINKED), "filename": result["filename"]}

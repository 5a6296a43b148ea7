"""Making a report: its document, its file, and whom it is sent to, by a job (IQ-134 to 147)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Protocol

from vitals.domain.errors import CustomerNotFoundError
from vitals.domain.instants import iso, local_day, zone
from vitals.domain.job import Job
from vitals.domain.reports.book import Book
from vitals.domain.reports.catalogue import BY_NAME
from vitals.domain.reports.csv_form import table_csv
from vitals.domain.reports.document import Document, Plain, document_view
from vitals.domain.reports.look import Look
from vitals.domain.reports.movement import movers
from vitals.usecases.branding import look_of
from vitals.usecases.context import Context
from vitals.usecases.export_customers import EXPORTS, export_csv
from vitals.usecases.occurrences import (
    SCHEDULED,
    is_replaced,
    latest,
    note_failure,
    note_result,
)
from vitals.usecases.report_book import filled_book, ids_of, kept, with_feed, with_histories
from vitals.usecases.report_input import CSV, HTML, JSON, PDF, customer_meant, filters_of, own_zone
from vitals.usecases.report_schedules import schedule_entry
from vitals.usecases.runner import MOST_ATTEMPTS, detail_of
from vitals.usecases.send_report import Told, tell

KEPT = timedelta(days=8)
"""A report's file is kept for so long: the bucket's own rule removes it (template.yaml)."""
MEDIA_TYPES: Mapping[str, str] = {
    JSON: "application/json",
    CSV: "text/csv; charset=utf-8",
    HTML: "text/html; charset=utf-8",
    PDF: "application/pdf",
}


class Printer(Protocol):
    """What renders documents; one function alone has it."""

    def rendered(self, document: Document, look: Look, form: str) -> bytes:
        """Return *document* as HTML or PDF: the same bytes for the same document and look."""

    def key_figures(self, document: Document, look: Look) -> list[tuple[str, str, str, str]]:
        """Return (label, value, change, tone) of the key figures, in words; "" for none."""

    def headlines(self, document: Document, look: Look) -> list[str]:
        """Return the headlines in words."""

    def worded(self, kind: str, value: Plain, look: Look, time_zone: str) -> str:
        """Return a value of *kind* in words, an instant in *time_zone*."""


@kept()
def book_of(context: Context, asked: Mapping[str, Any]) -> Book:
    """Return the book of the report that *asked* describes, as of now: 1 reading of the roster.

    Raises CustomerNotFoundError.
    """
    report = BY_NAME[asked["report"]]
    about = customer_meant(context, asked["customer_id"]) if asked.get("customer_id") else None
    book = filled_book(
        context,
        filters_of(asked),
        asked.get("days") or report.days,
        about=about,
        daily=report.daily,
        largest=report.managers,
    )
    if about is not None and book.account(about) is None:
        raise CustomerNotFoundError("the filters leave out the customer that it is about")
    return book


@kept()
def made(context: Context, asked: Mapping[str, Any], book: Book) -> Document:
    """Return the document that *asked* describes, of *book*: some histories are read beside it."""
    report = BY_NAME[asked["report"]]
    account = book.account(book.about) if book.about is not None else None
    if report.of_one or report.may_be:
        # Whoever reads it knows keys by their names.
        keys = context.administration.keys(context.tenant.id)
        book.actors = {each.after.id: each.after.name for each in keys}
    if account is not None:
        book.subject = account.customer.name
        with_histories(context, book, [account.customer.id])
    elif report.feed:
        with_feed(context, book)
    if report.movers:
        fell, rose = movers(book, report.movers)
        with_histories(context, book, ids_of((*fell, *rose)))
    return report.build(book)


def run(context: Context, job: Job, printer: Printer) -> dict[str, Any]:
    """Make the report of *job* as of when it was asked for, keep its file, and send it.

    Done again, it makes the same file and no second delivery. A schedule that was paused or
    deleted meanwhile sends nothing, nor does an occurrence that another one follows. How a
    schedule's latest occurrence ended is noted.
    """
    scheduled = job.params["purpose"] == SCHEDULED
    occurrence = latest(context, job.params["schedule_id"]) if scheduled else None
    if is_replaced(occurrence, job):
        return {"skipped": "a later occurrence took its place"}
    # Started again hours later, it is of what is stored then, and says so.
    as_of = job.params.get("as_of")
    context = replace(context, now=datetime.fromisoformat(as_of) if as_of else job.created_at)
    try:
        result = _sent(context, job, printer)
    except Exception as error:
        if job.attempts + 1 >= MOST_ATTEMPTS:
            note_failure(context, occurrence, detail_of(error))
        raise
    note_result(context, occurrence, result)
    return result


def _sent(context: Context, job: Job, printer: Printer) -> dict[str, Any]:
    asked, schedule = dict(job.params), None
    if asked.get("schedule_id"):
        schedule = schedule_entry(context, asked["schedule_id"])
        if schedule is None:
            # With it went who left it: nobody may be mailed of it any more.
            return {"skipped": "the schedule was deleted"}
        if asked["purpose"] == SCHEDULED:
            if not schedule.document["enabled"]:
                return {"skipped": "the schedule was paused"}
            asked = {**asked, **schedule.document}
    form, look = asked["format"], look_of(context)
    try:
        content, document, names = _content(context, asked, look, printer)
    except CustomerNotFoundError as error:
        return {"skipped": error.detail}
    key = f"{context.tenant.id}/{job.id}.{form}"
    own = own_zone(schedule.document) if schedule else None
    day = local_day(context.now, zone(own) if own else context.where)
    filename = f"{asked['report'].replace('_', '-')}-{day}.{form}"
    context.outbound.files.put(key, content, MEDIA_TYPES[form], filename)
    result = {
        "report": asked["report"],
        "format": form,
        "file": key,
        "filename": filename,
        "bytes": len(content),
        "kept_until": iso(context.now + KEPT),
    }
    if document is None:
        return result
    told = Told(job, context.now, schedule, document, names, asked, result, MEDIA_TYPES[form])
    return result | {"deliveries": tell(context, told, printer, look)}


def _content(
    context: Context, asked: Mapping[str, Any], look: Look, printer: Printer
) -> tuple[bytes, Document | None, list[tuple[str, str]]]:
    """Return the file's content, its document (None: an export), and (id, name) of its book."""
    if asked["report"] in EXPORTS:
        return as_file(export_csv(context, asked["report"], filters_of(asked))), None, []
    book = book_of(context, asked)
    book.subject = look.name
    document = made(context, asked, book)
    names = [*_names(book)]
    form = asked["format"]
    if form in (HTML, PDF):
        return printer.rendered(document, look, form), document, names
    if form == CSV:
        return as_file(as_csv(document, asked.get("table"))), document, names
    return as_json(document, look).encode(), document, names


def _names(book: Book) -> Iterator[tuple[str, str]]:
    """Yield (id, name) of all that *book* may name: a change bears the name of its time."""
    for account in (*book.accounts, *book.churned):
        yield account.customer.id, account.customer.name
    changes = list(chain.from_iterable(book.histories.values()))
    if book.feed is not None:
        changes += [*book.feed.listed, *filter(None, (book.feed.fall, book.feed.rise))]
    yield from ((change.customer_id, change.name) for change in changes)


def as_file(text: str) -> bytes:
    """Return CSV as a file: by the mark that it begins with, Excel knows its encoding."""
    return text.encode("utf-8-sig")


def as_csv(document: Document, table: str | None) -> str:
    """Return a table of *document*, its own one if *table* names none, as CSV."""
    return table_csv(document.tables()[table or document.table])


def as_json(document: Document, look: Look) -> str:
    """Return *document* as JSON."""
    view = shown(document, look)
    return json.dumps(view, ensure_ascii=False, indent=1, default=float)


def shown(document: Document, look: Look) -> dict[str, Any]:
    """Return *document* as answers show it, with what its amounts are in."""
    return document_view(document) | {"currency": look.currency}

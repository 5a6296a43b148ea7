"""Report schedules: which report goes where, and when; put, listed, paused, deleted (IQ-147)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vitals.domain.errors import (
    FieldError,
    ReportNotFoundError,
    TooManyError,
    ValidationError,
    VersionConflictError,
)
from vitals.domain.instants import iso
from vitals.domain.reports.catalogue import BY_NAME
from vitals.domain.rule_document import schedule_of
from vitals.storage.ports import Entry, EntryChange, Wake
from vitals.storage.reaction_ports import CONNECTION, OCCURRENCE, REPORT, REPORT_SCHEDULE
from vitals.usecases.administer import Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Input, Warning_, read
from vitals.usecases.occurrences import last_view, latest
from vitals.usecases.report_input import (
    FILTERS,
    PDF,
    ScheduleInput,
    ScheduleReference,
    ToggleScheduleInput,
    asked_of,
    customer_meant,
)

MAX_SCHEDULES = 100
_SENT = ("name", "format", "recipients", "connections", "schedule")
_HIDDEN = ("secret",)
_LISTS = ("recipients", "connections", *FILTERS)


def schedule_entry(context: Context, schedule_id: str) -> Entry | None:
    """Return the schedule under *schedule_id* as last written: 1 read."""
    return context.outbound.rulebooks.entry(context.tenant.id, REPORT_SCHEDULE, schedule_id)


def required(context: Context, schedule_id: str) -> Entry:
    """Return the schedule under *schedule_id*. Raises ReportNotFoundError."""
    found = schedule_entry(context, schedule_id)
    if found is None:
        raise ReportNotFoundError(
            f"no report schedule has id {schedule_id!r}: list_report_schedules lists them"
        )
    return found


def list_report_schedules(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every report schedule, by name, with when it goes out next and how it went last."""
    _, warnings, _ = read(Input, given)
    entries = context.outbound.rulebooks.of_reports(context.tenant.id)
    last = {each.id: each for each in entries if each.kind == OCCURRENCE}
    found = [
        schedule_view(context, each, last.get(each.id))
        for each in entries
        if each.kind == REPORT_SCHEDULE
    ]
    found.sort(key=lambda each: (each["name"].casefold(), each["id"]))
    return {
        "action": "list_report_schedules",
        "data": found,
        "count": len(found),
        "warnings": warnings,
    }


def put_report_schedule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a report schedule, or change the one under `id`.

    An address that left it is mailed no more, unless it is named as a recipient anew. Raises
    ReportNotFoundError, CustomerNotFoundError, ValidationError, TooManyError,
    VersionConflictError.
    """
    parsed, warnings, _ = read(ScheduleInput, given)

    def plan(context: Context) -> Plan:
        before = required(context, parsed.id) if parsed.id else None
        _guard(parsed.if_version, before)
        sent = asked_of(parsed)
        if sent.get("customer_id"):
            sent["customer_id"] = customer_meant(context, sent["customer_id"])
        sent |= {name: getattr(parsed, name) for name in _SENT if name in parsed.model_fields_set}
        if before is None or "enabled" in parsed.model_fields_set:
            sent["enabled"] = parsed.enabled
        document = {**(before.document if before else _new(context)), **_as_stored(sent)}
        document = {name: value for name, value in document.items() if value is not None}
        if "recipients" in sent:
            named = {address.casefold() for address in document.get("recipients", ())}
            document["unsubscribed"] = [
                each for each in document.get("unsubscribed", ()) if each not in named
            ]
        _check(context, document, named="connections" in sent)
        if before is None and len(_all(context)) >= MAX_SCHEDULES:
            raise TooManyError(
                f"a tenant has at most {MAX_SCHEDULES} report schedules: delete one first"
            )
        document.setdefault("name", BY_NAME[document["report"]].title)
        told = [*warnings, *not_mailed(context, document)]
        return _planned(context, before, document, {"warnings": told})

    return administer(context, "put_report_schedule", plan, dry_run=parsed.dry_run)


def toggle_report_schedule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Pause a report schedule, or let it go on: what was missed meanwhile is not sent."""
    parsed, warnings, _ = read(ToggleScheduleInput, given)

    def plan(context: Context) -> Plan:
        before = required(context, parsed.id)
        _guard(parsed.if_version, before)
        document = {**before.document, "enabled": parsed.enabled}
        return _planned(context, before, document, {"warnings": warnings})

    return administer(context, "toggle_report_schedule", plan, dry_run=parsed.dry_run)


def delete_report_schedule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Delete a report schedule for good; what it sent stays in the deliveries.

    Its mails that are still on their way are cancelled.
    """
    parsed, warnings, _ = read(ScheduleReference, given)

    def plan(context: Context) -> Plan:
        before = required(context, parsed.id)
        _guard(parsed.if_version, before)
        last = latest(context, parsed.id)
        gone = [EntryChange(last, None)] if last else []
        return Plan(
            subject=before.id,
            answer={"data": {"id": before.id, "deleted": True}, "warnings": warnings},
            details={"name": before.document["name"]},
            entries=[EntryChange(before, None), *gone],
        )

    return administer(context, "delete_report_schedule", plan, dry_run=parsed.dry_run)


def left(context: Context, schedule_id: str, address: str) -> None:
    """Take *address* off the schedule for good (RFC 8058); again, nothing changes."""

    def plan(context: Context) -> Plan:
        before = required(context, schedule_id)
        document = dict(before.document)
        gone = address.casefold()
        document["recipients"] = [
            each for each in document.get("recipients", ()) if each.casefold() != gone
        ]
        document["unsubscribed"] = sorted({*document.get("unsubscribed", ()), gone})
        return _planned(context, before, document, {"warnings": []})

    administer(context, "unsubscribe", plan)


def schedule_view(context: Context, entry: Entry, last: Entry | None) -> dict[str, Any]:
    """Return a schedule as answers show it, without its secret; *last* is its last occurrence."""
    document = entry.document
    upcoming = _next(context, document) if document["enabled"] else None
    return {
        "id": entry.id,
        **{name: document.get(name, []) for name in _LISTS},
        **{name: value for name, value in document.items() if name not in _HIDDEN},
        "days": document.get("days", BY_NAME[document["report"]].days),
        "customer_id": document.get("customer_id"),
        "next_at": iso(upcoming) if upcoming else None,
        "last": last_view(last),
        "version": entry.version,
    }


def _all(context: Context) -> list[Entry]:
    found = context.outbound.rulebooks.of_reports(context.tenant.id)
    return [each for each in found if each.kind == REPORT_SCHEDULE]


def _new(context: Context) -> dict[str, Any]:
    return {
        "format": PDF,
        "recipients": [],
        "connections": [],
        "secret": context.outbound.new_token(),
        "created_at": iso(context.now),
        "created_by": context.key.id,
    }


def _as_stored(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in sent.items()
    }


def _check(context: Context, document: Mapping[str, Any], *, named: bool) -> None:
    """Refuse a schedule without a report, a time or a receiver, or that names what there is not.

    Its connections are looked for if they were *named* just now: one may be gone since.
    """
    errors = [
        FieldError(name, "required", message)
        for name, message in (
            ("report", "say which report"),
            ("schedule", 'say when, like {"type": "weekly", "on": "monday", "at": "09:00"}'),
        )
        if name not in document
    ]
    errors += unknown_receivers(context, document, named=named)
    report = BY_NAME.get(document.get("report", ""))
    if report is not None and report.of_one and not document.get("customer_id"):
        errors.append(FieldError("customer_id", "required", "the report is about one customer"))
    if errors:
        raise ValidationError(errors)


def unknown_receivers(
    context: Context, document: Mapping[str, Any], *, named: bool
) -> list[FieldError]:
    """Return what is wrong with whom *document* is sent to; see `_check`."""
    connections = document.get("connections") or []
    if not connections and not document.get("recipients") and not document.get("unsubscribed"):
        return [FieldError("recipients", "required", "say to whom: recipients or connections")]
    if not connections or not named:
        return []
    entries = context.outbound.rulebooks.entries(context.tenant.id)
    there = {entry.id for entry in entries if entry.kind == CONNECTION}
    return [
        FieldError(
            "connections",
            "unknown_connection",
            f"no connection has the id {each}: see list_connections",
        )
        for each in connections
        if each not in there
    ]


def not_mailed(context: Context, document: Mapping[str, Any]) -> list[Warning_]:
    """Return the warning that *document* has recipients and nobody can be mailed, if it is so."""
    if not document.get("recipients") or context.outbound.has_sender:
        return []
    message = (
        "e-mail is not set up, and nobody is mailed: "
        "deploy with the parameter MailFrom, an address that SES knows"
    )
    return [{"code": "mail_not_set_up", "field": "recipients", "message": message}]


def _planned(
    context: Context, before: Entry | None, document: dict[str, Any], answer: Answer
) -> Plan:
    old = before.document if before else {}
    unchanged = before is not None and document == {**old}
    if not unchanged:
        document["updated_at"] = iso(context.now)
    schedule_id = before.id if before else context.new_id(context.now)
    version = before.version + 1 if before else 1
    after = (
        before if before and unchanged else Entry(REPORT_SCHEDULE, schedule_id, version, document)
    )
    anew = any(old.get(name) != document.get(name) for name in ("schedule", "enabled"))
    upcoming = _next(context, document) if document["enabled"] and anew else None
    wakes = [Wake(context.tenant.id, REPORT, schedule_id, upcoming)] if upcoming else []
    return Plan(
        subject=schedule_id,
        answer={
            "created": before is None,
            "unchanged": unchanged,
            "data": schedule_view(context, after, latest(context, before.id) if before else None),
            **answer,
        },
        details={"name": document["name"], "version": after.version},
        entries=[] if unchanged else [EntryChange(before, after)],
        wakes=wakes,
    )


def _next(context: Context, document: Mapping[str, Any]) -> datetime | None:
    return schedule_of(document["schedule"]).next_after(context.now, context.where)


def _guard(wanted: int | None, entry: Entry | None) -> None:
    if entry is not None and wanted is not None and wanted != entry.version:
        raise VersionConflictError(
            f"if_version is {wanted}, the schedule is at version {entry.version}: "
            "read it again and decide anew",
            extra={"if_version": wanted, "version": entry.version},
        )

"""Telling people of a report that was made: one delivery for each who is to have it (IQ-147)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vitals.domain.alert import short_hash
from vitals.domain.connection import EMAIL
from vitals.domain.delivery import Delivery
from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.domain.notice import REPORT_READY, report_ready
from vitals.domain.reports.document import DAY, INSTANT, NAME, Document, Figures
from vitals.domain.reports.look import Look
from vitals.storage.ports import Entry
from vitals.usecases.context import Context
from vitals.usecases.report_input import own_zone
from vitals.usecases.rulebook import ADDRESS, rulebook
from vitals.usecases.telling import FOUND_AFTER

if TYPE_CHECKING:
    from vitals.usecases.make_report import Printer

RUN, TEST = "run", "test"
"""Purposes of a job that nobody is told of but who asked: an answer, and a test."""
LARGEST_ATTACHED = 7 * 1024 * 1024
"""Bytes: what is larger grows by a third in a mail, and many receivers refuse ten megabytes."""


@dataclass(frozen=True, slots=True)
class Told:
    """A report that was made by *job*, for a *schedule* or for who *asked*, and its *file*.

    *names* are (id, name) of the customers: one that was renamed may have several.
    """

    job: Job
    at: datetime
    schedule: Entry | None
    document: Document
    names: Sequence[tuple[str, str]]
    asked: Mapping[str, Any]
    file: Mapping[str, Any]
    media_type: str


def tell(context: Context, told: Told, printer: Printer, look: Look) -> int:
    """Write a delivery for everybody who is to have the report, and return how many.

    Each address is mailed by itself, with a link by which it leaves the schedule. Told again,
    nothing is written anew.
    """
    addresses, connections = receivers(context, told)
    if not addresses and not connections:
        return 0
    figures = [
        {"label": label, "value": value, "change": change or None, "tone": tone or None}
        for label, value, change, tone in printer.key_figures(told.document, look)
    ]
    data = _data(context, told, printer, look, figures)
    at = told.at
    event = report_ready(context.tenant.id, told.job.id, at, data)
    payload = event.payload()
    attached = {
        "attachment": {
            "key": told.file["file"],
            "filename": told.file["filename"],
            "media_type": told.media_type,
        }
    }
    if told.file["bytes"] > LARGEST_ATTACHED and data["link"]:
        attached = {}
    payloads = dict.fromkeys(connections, payload)
    of_mail = _of_mail(told.document, data, printer, look) | {"figures": figures}
    mailed = {**data, **of_mail, **attached}
    for address in addresses:
        own = {**mailed, "unsubscribe": _unsubscribe(context, told, address)}
        payloads[ADDRESS + address] = {**payload, "data": own}
    owner = short_hash(event.id)
    context.outbound.deliveries.add(
        [
            Delivery(
                id=f"{owner}_{short_hash(receiver, event.id)}",
                tenant_id=context.tenant.id,
                connection_id=receiver,
                event_id=event.id,
                event_type=event.type,
                payload=its,
                created_at=at,
                next_at=at + FOUND_AFTER,
            )
            for receiver, its in payloads.items()
        ],
        _named(told),
    )
    return len(payloads)


def receivers(context: Context, told: Told) -> tuple[list[str], list[str]]:
    """Return the addresses that are mailed, and the ids of the connections that are told.

    A connection of addresses is those addresses: each leaves a schedule by itself.
    """
    book = rulebook(context)
    reachable = book.reachable(told.asked.get("connections") or ())
    addresses = list(told.asked.get("recipients") or ())
    others = []
    for each in reachable:
        connection = book.connections[each]
        if connection.kind == EMAIL:
            addresses += connection.emails
        else:
            others.append(each)
    if told.asked["purpose"] not in (TEST, RUN):
        # A filter is about customers: a report is about many.
        others += [each.id for each in book.subscribed(REPORT_READY) if not each.condition]
    gone = set(told.schedule.document.get("unsubscribed", ())) if told.schedule else set()
    once = {address.casefold(): address for address in addresses}
    return [address for key, address in once.items() if key not in gone], list(
        dict.fromkeys(others)
    )


def _data(
    context: Context,
    told: Told,
    printer: Printer,
    look: Look,
    figures: Sequence[Mapping[str, str | None]],
) -> dict[str, Any]:
    document, schedule = told.document, told.schedule
    token = f"{context.tenant.id}.{told.job.id}.{told.job.params['secret']}"
    url = context.outbound.api_url
    return {
        "report": {
            "name": document.report,
            "title": document.title,
            "subject": document.subject,
            "format": told.file["format"],
        },
        "schedule": {"id": schedule.id, "name": schedule.document["name"]} if schedule else None,
        "test": told.asked["purpose"] == TEST,
        "as_of": iso(document.as_of),
        "time_zone": (own_zone(schedule.document) if schedule else None) or document.time_zone,
        "period": {"from": str(document.period[0]), "to": str(document.period[1])}
        if document.period
        else None,
        "filters": {name: list(values) for name, values in document.filters.items()},
        "headlines": printer.headlines(document, look),
        "figures": [
            {name: each[name] for name in ("label", "value", "change")} for each in figures
        ],
        "link": f"{url}/reports?link={token}" if url else None,
        "link_until": told.file["kept_until"],
    }


def _named(told: Told) -> list[str]:
    """Return the ids of the customers whom a message names: it is erased with each.

    They are those whose name is a value of what it says, however that is printed, and the one whom
    the report is about, whose name is its subject.
    """
    document = told.document
    figures = next((each for each in document.sections if isinstance(each, Figures)), None)
    values = [
        *(value for line in document.headlines for value in line.values),
        *((each.kind, each.value) for each in (figures.figures if figures else ())),
    ]
    said = {value for kind, value in values if kind == NAME}
    found = [key for key, name in told.names if name in said]
    return list(dict.fromkeys([*found, *filter(None, [told.asked.get("customer_id")])]))


def _of_mail(
    document: Document, data: Mapping[str, Any], printer: Printer, look: Look
) -> dict[str, Any]:
    """Return what a mail says beside: whose it is, and its dates in words."""
    zone = data["time_zone"]
    days = dict(zip(("from", "until"), document.period or (), strict=False))
    return {
        "brand": {"name": look.name, "accent": look.accent},
        "worded": {
            "as_of": f"{printer.worded(INSTANT, document.as_of, look, zone)} {zone}",
            **{name: printer.worded(DAY, day, look, zone) for name, day in days.items()},
        },
    }


def _unsubscribe(context: Context, told: Told, address: str) -> str | None:
    """Return the link by which *address* leaves the schedule (RFC 8058)."""
    if told.schedule is None or not context.outbound.api_url:
        return None
    encoded = urlsafe_b64encode(address.encode()).decode().rstrip("=")
    sealed = seal(told.schedule.document["secret"], address)
    token = f"{context.tenant.id}.{told.schedule.id}.{encoded}.{sealed}"
    return f"{context.outbound.api_url}/unsubscribe?link={token}"


def seal(secret: str, address: str) -> str:
    """Return what proves that the owner of *secret* gave *address* a link."""
    return hmac.new(secret.encode(), address.casefold().encode(), "sha256").hexdigest()[:32]

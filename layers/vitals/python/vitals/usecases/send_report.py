"""Telling people of a report that was made: one delivery for each who is to have it (IQ-147)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vitals.domain.alert import short_hash
from vitals.domain.connection import EMAIL
from vitals.domain.delivery import Delivery
from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.domain.notice import REPORT_READY, report_ready
from vitals.domain.reports.document import Document
from vitals.domain.reports.look import Look
from vitals.storage.ports import Entry
from vitals.usecases.context import Context
from vitals.usecases.rulebook import ADDRESS, rulebook
from vitals.usecases.telling import FOUND_AFTER

if TYPE_CHECKING:
    from vitals.usecases.make_report import Printer

TEST = "test"
LARGEST_ATTACHED = 7 * 1024 * 1024
"""Bytes: what is larger grows by a third in a mail, and many receivers refuse ten megabytes."""


@dataclass(frozen=True, slots=True)
class Told:
    """A report that was made by *job*, for a *schedule* or for who *asked*, and its *file*.

    *names* are the customers' by id.
    """

    job: Job
    schedule: Entry | None
    document: Document
    names: Mapping[str, str]
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
    data = _data(context, told, printer, look)
    at = told.job.created_at
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
    for address in addresses:
        own = {**data, **attached, "unsubscribe": _unsubscribe(context, told, address)}
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
        _named(told.names, data),
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
    if told.asked["purpose"] != TEST:
        # A filter is about customers: a report is about many.
        others += [each.id for each in book.subscribed(REPORT_READY) if not each.condition]
    gone = set(told.schedule.document.get("unsubscribed", ())) if told.schedule else set()
    once = {address.casefold(): address for address in addresses}
    return [address for key, address in once.items() if key not in gone], list(
        dict.fromkeys(others)
    )


def _data(context: Context, told: Told, printer: Printer, look: Look) -> dict[str, Any]:
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
        "time_zone": document.time_zone,
        "period": {"from": str(document.period[0]), "to": str(document.period[1])}
        if document.period
        else None,
        "filters": {name: list(values) for name, values in document.filters.items()},
        "headlines": printer.headlines(document, look),
        "figures": [
            {"label": label, "value": value, "change": change or None}
            for label, value, change in printer.key_figures(document, look)
        ],
        "link": f"{url}/reports?link={token}" if url else None,
        "link_until": told.file["kept_until"],
    }


def _named(names: Mapping[str, str], data: Mapping[str, Any]) -> list[str]:
    """Return the ids of the customers whom a message names: it is erased with each."""
    said = "\n".join(data["headlines"])
    return [key for key, name in names.items() if name in said]


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

"""list_audit: customers' changes and administration in one line of time (IQ-193)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import Any

from vitals.domain.audit import AuditEvent
from vitals.domain.change import Change
from vitals.domain.instants import iso
from vitals.storage.ports import Place
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest
from vitals.usecases.fields import Folded, Instant, Short
from vitals.usecases.inputs import read
from vitals.usecases.paging import Page, filled, paged, place


class AuditInput(Page):
    """What was done, by which key, to what, and when."""

    done: Folded = frozenset()
    by: Short | None = None
    subject: Short | None = None
    since: Instant | None = None
    until: Instant | None = None


def list_audit(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of what was done in the tenant, newest first.

    An entry names the action, the key that did it, the customer or key it was done to, when, from
    where if it was administration, and what changed; never a secret.
    """
    parsed, warnings, _ = read(AuditInput, given)
    query = digest(parsed.done, parsed.by, parsed.subject, parsed.since, parsed.until)
    after = place(parsed.cursor, query)

    def wanted(entry: dict[str, Any]) -> bool:
        return (
            (not parsed.done or entry["action"] in parsed.done)
            and parsed.by in (None, entry["by"])
            and parsed.subject in (None, entry["subject"])
        )

    rows = _entries(context, parsed, after)
    page = filled(rows, parsed.limit, lambda entry: entry, wanted, context.has_time)
    return paged(
        "list_audit", parsed, warnings, page, lambda last: cursor(query, [last["at"], last["id"]])
    )


def _entries(context: Context, parsed: AuditInput, after: Place | None) -> Iterator[dict[str, Any]]:
    """Yield every entry behind *after*, newest first, both kinds merged."""
    filtered = parsed.done or parsed.by or parsed.subject
    page = None if filtered else parsed.limit + 1
    changes = context.customers.feed(
        context.tenant, since=parsed.since, until=parsed.until, after=after, page=page
    )
    events = context.administration.events(
        context.tenant.id, since=parsed.since, until=parsed.until, after=after, page=page
    )
    return heapq.merge(
        map(_of_change, changes),
        map(_of_event, events),
        key=lambda entry: (entry["at"], entry["id"]),
        reverse=True,
    )


def _of_change(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "at": iso(change.at),
        "action": change.action,
        "by": change.by,
        "subject": change.customer_id,
        "customer": change.name,
        "source_ip": None,
        "details": {"cause": change.cause, "changed": sorted(change.changed)},
    }


def _of_event(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": iso(event.at),
        "action": event.action,
        "by": event.by,
        "subject": event.subject,
        "customer": None,
        "source_ip": event.source_ip,
        "details": event.details,
    }

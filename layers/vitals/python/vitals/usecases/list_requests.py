"""list_requests: the log of every request that bore a good key, for thirty days (IQ-011)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from vitals.domain.audit import LoggedRequest
from vitals.domain.instants import iso
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest
from vitals.usecases.fields import Flag, Folded, Instant, Short, whole
from vitals.usecases.inputs import read
from vitals.usecases.paging import Page, filled, paged, place

KEPT = timedelta(days=30)


class RequestsInput(Page):
    """Which requests: of which actions, by which key, with which status, and when."""

    called: Folded = frozenset()
    key_id: Short | None = None
    status: Annotated[int, whole(100, 599)] | None = None
    failed: Flag = False
    trace_id: Short | None = None
    since: Instant | None = None
    until: Instant | None = None


def list_requests(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the tenant's requests, newest first; nothing of what they sent."""
    parsed, warnings, _ = read(RequestsInput, given)
    query = digest(*(getattr(parsed, name) for name in RequestsInput.__annotations__))
    oldest = context.now - KEPT
    filters = (parsed.called, parsed.key_id, parsed.status, parsed.trace_id, parsed.failed)
    rows = context.administration.logged(
        context.tenant.id,
        # TTL deletes late.
        since=max(parsed.since or oldest, oldest),
        until=parsed.until,
        after=place(parsed.cursor, query),
        page=None if any(filters) else parsed.limit + 1,
    )

    def wanted(entry: LoggedRequest) -> bool:
        return (
            (not parsed.called or entry.action in parsed.called)
            and parsed.key_id in (None, entry.key_id)
            and parsed.status in (None, entry.status)
            and parsed.trace_id in (None, entry.trace_id)
            and (not parsed.failed or entry.status >= HTTPStatus.BAD_REQUEST)
        )

    page = filled(rows, parsed.limit, _shown, wanted, context.has_time)
    return paged(
        "list_requests",
        parsed,
        warnings,
        page,
        lambda last: cursor(query, [iso(last.at), last.trace_id]),
    )


def _shown(entry: LoggedRequest) -> dict[str, Any]:
    return asdict(entry) | {"at": iso(entry.at)}

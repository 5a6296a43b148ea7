"""Deliveries: what was sent where, each attempt at it, and sending it once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count, takewhile
from typing import Annotated, Any

from vitals.domain.connection import Connection
from vitals.domain.delivery import PENDING, STATES, Delivery
from vitals.domain.errors import (
    ConnectionDisabledError,
    ConnectionNotFoundError,
    DeliveryNotFoundError,
)
from vitals.domain.instants import iso
from vitals.domain.notice import connection_brief
from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.usecases.administer import Administering
from vitals.usecases.connections import attempt_view
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest
from vitals.usecases.fields import Instant, Short, one_of
from vitals.usecases.inputs import Input, read
from vitals.usecases.once import once
from vitals.usecases.paging import Page, filled, paged, place
from vitals.usecases.rulebook import connection_under
from vitals.usecases.unwanted import unwanted

_LAST = "~"
"""What sorts behind every id."""


class DeliveriesInput(Page):
    """Which deliveries: in which state, over which connection, of what, of whom, made when."""

    state: Annotated[str, one_of(*STATES)] | None = None
    connection_id: Short | None = None
    event_type: Short | None = None
    customer_id: Short | None = None
    since: Instant | None = None
    until: Instant | None = None


class DeliveryInput(Input):
    """Which delivery."""

    id: Short


class ReplayInput(Administering):
    """Which delivery."""

    id: Short


def list_deliveries(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the deliveries of the last 30 days, newest first, without what was sent.

    A delivery is listed by when it was made, however often it was replayed.
    """
    parsed, warnings, _ = read(DeliveriesInput, given)
    filters = (parsed.state, parsed.connection_id, parsed.event_type, parsed.customer_id)
    query = digest("deliveries", *filters, parsed.since, parsed.until)
    after = place(parsed.cursor, query)
    if after is None and parsed.until is not None:
        after = (iso(parsed.until), _LAST)
    page = None if any(filters) else parsed.limit + 1
    rows = context.outbound.deliveries.all(context.tenant.id, after=after, page=page)
    if parsed.since is not None:
        since = parsed.since
        rows = takewhile(lambda row: row.created_at >= since, rows)

    def wanted(row: Delivery) -> bool:
        found = (row.state, row.connection_id, row.event_type, row.customer_id)
        return all(asked in (None, own) for asked, own in zip(filters, found, strict=True))

    found = filled(rows, parsed.limit, delivery_view, wanted, context.has_time)
    return paged(
        "list_deliveries",
        parsed,
        warnings,
        found,
        lambda last: cursor(query, [iso(last.created_at), last.id]),
    )


def get_delivery(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one delivery with what is sent, every attempt at it, and its connection if any.

    Raises DeliveryNotFoundError.
    """
    parsed, warnings, _ = read(DeliveryInput, given)
    delivery = _found(context, parsed.id)
    connection = connection_under(context, delivery.connection_id)
    data = {
        **delivery_view(delivery),
        "connection": connection_brief(connection) if connection else None,
        "payload": delivery.payload,
        "attempts": [attempt_view(attempt) for attempt in delivery.attempts],
    }
    return {"action": "get_delivery", "data": data, "warnings": warnings}


def replay_delivery(context: Context, given: Mapping[str, Any]) -> Answer:
    """Send a delivery once more, with the same `webhook-id`, and all its attempts before it.

    It is sent within seconds, though its endpoint rests. A pending one is due at once, which the
    schedule finds within five minutes. What its receiver left, and a mail of a report schedule that
    was deleted, stays unsent: that is as good as a connection that is disabled. Raises
    DeliveryNotFoundError, ConnectionNotFoundError, ConnectionDisabledError, BusyError,
    InProgressError.
    """
    parsed, warnings, _ = read(ReplayInput, given)

    def effect() -> Answer:
        delivery = _replayed(context, parsed.id, dry_run=parsed.dry_run)
        return {
            "action": "replay_delivery",
            "data": delivery_view(delivery),
            **({"dry_run": True} if parsed.dry_run else {}),
            "warnings": warnings,
        }

    return effect() if parsed.dry_run else once(context, effect)


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """Return *delivery* as answers show it, without what is large."""
    return {
        "id": delivery.id,
        "state": delivery.state,
        "connection_id": delivery.connection_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "customer_id": delivery.customer_id,
        "created_at": iso(delivery.created_at),
        "tries": delivery.tries,
        "next_at": iso(delivery.next_at) if delivery.next_at else None,
    }


def _replayed(context: Context, delivery_id: str, *, dry_run: bool) -> Delivery:
    for attempt in count():
        delivery = _found(context, delivery_id)
        connection = _open(context, delivery)
        now = context.clock()
        tries = delivery.tries if delivery.state == PENDING else 0
        pending = replace(delivery, state=PENDING, tries=tries, next_at=now)
        if dry_run:
            return pending
        _wake(context, connection)
        try:
            return context.outbound.deliveries.save(pending)
        except (WriteConflictError, StorageBusyError):
            # An attempt at it is made just now: once more, from what it is then.
            context.pause(attempt)
    raise AssertionError("count() is endless")


def _open(context: Context, delivery: Delivery) -> Connection:
    """Return the delivery's connection, if anything can be sent over it."""
    connection = connection_under(context, delivery.connection_id)
    if connection is None:
        raise ConnectionNotFoundError(
            f"the connection {delivery.connection_id!r} of this delivery was deleted: "
            "get_delivery shows what was sent"
        )
    if not connection.enabled:
        raise ConnectionDisabledError(
            f"the connection {connection.id!r} of this delivery is disabled: enable it by "
            "toggle_connection first",
            extra={"connection_id": connection.id},
        )
    if (said := unwanted(context, delivery)) is not None:
        raise ConnectionDisabledError(
            f"{said}: nothing more of it is mailed to {connection.shown}",
            extra={"connection_id": connection.id},
        )
    return connection


def _wake(context: Context, connection: Connection) -> None:
    """End the endpoint's rest: whoever replays knows that it is there again."""
    rulebooks, tenant_id = context.outbound.rulebooks, context.tenant.id
    health = rulebooks.health(tenant_id, connection.id)
    if health.resting_until is not None:
        rulebooks.set_health(tenant_id, connection.id, replace(health, resting_until=None))


def _found(context: Context, delivery_id: str) -> Delivery:
    owner, _, rest = delivery_id.partition("_")
    found = (
        context.outbound.deliveries.get(context.tenant.id, delivery_id) if owner and rest else None
    )
    if found is None:
        raise DeliveryNotFoundError(
            f"no delivery has id {delivery_id!r}: list_deliveries lists those of the last 30 days"
        )
    return found

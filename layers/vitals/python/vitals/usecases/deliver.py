"""Delivering: one attempt at one delivery, and what follows from how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from vitals.domain.audit import AuditEvent
from vitals.domain.connection import GIVEN_UP_AFTER, Connection, Health
from vitals.domain.delivery import (
    CANCELLED,
    DELIVERED,
    FAILED,
    GONE,
    KEPT_ATTEMPTS,
    OK,
    PENDING,
    RETRY,
    Attempt,
    Delivery,
    wait_after,
)
from vitals.domain.notice import DISABLED, connection_disabled
from vitals.storage.ports import Act, EntryChange, WriteConflictError
from vitals.storage.reaction_ports import DELIVERY
from vitals.usecases.connection_book import entry
from vitals.usecases.context import Context
from vitals.usecases.rulebook import ADDRESS, connection_under, rulebook
from vitals.usecases.telling import deliveries_of
from vitals.usecases.unwanted import unwanted

AT_ONCE = timedelta(seconds=10)
"""A wait that is no longer is waited for: the schedule comes round every five minutes only."""
LONGEST_REST = timedelta(minutes=5)
"""A receiver that does not answer is left alone for so long at most."""
EARLY = timedelta(seconds=1)
SAID_GONE = "it answered 410 Gone"
WELL = Health()


def deliver(
    context: Context, delivery_id: str, jitter: Callable[[], float], sleep: Callable[[float], None]
) -> str:
    """Make the attempt that is due at a delivery, and return the state it is in then.

    Made again for the same message it does nothing, unless the attempt's outcome was lost with
    this process: then it is made again, with the same `webhook-id`. Raises StorageBusyError.
    """
    delivery = context.outbound.deliveries.get(context.tenant.id, delivery_id)
    if delivery is None:
        # Erased with its customer: nothing is due of it any more.
        context.outbound.wakes.forget(context.tenant.id, DELIVERY, delivery_id)
        return "gone"
    if delivery.state != PENDING:
        return delivery.state
    if delivery.tries and delivery.next_at and delivery.next_at > context.now + EARLY:
        return PENDING
    while True:
        delivery, wait = _attempted(context, delivery, jitter)
        if wait is None or wait > AT_ONCE or not context.has_time():
            return delivery.state
        sleep(wait.total_seconds())
        context = replace(context, now=context.clock())


def _attempted(
    context: Context, delivery: Delivery, jitter: Callable[[], float]
) -> tuple[Delivery, timedelta | None]:
    """Return *delivery* after one attempt, stored, and how long to wait for the next one."""
    outbound, tenant_id = context.outbound, context.tenant.id
    connection = connection_under(context, delivery.connection_id)
    if connection is not None and connection.disabled_reason:
        # Whoever gave it up may have died before anybody was told.
        _tell_given_up(context, connection)
    if connection is None or not connection.enabled:
        said = "the connection was deleted" if connection is None else "the connection is disabled"
        return _cancelled(context, delivery, said), None
    if (reason := unwanted(context, delivery)) is not None:
        return _cancelled(context, delivery, reason), None
    health = outbound.rulebooks.health(tenant_id, connection.id)
    if health.resting_until is not None and health.resting_until > context.now:
        wait = health.resting_until - context.now + timedelta(seconds=30 * jitter())
        return _stored(context, replace(delivery, next_at=context.now + wait)), None
    secrets = outbound.vault.open(tenant_id, connection.id, connection.sealed)
    attempt = outbound.attempt(connection, secrets, delivery.payload, context.now)
    # A receiver that hangs takes its time: what follows counts from now.
    context = replace(context, now=context.clock())
    if attempt.verdict == OK:
        if health != WELL:
            outbound.rulebooks.set_health(tenant_id, connection.id, WELL)
        return _stored(context, _tried(delivery, attempt, DELIVERED)), None
    if attempt.verdict == GONE:
        # First of all: a delivery that has ended gives nothing up when it comes again.
        give_up(context, connection, SAID_GONE)
        return _stored(context, _tried(delivery, attempt, FAILED)), None
    return _failed(context, delivery, (connection, health), attempt, jitter())


def _cancelled(context: Context, delivery: Delivery, said: str) -> Delivery:
    attempt = Attempt(at=context.now, verdict=RETRY, error=said)
    return _stored(context, _tried(delivery, attempt, CANCELLED))


def _failed(
    context: Context,
    delivery: Delivery,
    endpoint: tuple[Connection, Health],
    attempt: Attempt,
    jitter: float,
) -> tuple[Delivery, timedelta | None]:
    """Return what `_attempted` does, after an attempt that may succeed later."""
    connection, health = endpoint
    wait = wait_after(delivery.tries + 1, jitter, attempt.retry_after)
    since = health.failing_since or context.now
    # Whoever does not answer, or says that it is too much, is left alone for a while: the
    # deliveries behind this one must not each wait for it.
    rest = None
    if wait is not None and attempt.retry_after is not None:
        rest = wait
    elif wait is not None and attempt.status is None:
        # No longer: how often this one was tried says nothing of the others.
        rest = min(wait, LONGEST_REST)
    resting_until = context.now + rest if rest else None
    first = health.failures == 0
    health = Health(failing_since=since, resting_until=resting_until, failures=health.failures + 1)
    context.outbound.rulebooks.set_health(context.tenant.id, connection.id, health)
    state, next_at = (PENDING, context.now + wait) if wait is not None else (FAILED, None)
    after = _stored(context, _tried(delivery, attempt, state, next_at))
    if context.now - since >= GIVEN_UP_AFTER:
        give_up(context, connection, "it has failed for five days")
        return after, None
    # One that fails again, or takes its time, is not waited for: others of the tenant are behind.
    return after, wait if first and attempt.status is not None else None


def _tried(
    delivery: Delivery, attempt: Attempt, state: str, next_at: datetime | None = None
) -> Delivery:
    return replace(
        delivery,
        state=state,
        tries=delivery.tries + 1,
        next_at=next_at,
        attempts=(*delivery.attempts, attempt)[-KEPT_ATTEMPTS:],
    )


def _stored(context: Context, delivery: Delivery) -> Delivery:
    try:
        return context.outbound.deliveries.save(delivery)
    except WriteConflictError:
        # Another message about the same delivery was faster: what it stored stands.
        return context.outbound.deliveries.get(context.tenant.id, delivery.id) or delivery


def give_up(context: Context, connection: Connection, reason: str) -> None:
    """Disable *connection*, and tell its owner and whoever subscribed to that.

    A transient one that is gone is removed as well.
    """
    if connection.id.startswith(ADDRESS):
        return
    disabled = replace(
        connection,
        enabled=False,
        disabled_reason=reason,
        updated_at=context.now,
        version=connection.version + 1,
    )
    if _is_kept(context, "disable_connection", connection, disabled, reason):
        _tell_given_up(context, disabled)


def _tell_given_up(context: Context, connection: Connection) -> None:
    """Tell of a disabled *connection*, once however often, and remove it if it is to be."""
    reason = connection.disabled_reason or ""
    told = connection_disabled(connection, reason, connection.updated_at)
    subscribed = [each.id for each in rulebook(context).subscribed(DISABLED)]
    owner = [ADDRESS + connection.owner] if connection.owner else []
    context.outbound.deliveries.add(deliveries_of(context, told, [*subscribed, *owner]))
    if connection.transient and reason == SAID_GONE:
        _is_kept(context, "remove_connection", connection, None, reason)


def _is_kept(
    context: Context, action: str, before: Connection, after: Connection | None, reason: str
) -> bool:
    """Write what becomes of a connection, on record; False if somebody changes it just now."""
    event = AuditEvent(
        id=context.new_id(context.now),
        at=context.now,
        action=action,
        by="vitals",
        subject=before.id,
        details={"name": before.name, "reason": reason},
    )
    change = EntryChange(entry(before), entry(after) if after else None)
    try:
        context.administration.commit(context.tenant, Act(event=event, entries=[change]))
    except WriteConflictError:
        return False
    return True

"""Purging a customer: everything that names it goes, a tombstone stays (AMB-13)."""

from __future__ import annotations

from itertools import count

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.mutation import after_version
from vitals.storage.ports import StorageBusyError, StoredAnswer, WriteConflictError
from vitals.usecases.context import Context
from vitals.usecases.inputs import WriteOptions
from vitals.usecases.write import guard_version

UNGUARDED = WriteOptions()


def purge_customer(
    context: Context,
    customer: Customer,
    options: WriteOptions = UNGUARDED,
    answer: StoredAnswer | None = None,
) -> None:
    """Erase *customer*, its names and its history; only the purge itself is kept on record.

    A call that was cut short is finished by the next. Raises BusyError, VersionConflictError, and
    WriteConflictError if *answer*'s key has an answer.
    """
    current: Customer | None = customer
    for attempt in count():
        if current is None:
            break
        try:
            context.customers.purge(context.tenant, current, _change(context, current), answer)
            break
        except WriteConflictError as lost:
            if "answer" in lost.on:
                raise
            current = context.customers.get(context.tenant, customer.id)
            if current is not None:
                guard_version(options, current)
        except StorageBusyError:
            pass
        context.pause(attempt)
    erase_history(context, customer.id)


def erase_history(context: Context, customer_id: str) -> None:
    """Erase what an erased customer's changes say of it. Raises BusyError."""
    for attempt in count():
        try:
            context.customers.purge_history(context.tenant, customer_id)
        except StorageBusyError:
            # Nobody would come back for it: its names are free, and it is found no more.
            context.pause(attempt)
        else:
            return


def _change(context: Context, customer: Customer) -> Change:
    """Return the record of the purge, without anything that names the customer."""
    version, at = after_version(customer, context.now)
    return Change(
        id=context.new_id(at),
        customer_id=customer.id,
        name="",
        version=version,
        at=at,
        action="delete_customer",
        cause="purge",
        by=context.key.id,
        model_version=customer.model_version,
        changed={},
        score_before=None,
        status_before=None,
        score_after=None,
        status_after="unscored",
        contributions_before={},
        contributions_after={},
    )

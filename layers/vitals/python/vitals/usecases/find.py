"""Finding the customer that a request means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from vitals.domain.customer import TRASH_DAYS, Customer, normalised_name
from vitals.domain.errors import CustomerNotFoundError, FieldError, ValidationError
from vitals.usecases.context import Context
from vitals.usecases.inputs import Reference


@dataclass(frozen=True, slots=True)
class Known:
    """What a batch read ahead: who holds each (kind, value), names normalised, and customers.

    It may be out of date: it is used for a first try, which its conditions guard.
    """

    asked: frozenset[tuple[str, str]] = frozenset()
    holders: Mapping[tuple[str, str], str] = field(default_factory=dict)
    customers: Mapping[str, Customer] = field(default_factory=dict)


NOTHING = Known()


def find(
    context: Context,
    reference: Reference,
    known: Known = NOTHING,
    over: list[Customer] | None = None,
) -> Customer | None:
    """Return the customer by id, else external_id, else name (AMB-11); deleted ones too.

    Costs 1 read by id, 2 by what a lock holds. One whose time in the trash is over is not found,
    whether or not it was purged yet; *over* gathers those that still hold a name asked for.
    """
    if reference.id is not None:
        found = _get(context, reference.id, known)
        return None if found is None or is_over(context, found) else found
    for kind, value in (("external_id", reference.external_id), ("name", reference.name)):
        if value is not None:
            holder = _holder(context, kind, value, known)
            found = _get(context, holder, known) if holder else None
            if found is not None and not is_over(context, found):
                return found
            if found is not None and over is not None:
                over.append(found)
    return None


def require(context: Context, reference: Reference, known: Known = NOTHING) -> Customer:
    """Return the customer that *reference* means, deleted or not.

    Raises CustomerNotFoundError, or ValidationError where nothing says which customer.
    """
    if reference.id is None and reference.external_id is None and reference.name is None:
        raise ValidationError(
            [FieldError("id", "required", "say which customer: give id, external_id or name")]
        )
    found = find(context, reference, known)
    if found is None:
        raise not_found(reference)
    return found


def require_live(context: Context, reference: Reference) -> Customer:
    """Return the customer that *reference* means; a deleted one is not found."""
    found = require(context, reference)
    if found.deleted_at is not None:
        raise not_found(reference)
    return found


def not_found(reference: Reference) -> CustomerNotFoundError:
    """Return the error that says which reference found no customer."""
    for name in ("id", "external_id", "name"):
        value = getattr(reference, name)
        if value is not None:
            return CustomerNotFoundError(f"no customer has {name} {value!r}")
    return CustomerNotFoundError("no such customer")


def is_over(context: Context, customer: Customer) -> bool:
    """Tell whether *customer* has been in the trash for longer than it is kept there."""
    deleted_at = customer.deleted_at
    return deleted_at is not None and deleted_at + timedelta(days=TRASH_DAYS) <= context.now


def _holder(context: Context, kind: str, value: str, known: Known) -> str | None:
    token = (kind, normalised_name(value) if kind == "name" else value)
    if token in known.asked:
        return known.holders.get(token)
    return context.customers.holder(context.tenant, kind, value)


def _get(context: Context, customer_id: str, known: Known) -> Customer | None:
    found = known.customers.get(customer_id)
    return found or context.customers.get(context.tenant, customer_id)

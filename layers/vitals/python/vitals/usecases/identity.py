"""What a customer alone may have: its name, external_id and email_domain (AMB-11, LU-033)."""

from __future__ import annotations

from dataclasses import replace

from vitals.domain.customer import Customer, normalised_name
from vitals.domain.errors import (
    DuplicateEmailDomainError,
    DuplicateExternalIdError,
    DuplicateNameError,
    InTrashError,
)
from vitals.usecases.context import Context
from vitals.usecases.find import is_over
from vitals.usecases.purge import purge_customer

_DUPLICATES = {
    "name": DuplicateNameError,
    "external_id": DuplicateExternalIdError,
    "email_domain": DuplicateEmailDomainError,
}


def renamed(context: Context, customer: Customer, name: str, *, dry_run: bool = False) -> Customer:
    """Return the stored *customer* under *name*. Raises DuplicateNameError.

    What another takes meanwhile, the commit's locks refuse.
    """
    if normalised_name(name) != normalised_name(customer.name):
        _refuse_taken(context, "name", name, customer, dry_run=dry_run)
    return replace(customer, name=name)


def identified(
    context: Context, customer: Customer, external_id: str | None, *, dry_run: bool = False
) -> Customer:
    """Return the stored *customer* under *external_id*. Raises DuplicateExternalIdError."""
    if external_id is not None and external_id != customer.external_id:
        _refuse_taken(context, "external_id", external_id, customer, dry_run=dry_run)
    return replace(customer, external_id=external_id)


def at_domain(
    context: Context, customer: Customer, email_domain: str | None, *, dry_run: bool = False
) -> Customer:
    """Return *customer*, stored or new, under *email_domain*; None gives its domain up.

    It finds nobody: another customer that has it is refused. Raises DuplicateEmailDomainError.
    """
    if email_domain is not None and email_domain != customer.email_domain:
        _refuse_taken(context, "email_domain", email_domain, customer, dry_run=dry_run)
    return replace(customer, email_domain=email_domain)


def in_trash(context: Context, customer: Customer) -> InTrashError:
    """Return the error that says until when the deleted *customer* can be restored."""
    shown = context.view(customer, whole=False)
    return InTrashError(
        f"customer {customer.name!r} was deleted and is purged on {shown['purge_at']}: "
        "restore it with restore_customer, or upsert it with on_deleted: restore",
        extra={"customer_id": customer.id, "purge_at": shown["purge_at"]},
    )


def _refuse_taken(
    context: Context, kind: str, value: str, customer: Customer, *, dry_run: bool
) -> None:
    holder = context.customers.holder(context.tenant, kind, value)
    if holder is None or holder == customer.id:
        return
    gone = context.customers.get(context.tenant, holder)
    if gone is not None and is_over(context, gone):
        # Nobody can restore it any more: it gives way, as it does to a creation.
        if not dry_run:
            purge_customer(context, gone)
        return
    raise _DUPLICATES[kind](
        f"another customer has the {kind} {value!r}", extra={"customer_id": holder}
    )

"""upsert_account: create or update a customer, scored in the same answer (IQ-015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from vitals.domain.customer import Customer
from vitals.domain.errors import (
    AlreadyExistsError,
    DuplicateNameError,
    FieldError,
    ValidationError,
)
from vitals.domain.mutation import Reason
from vitals.domain.patch import Patch, merged
from vitals.usecases.context import Answer, Context
from vitals.usecases.customer_input import CustomerInput, read_customer
from vitals.usecases.fields import Flag, one_of
from vitals.usecases.find import NOTHING, Known, find, not_found
from vitals.usecases.identity import identified, in_trash, renamed
from vitals.usecases.purge import purge_customer
from vitals.usecases.write import Draft, write

ACTION = "upsert_account"


class UpsertInput(CustomerInput):
    """A customer to create or update."""

    aliases: ClassVar[Mapping[str, str]] = CustomerInput.aliases

    create_only: Flag = False
    on_deleted: Annotated[str, one_of("refuse", "restore")] = "refuse"


def upsert_account(context: Context, given: Mapping[str, Any], known: Known = NOTHING) -> Answer:
    """Create or update the customer that *given* names, and answer with its new score.

    Never makes a duplicate (AMB-11): two creators of one name make one customer. A customer in
    the trash is refused unless on_deleted is `restore` (AMB-12). *known* serves the first try.
    """
    parsed, patch, warnings = read_customer(context, given, UpsertInput)

    def decide(context: Context, attempt: int) -> Draft:
        return _draft(context, parsed, patch, known if attempt == 0 else NOTHING)

    return write(context, parsed, warnings, decide)


def _draft(context: Context, parsed: UpsertInput, patch: Patch, known: Known) -> Draft:
    over: list[Customer] = []
    before = find(context, parsed, known, over)
    restored = before is not None and before.deleted_at is not None
    if before is not None and restored and parsed.on_deleted != "restore":
        raise in_trash(context, before)
    if before is None:
        after = _new(context, parsed)
    else:
        if parsed.create_only and not restored:
            raise AlreadyExistsError(
                f"customer {before.name!r} exists: leave out create_only to update it",
                extra={"customer_id": before.id},
            )
        after = replace(_identified(context, before, parsed), deleted_at=None)
    after = merged(after, patch, context.moment)
    if not parsed.dry_run:
        # Nobody can restore them any more: they give way to whoever takes their names.
        for gone in {each.id: each for each in over}.values():
            purge_customer(context, gone)
    reason = Reason(action=ACTION, lifecycle_given="lifecycle" in patch.fields)
    return Draft(before=before, after=after, reason=reason, extra={"restored": restored})


def _new(context: Context, parsed: UpsertInput) -> Customer:
    if parsed.id is not None:
        raise not_found(parsed)
    if parsed.name is None:
        message = "is required to create a customer, and none was found to update"
        raise ValidationError([FieldError("name", "required", message)])
    return Customer(
        id=context.new_id(context.now),
        tenant_id=context.tenant.id,
        name=parsed.name,
        external_id=parsed.external_id,
        created_at=context.now,
        updated_at=context.now,
    )


def _identified(context: Context, before: Customer, parsed: UpsertInput) -> Customer:
    """Return *before* under the name and external_id that were sent."""
    after, external_id = before, parsed.external_id
    by_external_id = external_id is not None and external_id == before.external_id
    if parsed.name is not None and (parsed.id is not None or by_external_id):
        after = renamed(context, after, parsed.name, dry_run=parsed.dry_run)
    elif (
        parsed.id is None
        and external_id is not None
        and before.external_id is not None
        and not by_external_id
    ):
        # Found by its name, another spelling of it is no rename; but another external_id is
        # another customer, which cannot have the name too.
        raise DuplicateNameError(
            f"the name {parsed.name!r} belongs to the customer with external_id "
            f"{before.external_id!r}, not {external_id!r}",
            extra={"customer_id": before.id},
        )
    if external_id is None:
        return after
    return identified(context, after, external_id, dry_run=parsed.dry_run)

"""upsert_account: create or update a customer, scored in the same answer (IQ-015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

from vitals.domain.customer import Customer
from vitals.domain.errors import (
    AlreadyExistsError,
    DuplicateNameError,
    FieldError,
    ValidationError,
)
from vitals.domain.mutation import Reason
from vitals.domain.patch import Moment, Patch, merged
from vitals.usecases.computing import computed_now
from vitals.usecases.context import Answer, Context
from vitals.usecases.customer_input import CustomerInput, read_customer
from vitals.usecases.fields import Flag, one_of
from vitals.usecases.find import NOTHING, Known, find, not_found, require
from vitals.usecases.identity import at_domain, identified, in_trash, renamed
from vitals.usecases.purge import purge_customer
from vitals.usecases.write import Draft, write

ACTION = "upsert_account"


class UpsertInput(CustomerInput):
    """A customer to create or update."""

    aliases: ClassVar[Mapping[str, str]] = CustomerInput.aliases

    create_only: Flag = False
    on_deleted: Annotated[str, one_of("refuse", "restore")] = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What whoever hands a request to upsert_account asks beside it; no caller can send it.

    *must_exist*: nothing is created; *trash_is_gone*: who is in the trash is not found;
    *renewal_ahead*: renewal_date is not changed to a past day (AMB-37). A customer whose stage is
    one of *stays_in* keeps it, whatever stage is sent (AMB-32). *action* and *cause* are what the
    change bears.
    """

    must_exist: bool = False
    trash_is_gone: bool = False
    renewal_ahead: bool = False
    stays_in: tuple[str, ...] = ()
    action: str = ACTION
    cause: str = "api"


USUAL = Terms()


def upsert_account(
    context: Context, given: Mapping[str, Any], known: Known = NOTHING, terms: Terms = USUAL
) -> Answer:
    """Create or update the customer that *given* names, and answer with its new score.

    Never makes a duplicate (AMB-11): two creators of one name make one customer. A customer in
    the trash is refused unless on_deleted is `restore` (AMB-12). *known* serves the first try.
    Raises CustomerNotFoundError, DuplicateNameError, DuplicateExternalIdError,
    DuplicateEmailDomainError, ValidationError, VersionConflictError.
    """
    parsed, patch, warnings = read_customer(context, given, UpsertInput)

    def decide(context: Context, attempt: int) -> Draft:
        return _draft(context, parsed, patch, known if attempt == 0 else NOTHING, terms)

    return write(context, parsed, warnings, decide)


def renewal_put_into_the_past(before: Customer | None, after: Customer, moment: Moment) -> bool:
    """Tell whether *after* has another renewal_date than *before*, and one that is over (AMB-37).

    Past is what lies before the tenant's day; today is not.
    """
    day = after.renewal_date
    changed = before is None or before.renewal_date != day
    return changed and day is not None and day < moment.today


def _draft(
    context: Context, parsed: UpsertInput, patch: Patch, known: Known, terms: Terms
) -> Draft:
    over: list[Customer] = []
    before = find(context, parsed, known, over)
    restored = before is not None and before.deleted_at is not None
    _refuse_target(context, parsed, before, terms)
    if before is None:
        after = _new(context, parsed)
    else:
        after = replace(_identified(context, before, parsed), deleted_at=None)
    if "email_domain" in parsed.model_fields_set:
        after = at_domain(context, after, parsed.email_domain, dry_run=parsed.dry_run)
    if before is not None and before.lifecycle in terms.stays_in:
        kept = {name: value for name, value in patch.fields.items() if name != "lifecycle"}
        patch = replace(patch, fields=kept)
    head = None
    if restored:
        # As restore_customer does: no night has counted its events anew while it was away.
        after, head = computed_now(context, after)
    after = merged(after, patch, context.moment)
    if terms.renewal_ahead and renewal_put_into_the_past(before, after, context.moment):
        message = f"must not become a day that is over: today is {context.moment.today}"
        raise ValidationError([FieldError("renewal_date", "in_the_past", message)])
    if not parsed.dry_run:
        # Nobody can restore them any more: they give way to whoever takes their names.
        for gone in {each.id: each for each in over}.values():
            purge_customer(context, gone)
    reason = Reason(
        action=terms.action, cause=terms.cause, lifecycle_given="lifecycle" in patch.fields
    )
    extra = {"restored": restored}
    return Draft(before=before, after=after, reason=reason, extra=extra, head=head)


def _refuse_target(
    context: Context, parsed: UpsertInput, before: Customer | None, terms: Terms
) -> None:
    """Raise what forbids to write to *before*, or to create a customer if there is none."""
    if before is None:
        if terms.must_exist:
            # Says what is missing, if nothing was said.
            require(context, parsed)
        return
    if before.deleted_at is None:
        if parsed.create_only:
            raise AlreadyExistsError(
                f"customer {before.name!r} exists: leave out create_only to update it",
                extra={"customer_id": before.id},
            )
    elif terms.trash_is_gone:
        raise not_found(parsed)
    elif parsed.on_deleted != "restore":
        raise in_trash(context, before)


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

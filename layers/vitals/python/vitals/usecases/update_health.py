"""update_health: set one field of a customer (IQ-016, AMB-59)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.mutation import Reason
from vitals.domain.patch import Patch, merged
from vitals.usecases.context import Answer, Context
from vitals.usecases.customer_input import WRITABLE, CustomerInput, read_customer
from vitals.usecases.fields import text
from vitals.usecases.find import require
from vitals.usecases.identity import at_domain, identified, in_trash, renamed
from vitals.usecases.inputs import Warning_, WriteReference, read, unknown_field
from vitals.usecases.write import Draft, write

ACTION = "update_health"
_CUSTOM = "custom_fields."


class UpdateHealthInput(WriteReference):
    """Which customer, and which of its fields; `value` is what the field becomes."""

    field: Annotated[str, text(128)]
    value: Any = None


def update_health(context: Context, given: Mapping[str, Any]) -> Answer:
    """Set one field of an existing customer and answer with its new score; never creates one.

    Any writable field or signal goes, `custom_fields.<key>` too; `name` only for a customer
    given by id or external_id. Raises CustomerNotFoundError, ValidationError.
    """
    parsed, warnings, _ = read(UpdateHealthInput, given)
    if "value" not in parsed.model_fields_set:
        raise _refused("value", "required", "is required; null clears the field")
    name = _field_name(context, parsed)
    wanted, patch, more = _read_value(context, name, parsed.value)

    def decide(context: Context, _: int) -> Draft:
        before = require(context, parsed)
        if before.deleted_at is not None:
            raise in_trash(context, before)
        after = before
        if name == "name" and wanted.name is not None:
            after = renamed(context, before, wanted.name, dry_run=parsed.dry_run)
        elif name == "external_id":
            after = identified(context, before, wanted.external_id, dry_run=parsed.dry_run)
        elif name == "email_domain":
            after = at_domain(context, before, wanted.email_domain, dry_run=parsed.dry_run)
        after = merged(after, patch, context.moment)
        reason = Reason(action=ACTION, lifecycle_given=name == "lifecycle")
        return Draft(before=before, after=after, reason=reason)

    return write(context, parsed, warnings + more, decide)


def _field_name(context: Context, parsed: UpdateHealthInput) -> str:
    """Return the field's own name. Raises ValidationError for one that is not written here."""
    asked = parsed.field
    name = CustomerInput.aliases.get(asked, asked)
    if name == "name" and parsed.id is None and parsed.external_id is None:
        raise _refused("field", "needs_id", "name is changed for an id or external_id, not a name")
    known = {*WRITABLE, *context.model.names}
    if name in known or (name.startswith(_CUSTOM) and name != _CUSTOM):
        return name
    meant = unknown_field(asked, known)
    raise _refused("field", "unknown_field", f"{asked!r} {meant['message']}")


def _read_value(
    context: Context, name: str, value: Any
) -> tuple[CustomerInput, Patch, list[Warning_]]:
    """Return the one field read as upsert_account reads it, its errors named `value`."""
    if name == "name" and value is None:
        raise _refused("value", "required", "a customer has a name")
    if name.startswith(_CUSTOM):
        given: dict[str, Any] = {"custom_fields": {name.removeprefix(_CUSTOM): value}}
    else:
        given = {name: value}
    try:
        return read_customer(context, given, CustomerInput)
    except ValidationError as refused:
        errors = [FieldError("value", error.code, error.message) for error in refused.errors]
        raise ValidationError(errors) from None


def _refused(field: str, code: str, message: str) -> ValidationError:
    return ValidationError([FieldError(field, code, message)])

"""Contacts: the people at a customer, listed, read, created, changed and deleted (LU-040, 041)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from vitals.domain.contact import MAX_CONTACTS, Contact, contact_fields, holder_of_email
from vitals.domain.customer import Customer
from vitals.domain.errors import (
    ContactNotFoundError,
    DuplicateContactError,
    FieldError,
    InvalidCursorError,
    TooManyError,
    ValidationError,
)
from vitals.domain.mutation import Reason
from vitals.usecases.address_fields import Email, Phone
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Flag, Name, Short, text
from vitals.usecases.find import require_live
from vitals.usecases.inputs import Input, Reference, WriteOptions, read
from vitals.usecases.paging import LONGEST_ID, Page, filled, paged
from vitals.usecases.write import Draft, write

_FIELDS = ("name", "email", "title", "is_champion", "whatsapp_number")


class ContactsInput(Page):
    """Whose contacts: the customer's id."""

    id: Short


class ContactInput(Input):
    """Which contact of which customer."""

    id: Short
    contact_id: Short


class CreateContactInput(WriteOptions):
    """A contact of the customer *id*."""

    id: Short
    name: Name | None = None
    email: Email | None = None
    title: Annotated[str, text(200)] | None = None
    is_champion: Flag | None = None
    whatsapp_number: Phone | None = None


class UpdateContactInput(CreateContactInput):
    """What is to change of a contact; what is not sent stays, null clears."""

    contact_id: Short


class DeleteContactInput(WriteOptions):
    """Which contact is to go."""

    id: Short
    contact_id: Short


def list_contacts(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of a customer's contacts, the oldest first, to the millisecond: 1 read.

    Raises CustomerNotFoundError, also for a customer in the trash, InvalidCursorError.
    """
    parsed, warnings, _ = read(ContactsInput, given)
    query = digest("contacts", parsed.id)
    after = ""
    if parsed.cursor is not None:
        [after] = place_of(parsed.cursor, query, str)
        if not after.isalnum() or len(after) > LONGEST_ID:
            raise InvalidCursorError("cursor was not issued here: start without one")
    customer = _live(context, parsed.id)
    rows = (each for each in sorted(customer.contacts) if each > after)
    page = filled(rows, parsed.limit, lambda each: _shown(customer, each))
    return paged("list_contacts", parsed, warnings, page, lambda last: cursor(query, [last]))


def get_contact(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one contact. Raises CustomerNotFoundError, ContactNotFoundError."""
    parsed, warnings, _ = read(ContactInput, given)
    customer = _live(context, parsed.id)
    _required(customer, parsed.contact_id)
    shown = _shown(customer, parsed.contact_id)
    return {"action": "get_contact", "data": shown, "warnings": warnings}


def create_contact(context: Context, given: Mapping[str, Any]) -> Answer:
    """Add a contact to a customer and return it, with the customer's new version.

    Raises CustomerNotFoundError, DuplicateContactError, TooManyError, ValidationError.
    """
    parsed, warnings, _ = read(CreateContactInput, given)
    fields = _sent(parsed)
    if "name" not in fields:
        raise _name_is_required()

    def decide(context: Context, _: int) -> Draft:
        before = _live(context, parsed.id)
        if len(before.contacts) >= MAX_CONTACTS:
            raise TooManyError(f"the customer has {MAX_CONTACTS} contacts: delete one first")
        now = context.now
        made = Contact(**{**fields, "created_at": now, "updated_at": now})
        return _draft("create_contact", before, context.new_id(now), made)

    return write(context, parsed, warnings, decide)


def update_contact(context: Context, given: Mapping[str, Any]) -> Answer:
    """Set the fields that were sent of a contact and return it; what it is already is unchanged.

    Raises CustomerNotFoundError, ContactNotFoundError, DuplicateContactError, ValidationError.
    """
    parsed, warnings, _ = read(UpdateContactInput, given)
    fields = _sent(parsed)

    def decide(context: Context, _: int) -> Draft:
        before = _live(context, parsed.id)
        stored = _required(before, parsed.contact_id)
        changed = replace(stored, **fields)
        if changed != stored:
            changed = replace(changed, updated_at=context.now)
        return _draft("update_contact", before, parsed.contact_id, changed)

    return write(context, parsed, warnings, decide)


def delete_contact(context: Context, given: Mapping[str, Any]) -> Answer:
    """Take a contact off its customer and return it as it was.

    The customer's history still says who it was, until that is erased with the customer. Raises
    CustomerNotFoundError, ContactNotFoundError.
    """
    parsed, warnings, _ = read(DeleteContactInput, given)

    def decide(context: Context, _: int) -> Draft:
        before = _live(context, parsed.id)
        gone = _required(before, parsed.contact_id)
        left = {each: kept for each, kept in before.contacts.items() if each != parsed.contact_id}
        return Draft(
            before=before,
            after=replace(before, contacts=left),
            reason=Reason(action="delete_contact"),
            extra={"customer_id": before.id, "deleted": True},
            show=lambda _, after: _view(after, parsed.contact_id, gone),
        )

    return write(context, parsed, warnings, decide)


def _draft(action: str, before: Customer, contact_id: str, contact: Contact) -> Draft:
    """Return the write that leaves *before* with *contact*, and answers with it."""
    holder = holder_of_email(before.contacts.items(), contact.email, contact_id)
    if holder is not None:
        raise DuplicateContactError(
            f"another contact of the customer has the e-mail address {contact.email!r}",
            extra={"contact_id": holder},
        )
    is_new = contact_id not in before.contacts
    after = before
    if before.contacts.get(contact_id) != contact:
        after = replace(before, contacts={**before.contacts, contact_id: contact})
    return Draft(
        before=before,
        after=after,
        reason=Reason(action=action),
        extra={"customer_id": before.id, "created": is_new},
        show=lambda _, written: _shown(written, contact_id),
    )


def _sent(parsed: CreateContactInput) -> dict[str, Any]:
    """Return the fields that were sent. Raises ValidationError for a name that is cleared."""
    sent = {name: getattr(parsed, name) for name in _FIELDS if name in parsed.model_fields_set}
    if "name" in sent and sent["name"] is None:
        raise _name_is_required()
    if "is_champion" in sent:
        sent["is_champion"] = bool(sent["is_champion"])
    return sent


def _name_is_required() -> ValidationError:
    return ValidationError([FieldError("name", "required", "a contact has a name")])


def _live(context: Context, customer_id: str) -> Customer:
    return require_live(context, Reference(id=customer_id))


def _required(customer: Customer, contact_id: str) -> Contact:
    found = customer.contacts.get(contact_id)
    if found is None:
        raise ContactNotFoundError(f"the customer has no contact {contact_id!r}")
    return found


def _shown(customer: Customer, contact_id: str) -> dict[str, Any]:
    return _view(customer, contact_id, customer.contacts[contact_id])


def _view(customer: Customer, contact_id: str, contact: Contact) -> dict[str, Any]:
    return {
        "id": contact_id,
        "customer_id": customer.id,
        **contact_fields(contact),
        "version": customer.version,
    }

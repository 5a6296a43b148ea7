"""A contact: a person at a customer, kept with the customer (LU-040, 041)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vitals.domain.instants import iso

MAX_CONTACTS = 100
"""A customer has at most so many: they are read and written with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One person at a customer: *email* as it was written, *whatsapp_number* in E.164."""

    name: str
    created_at: datetime
    updated_at: datetime
    email: str | None = None
    title: str | None = None
    is_champion: bool = False
    whatsapp_number: str | None = None


def contact_fields(contact: Contact) -> dict[str, Any]:
    """Return *contact* as answers and change records show it."""
    return {
        "name": contact.name,
        "email": contact.email,
        "title": contact.title,
        "is_champion": contact.is_champion,
        "whatsapp_number": contact.whatsapp_number,
        "created_at": iso(contact.created_at),
        "updated_at": iso(contact.updated_at),
    }


def contact_of(fields: Mapping[str, Any]) -> Contact:
    """Return the contact that `contact_fields` made *fields* of; what is absent has no value."""
    instants = {name: datetime.fromisoformat(fields[name]) for name in ("created_at", "updated_at")}
    return Contact(**{**fields, **instants})


def holder_of_email(
    contacts: Iterable[tuple[str, Contact]], email: str | None, besides: str | None = None
) -> str | None:
    """Return the id of the one of *contacts*, but *besides*, with that *email*, case folded."""
    if email is None:
        return None
    folded = email.casefold()
    return next(
        (
            contact_id
            for contact_id, each in contacts
            if contact_id != besides and each.email is not None and each.email.casefold() == folded
        ),
        None,
    )

"""How customers and changes become the JSON texts of items, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from vitals.domain.change import Change
from vitals.domain.contact import Contact
from vitals.domain.customer import Customer, Override, Received
from vitals.domain.instants import iso
from vitals.domain.recent import Step

Decoder = Callable[[Any], Any]


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


# Made once: json's own functions make one for every call.
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=_decimal)
_DECODER = json.JSONDecoder(parse_float=Decimal)


def encode(value: Any) -> str:
    """Return *value* as compact JSON; numbers keep the digits they are shown with."""
    return _ENCODER.encode(value)


def decode(text: str) -> Any:
    """Return the value of JSON *text* that `encode` made, fractions exact."""
    # `decode` would look for spaces around it first, a sixth of its time.
    value, _ = _DECODER.raw_decode(text)
    return value


def _same(value: Any) -> Any:
    return value


def _steps_row(steps: tuple[Step, ...]) -> list[list[int | None]]:
    return [[day.toordinal(), high, last] for day, high, last in steps]


def _steps_of(stored: list[list[int]]) -> tuple[Step, ...]:
    return tuple((date.fromordinal(day), high, last) for day, high, last in stored)


# Short names: the index holds this once more for every customer, about 300 bytes.
_ROW: tuple[tuple[str, str, Decoder, Decoder], ...] = (
    ("name", "n", _same, _same),
    ("external_id", "x", _same, _same),
    ("email_domain", "ed", _same, _same),
    ("version", "v", _same, _same),
    ("signals", "g", dict, _same),
    ("last_contact_on", "lc", date.isoformat, date.fromisoformat),
    ("mrr", "m", _same, _same),
    ("arr", "a", _same, _same),
    ("revenue_basis", "rb", _same, _same),
    ("tier", "t", _same, _same),
    ("lifecycle", "l", _same, _same),
    ("lifecycle_auto", "la", int, bool),
    ("churned_on", "co", date.isoformat, date.fromisoformat),
    ("manager", "o", _same, _same),
    ("tags", "tg", list, tuple),
    ("renewal_date", "r", date.isoformat, date.fromisoformat),
    ("next_touch", "nt", date.isoformat, date.fromisoformat),
    ("since", "s", date.isoformat, date.fromisoformat),
    ("sentiment", "se", _same, _same),
    ("scoring_profile", "p", _same, _same),
    ("model_version", "mv", _same, _same),
    ("score", "sc", _same, _same),
    ("status", "st", _same, _same),
    ("score_changed_at", "ch", iso, datetime.fromisoformat),
    ("recent", "rs", _steps_row, _steps_of),
    ("events_until", "eu", date.isoformat, date.fromisoformat),
    ("created_at", "c", iso, datetime.fromisoformat),
    ("deleted_at", "d", iso, datetime.fromisoformat),
)


_OVERRIDE = "ov"
_FIELDS: Mapping[str, tuple[str, Decoder | None]] = {
    _OVERRIDE: ("override", None),
    **{short: (name, None if decoder is _same else decoder) for name, short, _, decoder in _ROW},
}


def customer_row(customer: Customer) -> str:
    """Return what the index holds of *customer*: all that lists, filters, sorts and decay need."""
    row = {
        short: encoder(value)
        for name, short, encoder, _ in _ROW
        if (value := getattr(customer, name)) is not None and value not in ((), {})
    }
    if customer.override is not None:
        row[_OVERRIDE] = _override_row(customer.override)
    return encode(row)


def customer_doc(customer: Customer) -> str:
    """Return the rest of *customer*: what only a whole read needs."""
    received = {name: [iso(seen.at), seen.source] for name, seen in customer.received.items()}
    doc = {
        "cf": dict(customer.custom_fields),
        "ct": {each: _contact_row(value) for each, value in customer.contacts.items()},
        "no": customer.note,
        "rc": received,
        "or": customer.override.reason if customer.override else None,
        "ci": customer.change_id,
        "cs": customer.cause,
    }
    return encode({short: value for short, value in doc.items() if value})


def customer_of(
    tenant_id: str, customer_id: str, updated_at: str, row: str, doc: str | None = None
) -> Customer:
    """Return the customer that *row*, and *doc* if it was read, describe."""
    fields: dict[str, Any] = {}
    for short, value in decode(row).items():
        # A newer version's row may hold what this one does not know.
        known = _FIELDS.get(short)
        if known is not None:
            name, decoder = known
            fields[name] = decoder(value) if decoder else value
    rest = decode(doc) if doc else {}
    if "override" in fields:
        fields["override"] = _override_of(fields["override"], rest.get("or"))
    return Customer(
        id=customer_id,
        tenant_id=tenant_id,
        updated_at=datetime.fromisoformat(updated_at),
        custom_fields=rest.get("cf", {}),
        contacts={each: _contact_of(value) for each, value in rest.get("ct", {}).items()},
        note=rest.get("no"),
        received={
            name: Received(datetime.fromisoformat(at), source)
            for name, (at, source) in rest.get("rc", {}).items()
        },
        change_id=rest.get("ci", ""),
        cause=rest.get("cs", ""),
        **fields,
    )


def _contact_row(contact: Contact) -> list[Any]:
    return [
        contact.name,
        iso(contact.created_at),
        iso(contact.updated_at),
        contact.email,
        contact.title,
        contact.is_champion,
        contact.whatsapp_number,
    ]


def _contact_of(stored: list[Any]) -> Contact:
    name, created_at, updated_at, email, title, is_champion, whatsapp_number = stored
    return Contact(
        name=name,
        created_at=datetime.fromisoformat(created_at),
        updated_at=datetime.fromisoformat(updated_at),
        email=email,
        title=title,
        is_champion=is_champion,
        whatsapp_number=whatsapp_number,
    )


def _override_row(override: Override) -> list[Any]:
    expires_at = iso(override.expires_at) if override.expires_at else None
    return [override.value, override.set_by, iso(override.set_at), expires_at, override.sticky]


def _override_of(stored: list[Any], reason: str | None) -> Override:
    value, set_by, set_at, expires_at, sticky = stored
    expiry = datetime.fromisoformat(expires_at) if expires_at else None
    return Override(value, set_by, datetime.fromisoformat(set_at), reason, expiry, sticky)


def change_row(change: Change) -> str:
    """Return *change* as its record's text."""
    return encode(
        {
            "id": change.id,
            "customer_id": change.customer_id,
            "name": change.name,
            "version": change.version,
            "at": iso(change.at),
            "action": change.action,
            "cause": change.cause,
            "by": change.by,
            "model_version": change.model_version,
            "changed": change.changed,
            "automatic": change.automatic,
            "score": [change.score_before, change.score_after],
            "status": [change.status_before, change.status_after],
            "contributions": [change.contributions_before, change.contributions_after],
            "contact": change.contact,
        }
    )


def change_of(row: str) -> Change:
    """Return the change whose record's text is *row*."""
    stored: Mapping[str, Any] = decode(row)
    return Change(
        id=stored["id"],
        customer_id=stored["customer_id"],
        name=stored["name"],
        version=stored["version"],
        at=datetime.fromisoformat(stored["at"]),
        action=stored["action"],
        cause=stored["cause"],
        by=stored["by"],
        model_version=stored["model_version"],
        changed={path: (old, new) for path, (old, new) in stored["changed"].items()},
        automatic=tuple(stored["automatic"]),
        score_before=stored["score"][0],
        score_after=stored["score"][1],
        status_before=stored["status"][0],
        status_after=stored["status"][1],
        contributions_before=stored["contributions"][0],
        contributions_after=stored["contributions"][1],
        contact=stored["contact"],
    )

"""Types of input that reach somebody: e-mail domains, e-mail addresses, telephone numbers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, PlainValidator

from vitals.usecases.fields import refuse

LONGEST_DOMAIN = 253
LONGEST_EMAIL = 254
DOMAIN_PATTERN = (
    r"^(?!www\.)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?![0-9]+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
)
"""A host name of two labels at least (RFC 1123), in lower case; the last is no number."""
EMAIL_PATTERN = r"^[^@\s]+@[^@\s]+$"
PHONE_PATTERN = r"^\+[0-9]{8,15}$"

_DOMAIN, _EMAIL, _PHONE = map(re.compile, (DOMAIN_PATTERN, EMAIL_PATTERN, PHONE_PATTERN))


def _domain(raw: object) -> str:
    found = raw.strip().lower() if isinstance(raw, str) else ""
    # Lower-casing makes ASCII of the Kelvin sign: what was sent must have been ASCII.
    good = str(raw).isascii() and len(found) <= LONGEST_DOMAIN and _DOMAIN.fullmatch(found)
    if not good:
        refuse("must_be_domain", "must be a domain like acme.example, without @ or www.")
    return found


def _email(raw: object) -> str:
    found = raw.strip() if isinstance(raw, str) else ""
    if len(found) > LONGEST_EMAIL or not found.isprintable() or not _EMAIL.fullmatch(found):
        message = f"must be an address like ada@acme.example, of at most {LONGEST_EMAIL} characters"
        refuse("must_be_email", message)
    return found


def _phone(raw: object) -> str:
    found = raw.strip() if isinstance(raw, str) else ""
    if not _PHONE.fullmatch(found):
        refuse("must_be_phone_number", "must be + and 8 to 15 digits (E.164), like +14155550123")
    return found


Domain = Annotated[
    str,
    PlainValidator(
        _domain, json_schema_input_type=Annotated[str, Field(max_length=LONGEST_DOMAIN)]
    ),
]
Email = Annotated[
    str,
    PlainValidator(_email, json_schema_input_type=Annotated[str, Field(max_length=LONGEST_EMAIL)]),
]
Phone = Annotated[
    str,
    PlainValidator(_phone, json_schema_input_type=Annotated[str, Field(examples=["+14155550123"])]),
]

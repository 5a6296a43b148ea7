"""What a caller says of a connection or a subscription, checked field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, PlainValidator

from vitals.domain.connection import KINDS
from vitals.usecases.administer import Administering
from vitals.usecases.fields import Flag, Name, Note, Short, one_of, refuse, split, whole

MAX_EMAILS = 50
"""SES sends one message to so many."""
MAX_OF_MANAGER = 20
"""So many connections one manager may have."""
LONGEST_URL = 2000
_LONGEST_SEALED = 2500
"""What KMS seals has at most 4096 bytes, in which the secrets must fit too."""
_LONGEST_EMAIL = 254
_LETTERS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_LETTERS}{{1,64}}@{_LABEL}(?:\.{_LABEL})+")


def _url(raw: object) -> str:
    if not isinstance(raw, str):
        refuse("must_be_string", "must be a string")
    url = raw.strip()
    if len(url) > LONGEST_URL or len(json.dumps(url)) > _LONGEST_SEALED:
        refuse("too_long", f"must be at most {LONGEST_URL} characters")
    return url


def _email(raw: object) -> str:
    address = raw.strip() if isinstance(raw, str) else ""
    if len(address) > _LONGEST_EMAIL or not _EMAIL.fullmatch(address):
        refuse("must_be_email", "must be an e-mail address, like anna@example.com")
    return address


def _emails(raw: object) -> tuple[str, ...]:
    addresses = {address.casefold(): address for address in map(_email, split(raw))}
    if not 1 <= len(addresses) <= MAX_EMAILS:
        refuse("out_of_range", f"must be 1 to {MAX_EMAILS} addresses, are {len(addresses)}")
    return tuple(addresses.values())


def _ids(raw: object) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(split(raw)))
    if not 1 <= len(found) <= MAX_OF_MANAGER:
        message = f"must be 1 to {MAX_OF_MANAGER} ids of connections"
        refuse("out_of_range", f"{message}; delete_manager removes a manager")
    return found


Url = Annotated[
    str,
    PlainValidator(_url, json_schema_input_type=Annotated[str, Field(max_length=LONGEST_URL)]),
]
Email = Annotated[str, PlainValidator(_email, json_schema_input_type=str)]
Emails = Annotated[tuple[str, ...], PlainValidator(_emails, json_schema_input_type=list[str] | str)]
Ids = Annotated[tuple[str, ...], PlainValidator(_ids, json_schema_input_type=list[str] | str)]
Version = Annotated[int, whole(0, 2**53)]


class ConnectionReference(Administering):
    """Which connection."""

    id: Short


class PutConnectionInput(Administering):
    """A connection; with an *id*, what of it changes. Its kind never does.

    *url* is what slack, teams and webhook have, *emails* what email has; *owner* is an address that
    is told when the connection is disabled.
    """

    aliases: ClassVar[Mapping[str, str]] = {"active": "enabled", "type": "kind", "email": "emails"}

    id: Short | None = None
    name: Name | None = None
    kind: Annotated[str, one_of(*KINDS)] | None = None
    url: Url | None = None
    emails: Emails | None = None
    owner: Email | None = None
    description: Note | None = None
    enabled: Flag | None = None
    if_version: Version | None = None


class ToggleConnectionInput(ConnectionReference):
    """*enabled* false keeps the connection, and sends nothing to it."""

    aliases: ClassVar[Mapping[str, str]] = {"active": "enabled"}

    enabled: Flag


class DeleteConnectionInput(ConnectionReference):
    """*force* takes it out of the rules and managers that name it."""

    force: Flag = False


class RotateSecretInput(ConnectionReference):
    """*overlap_hours* is how long the old secret signs beside the new one."""

    overlap_hours: Annotated[int, whole(0, 168)] = 24


class PutManagerInput(Administering):
    """A manager, by the name that customers bear, and the ids of the connections to reach them."""

    name: Name
    connections: Ids


class ManagerInput(Administering):
    """Which manager."""

    name: Name

"""Authentication: which key a request bears, and whether it is good (AMB-15, 16)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime

from vitals.domain.access import ApiKey
from vitals.domain.errors import (
    ConflictingCredentialsError,
    ForbiddenError,
    UnauthenticatedError,
)
from vitals.runtime.api_keys import looks_right

HOW = "send the key as x-api-key, or as Authorization: Bearer, or as either half of Basic"


def presented(headers: Mapping[str, str]) -> str:
    """Return the one key that *headers* carry, of a key's form.

    Raises UnauthenticatedError for none or a mistyped one, ConflictingCredentialsError for two.
    """
    carried = {
        key for key in (headers.get("x-api-key", "").strip(), *_authorization(headers)) if key
    }
    if len(carried) > 1:
        raise ConflictingCredentialsError(f"two different keys were sent: {HOW}, one key only")
    if not carried:
        raise UnauthenticatedError(f"no API key was sent: {HOW}")
    [key] = carried
    if not looks_right(key):
        raise UnauthenticatedError("the API key is mistyped: its form or checksum is wrong")
    return key


def admitted(key: ApiKey | None, now: datetime) -> ApiKey:
    """Return *key* if it opens anything at *now*. Raises UnauthenticatedError."""
    if key is None or (key.revoked_at is not None and key.revoked_at <= now):
        raise UnauthenticatedError("the API key is unknown or was revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise UnauthenticatedError("the API key has expired: create or rotate one")
    return key


def require_scope(key: ApiKey, scope: str | None) -> None:
    """Raise ForbiddenError unless *key* holds *scope*."""
    if scope is not None and scope not in key.scopes:
        raise ForbiddenError(
            f"this needs the scope {scope}, which the key {key.name!r} does not have",
            extra={"scope": scope},
        )


def _authorization(headers: Mapping[str, str]) -> list[str]:
    """Return the keys in Authorization: the Bearer token, or what of Basic's halves is a key.

    Basic halves that have no key's form are a user name or filler that the sender had to give.
    """
    scheme, _, credentials = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return [credentials.strip()]
    if scheme.lower() != "basic":
        return []
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return [credentials.strip()]
    halves = [half.strip() for half in decoded.split(":", 1)]
    return [half for half in halves if half.startswith("vt_")] or halves[:1]

"""Authentication: which key a request bears, and whether it is good (AMB-15, 16)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.errors import (
    ConflictingCredentialsError,
    ForbiddenError,
    TenantSuspendedError,
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
    # Whatever a clock says that stepped back: what was revoked stays so.
    if key is None or key.revoked_at is not None:
        raise UnauthenticatedError("the API key is unknown or was revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise UnauthenticatedError("the API key has expired: create or rotate one")
    return key


def opened(tenant: Tenant | None) -> Tenant:
    """Return *tenant* if it takes requests. Raises UnauthenticatedError, TenantSuspendedError."""
    if tenant is None or tenant.deleted_at is not None:
        raise UnauthenticatedError("the API key's tenant is no more")
    if tenant.suspended_at is not None:
        raise TenantSuspendedError(
            f"the tenant {tenant.name!r} is suspended: ask whoever runs this platform"
        )
    return tenant


def require_scopes(key: ApiKey, scopes: Sequence[str]) -> None:
    """Raise ForbiddenError, naming the first that is missing, unless *key* holds all *scopes*."""
    for scope in scopes:
        if scope not in key.scopes:
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

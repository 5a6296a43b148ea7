"""API keys: created, listed, rotated and revoked; a secret is shown once (LU-013, AMB-15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Annotated, Any

from vitals.domain.access import ALL_SCOPES, PLATFORM, ApiKey, Tenant
from vitals.domain.errors import (
    FieldError,
    ForbiddenError,
    KeyNotFoundError,
    KeyRevokedError,
    NoSandboxError,
    TenantNotFoundError,
    ValidationError,
)
from vitals.domain.instants import iso
from vitals.storage.ports import KeyChange
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Instant, Name, Short, any_of, one_of, whole
from vitals.usecases.inputs import Input, Warning_, read

PREFIX = 12
"""So much of a key is kept in clear: enough to tell keys apart, not to guess one."""
OVERLAP_HOURS = 24


class CreateKeyInput(Administering):
    """A key's name, what it may do, until when, and whether it is the sandbox's."""

    name: Name
    scopes: Annotated[frozenset[str], any_of(*ALL_SCOPES)]
    type: Annotated[str, one_of("live", "test")] = "live"
    tenant_id: Short | None = None
    expires_at: Instant | None = None
    expires_in_days: Annotated[int, whole(1, 3650)] | None = None


class KeyInput(Administering):
    """Which key, by its id."""

    id: Short


class RotateInput(KeyInput):
    """*overlap_hours* is how long the old key stays good beside the new one."""

    overlap_hours: Annotated[int, whole(0, 24 * 30)] = OVERLAP_HOURS


def create_api_key(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a key and answer with its secret, this once: a replayed answer has none.

    A `test` key belongs to the tenant's sandbox. No key grants what it does not hold:
    ForbiddenError. Raises ValidationError, NoSandboxError.
    """
    parsed, warnings, _ = read(CreateKeyInput, given)
    if not parsed.scopes:
        raise ValidationError([FieldError("scopes", "required", "name at least one scope")])
    _refuse_more(context, parsed.scopes)
    owner = _owner(context, parsed)
    live = parsed.type == "live" and owner.sandbox_of is None
    if not live and PLATFORM in parsed.scopes:
        message = f"must not have {PLATFORM} for a test key: a sandbox reaches nobody else"
        raise ValidationError([FieldError("scopes", "out_of_range", message)])
    tenant_id = owner.id if live else _sandbox(owner)

    def plan(context: Context) -> Plan:
        secret, digest = context.new_key(live)
        key = ApiKey(
            id=context.new_id(context.now),
            tenant_id=tenant_id,
            name=parsed.name,
            scopes=tuple(scope for scope in ALL_SCOPES if scope in parsed.scopes),
            created_at=context.now,
            prefix=secret[:PREFIX],
            expires_at=_expiry(context, parsed),
        )
        return _planned(key, [KeyChange(None, key, digest)], warnings, secret)

    return administer(context, "create_api_key", plan, dry_run=parsed.dry_run)


def list_api_keys(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the tenant's keys and its sandbox's, oldest first, with their last use; no secret."""
    _, warnings, _ = read(Input, given)
    keys = [key_view(each.after) for each in _keys(context)]
    return {"action": "list_api_keys", "data": keys, "warnings": warnings}


def rotate_api_key(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a key like the one given, as long-lived; the old one stays good for the overlap.

    Raises KeyNotFoundError, KeyRevokedError, ForbiddenError.
    """
    parsed, warnings, _ = read(RotateInput, given)

    def plan(context: Context) -> Plan:
        old = _found(context, parsed.id)
        if old.after.revoked_at is not None or old.after.replaced_by is not None:
            done = "revoked" if old.after.revoked_at else f"replaced by {old.after.replaced_by}"
            raise KeyRevokedError(f"the key was {done}: rotate that one, or create a new one")
        _refuse_more(context, old.after.scopes)
        secret, digest = context.new_key(old.after.is_live)
        end = context.now + timedelta(hours=parsed.overlap_hours)
        life = old.after.expires_at and old.after.expires_at - old.after.created_at
        fresh = replace(
            old.after,
            id=context.new_id(context.now),
            created_at=context.now,
            expires_at=_later(context.now, life) if life else None,
            prefix=secret[:PREFIX],
            last_used_at=None,
        )
        ending = replace(
            old.after, expires_at=min(end, old.after.expires_at or end), replaced_by=fresh.id
        )
        changes = [KeyChange(old.after, ending, old.digest), KeyChange(None, fresh, digest)]
        return _planned(fresh, changes, warnings, secret, previous=key_view(ending))

    return administer(context, "rotate_api_key", plan, dry_run=parsed.dry_run)


def revoke_api_key(context: Context, given: Mapping[str, Any]) -> Answer:
    """Close a key for good, within a minute everywhere; a revoked one stays as it is."""
    parsed, warnings, _ = read(KeyInput, given)

    def plan(context: Context) -> Plan:
        old = _found(context, parsed.id)
        if PLATFORM in old.after.scopes:
            _refuse_more(context, [PLATFORM])
        gone = replace(old.after, revoked_at=old.after.revoked_at or context.now)
        already = gone == old.after
        changes = [] if already else [KeyChange(old.after, gone, old.digest)]
        return _planned(gone, changes, warnings, already_revoked=already)

    return administer(context, "revoke_api_key", plan, dry_run=parsed.dry_run)


def _planned(
    key: ApiKey,
    changes: Sequence[KeyChange],
    warnings: list[Warning_],
    secret: str | None = None,
    **extra: Any,
) -> Plan:
    shown = key_view(key)
    return Plan(
        subject=key.id,
        answer={**extra, "data": shown, "warnings": warnings},
        details={name: shown[name] for name in ("name", "type", "prefix", "scopes", "expires_at")},
        keys=changes,
        secret={"api_key": secret} if secret else {},
    )


def key_view(key: ApiKey) -> dict[str, Any]:
    """Return *key* as answers show it: of the secret, its first letters."""
    return {
        "id": key.id,
        "tenant_id": key.tenant_id,
        "name": key.name,
        "type": "live" if key.is_live else "test",
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": iso(key.created_at),
        "expires_at": _shown(key.expires_at),
        "revoked_at": _shown(key.revoked_at),
        "replaced_by": key.replaced_by,
        "last_used_at": _shown(key.last_used_at),
    }


def _refuse_more(context: Context, scopes: Sequence[str] | frozenset[str]) -> None:
    more = sorted(set(scopes) - set(context.key.scopes))
    if more:
        raise ForbiddenError(
            f"a key cannot grant or close what it does not hold: {', '.join(more)}",
            extra={"scope": more[0]},
        )


def _expiry(context: Context, parsed: CreateKeyInput) -> datetime | None:
    if parsed.expires_at is not None and parsed.expires_in_days is not None:
        message = "give expires_at or expires_in_days, not both"
        raise ValidationError([FieldError("expires_in_days", "conflicting_fields", message)])
    if parsed.expires_in_days is not None:
        return context.now + timedelta(days=parsed.expires_in_days)
    if parsed.expires_at is not None and parsed.expires_at <= context.now:
        message = "must be in the future"
        raise ValidationError([FieldError("expires_at", "in_the_past", message)])
    return parsed.expires_at


def _later(now: datetime, life: timedelta) -> datetime:
    """Return when what begins *now* ends, or the calendar's last instant."""
    last = datetime.max.replace(microsecond=999_000, tzinfo=UTC)
    return now + min(life, last - now)


def _owner(context: Context, parsed: CreateKeyInput) -> Tenant:
    """Return the tenant that the key is for: the caller's, unless the platform names another."""
    if parsed.tenant_id in (None, context.tenant.id):
        return context.tenant
    _refuse_more(context, [PLATFORM])
    found = context.tenants.tenant(parsed.tenant_id or "", consistent=True)
    if found is None or found.deleted_at is not None:
        raise TenantNotFoundError(f"no tenant has id {parsed.tenant_id!r}")
    return found


def _sandbox(owner: Tenant) -> str:
    """Return the id of the tenant that test keys belong to."""
    found = owner.id if owner.sandbox_of else owner.sandbox_id
    if found is None:
        raise NoSandboxError("this tenant was made without a sandbox: it has live keys alone")
    return found


def _keys(context: Context) -> list[KeyChange]:
    own = (context.tenant.id, context.tenant.sandbox_id)
    found = [
        each for tenant_id in own if tenant_id for each in context.administration.keys(tenant_id)
    ]
    return sorted(found, key=attrgetter("after.created_at", "after.id"))


def _found(context: Context, key_id: str) -> KeyChange:
    for each in _keys(context):
        if each.after.id == key_id:
            return each
    raise KeyNotFoundError(f"no key has id {key_id!r}: list_api_keys lists them")


def _shown(instant: datetime | None) -> str | None:
    return iso(instant) if instant else None

"""API keys: created, listed, rotated and revoked; a secret is shown once (LU-013, AMB-15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Annotated, Any

from vitals.domain.access import SCOPES, ApiKey
from vitals.domain.audit import AuditEvent
from vitals.domain.errors import (
    FieldError,
    ForbiddenError,
    KeyNotFoundError,
    KeyRevokedError,
    ValidationError,
)
from vitals.domain.instants import iso
from vitals.storage.ports import KeyChange, StorageBusyError, WriteConflictError
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag, Instant, Name, Short, any_of, whole
from vitals.usecases.inputs import Input, Warning_, read
from vitals.usecases.write import answer_to_keep, stored_answer

PREFIX = 12
"""So much of a key is kept in clear: enough to tell keys apart, not to guess one."""
OVERLAP_HOURS = 24


class _Writing(Input):
    dry_run: Flag = False


class CreateKeyInput(_Writing):
    """A key's name, what it may do, and until when."""

    name: Name
    scopes: Annotated[frozenset[str], any_of(*SCOPES)]
    expires_at: Instant | None = None
    expires_in_days: Annotated[int, whole(1, 3650)] | None = None


class KeyInput(_Writing):
    """Which key, by its id."""

    id: Short


class RotateInput(KeyInput):
    """*overlap_hours* is how long the old key stays good beside the new one."""

    overlap_hours: Annotated[int, whole(0, 24 * 30)] = OVERLAP_HOURS


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a write would do to which key; the secret is in no draft's shown parts."""

    key: ApiKey
    changes: Sequence[KeyChange]
    secret: str | None
    extra: Mapping[str, Any] = field(default_factory=dict)


def create_api_key(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a key and answer with its secret, this once: a replayed answer has none.

    No key grants what it does not hold: ForbiddenError. Raises ValidationError.
    """
    parsed, warnings, _ = read(CreateKeyInput, given)
    if not parsed.scopes:
        raise ValidationError([FieldError("scopes", "required", "name at least one scope")])
    _refuse_more(context, parsed.scopes)

    def draft() -> _Draft:
        secret, digest = context.new_key()
        key = ApiKey(
            id=context.new_id(context.now),
            tenant_id=context.tenant.id,
            name=parsed.name,
            scopes=tuple(scope for scope in SCOPES if scope in parsed.scopes),
            created_at=context.now,
            prefix=secret[:PREFIX],
            expires_at=_expiry(context, parsed),
        )
        return _Draft(key, [KeyChange(None, key, digest)], secret)

    return _write(context, "create_api_key", parsed, warnings, draft)


def list_api_keys(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the tenant's keys, oldest first, with their last use; never a secret."""
    _, warnings, _ = read(Input, given)
    keys = [key_view(each.after) for each in context.keyring.keys(context.tenant.id)]
    return {"action": "list_api_keys", "data": keys, "warnings": warnings}


def rotate_api_key(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a key like the one given, as long-lived; the old one stays good for the overlap.

    Raises KeyNotFoundError, KeyRevokedError, ForbiddenError.
    """
    parsed, warnings, _ = read(RotateInput, given)

    def draft() -> _Draft:
        old = _found(context, parsed.id)
        if old.after.revoked_at is not None or old.after.replaced_by is not None:
            done = "revoked" if old.after.revoked_at else f"replaced by {old.after.replaced_by}"
            raise KeyRevokedError(f"the key was {done}: rotate that one, or create a new one")
        _refuse_more(context, old.after.scopes)
        secret, digest = context.new_key()
        end = context.now + timedelta(hours=parsed.overlap_hours)
        life = old.after.expires_at and old.after.expires_at - old.after.created_at
        fresh = replace(
            old.after,
            id=context.new_id(context.now),
            created_at=context.now,
            expires_at=context.now + life if life else None,
            prefix=secret[:PREFIX],
            last_used_at=None,
        )
        ending = replace(
            old.after, expires_at=min(end, old.after.expires_at or end), replaced_by=fresh.id
        )
        changes = [KeyChange(old.after, ending, old.digest), KeyChange(None, fresh, digest)]
        return _Draft(fresh, changes, secret, {"previous": key_view(ending)})

    return _write(context, "rotate_api_key", parsed, warnings, draft)


def revoke_api_key(context: Context, given: Mapping[str, Any]) -> Answer:
    """Close a key for good, within a minute everywhere; a revoked one stays as it is."""
    parsed, warnings, _ = read(KeyInput, given)

    def draft() -> _Draft:
        old = _found(context, parsed.id)
        gone = replace(old.after, revoked_at=old.after.revoked_at or context.now)
        already = gone == old.after
        changes = [] if already else [KeyChange(old.after, gone, old.digest)]
        return _Draft(gone, changes, None, {"already_revoked": already})

    return _write(context, "revoke_api_key", parsed, warnings, draft)


def key_view(key: ApiKey) -> dict[str, Any]:
    """Return *key* as answers show it: of the secret, its first letters."""
    return {
        "id": key.id,
        "tenant_id": key.tenant_id,
        "name": key.name,
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
            f"a key cannot grant what it does not hold: {', '.join(more)}",
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


def _found(context: Context, key_id: str) -> KeyChange:
    for each in context.keyring.keys(context.tenant.id):
        if each.after.id == key_id:
            return each
    raise KeyNotFoundError(f"no key has id {key_id!r}: list_api_keys lists them")


def _write(
    context: Context,
    action: str,
    parsed: _Writing,
    warnings: list[Warning_],
    draft: Callable[[], _Draft],
) -> Answer:
    """Return the answer of what *draft* drafts, once it is stored with its audit event."""
    if not parsed.dry_run and (replay := stored_answer(context)) is not None:
        return replay
    for attempt in count():
        drafted = draft()
        shown = key_view(drafted.key)
        answer: Answer = {"action": action, **drafted.extra, "data": shown, "warnings": warnings}
        if parsed.dry_run or not drafted.changes:
            return answer | {"dry_run": True} if parsed.dry_run else answer
        event = AuditEvent(
            id=context.new_id(context.now),
            at=context.now,
            action=action,
            by=context.key.id,
            subject=drafted.key.id,
            source_ip=context.source_ip,
            details={name: shown[name] for name in ("name", "prefix", "scopes", "expires_at")},
        )
        kept = answer_to_keep(context, answer)
        try:
            context.keyring.write(context.tenant, drafted.changes, event, kept)
        except WriteConflictError as lost:
            replay = stored_answer(context) if "answer" in lost.on else None
            if replay is not None:
                return replay
        except StorageBusyError:
            pass
        else:
            secret = {"api_key": drafted.secret} if drafted.secret else {}
            return answer | {"data": shown | secret}
        context.pause(attempt)
    raise AssertionError("count() is endless")


def _shown(instant: datetime | None) -> str | None:
    return iso(instant) if instant else None

"""Connections: listed, put, switched, tried and deleted; secrets are shown once (IQ-124)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from vitals.domain.connection import WEBHOOK, Health, Secrets
from vitals.domain.delivery import OK, Attempt
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.instants import iso
from vitals.domain.notice import connection_brief, connection_test
from vitals.storage.ports import StorageBusyError
from vitals.usecases.administer import Plan, administer
from vitals.usecases.connection_book import book_of, connection_view
from vitals.usecases.connection_input import (
    ConnectionReference,
    DeleteConnectionInput,
    PutConnectionInput,
    RotateSecretInput,
    ToggleConnectionInput,
)
from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Input, Warning_, read
from vitals.usecases.once import once
from vitals.usecases.save_connection import Asked, cleared, details, guard, save

__all__ = [
    "ConnectionReference",
    "DeleteConnectionInput",
    "PutConnectionInput",
    "RotateSecretInput",
    "ToggleConnectionInput",
]

_CLEARED_BY_NULL = ("owner", "description")
_FIELDS = ("name", "emails", "enabled", *_CLEARED_BY_NULL)


def list_connections(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every connection in the order of names, with how it does and what names it.

    No answer shows a URL whole, or a secret.
    """
    _, warnings, _ = read(Input, given)
    book = book_of(context)
    healths = context.outbound.rulebooks.healths(context.tenant.id)
    data = [
        connection_view(connection, healths.get(connection.id, Health()), book)
        for connection in book.connections.values()
    ]
    return {"action": "list_connections", "data": data, "count": len(data), "warnings": warnings}


def put_connection(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a connection, or change of the one under `id` what was sent. Raises what `save` does.

    A new address begins without the failures of the old one.
    """
    parsed, warnings, _ = read(PutConnectionInput, given)
    asked = Asked(
        id=parsed.id,
        kind=parsed.kind,
        url=parsed.url,
        fields=sent(parsed, _FIELDS, _CLEARED_BY_NULL),
        if_version=parsed.if_version,
        dry_run=parsed.dry_run,
    )
    return save(context, "put_connection", asked, warnings)


def sent(parsed: Input, names: tuple[str, ...], clearing: tuple[str, ...]) -> dict[str, Any]:
    """Return those of *names* that were sent; null counts for those of *clearing* alone."""
    return {
        name: value
        for name in names
        if name in parsed.model_fields_set
        and ((value := getattr(parsed, name)) is not None or name in clearing)
    }


def toggle_connection(context: Context, given: Mapping[str, Any]) -> Answer:
    """Switch a connection on or off; on, it begins without the failures that it had."""
    parsed, warnings, _ = read(ToggleConnectionInput, given)
    return toggled(context, "toggle_connection", parsed, warnings, enabled=parsed.enabled)


def toggled(
    context: Context,
    action: str,
    parsed: ConnectionReference,
    warnings: list[Warning_],
    *,
    enabled: bool,
    webhook: bool = False,
) -> Answer:
    """Switch a connection on or off. Raises ConnectionNotFoundError."""

    def plan(context: Context) -> Plan:
        book = book_of(context)
        before = book.find(parsed.id, webhook=webhook)
        after = replace(before, enabled=enabled)
        if enabled:
            after = replace(after, disabled_reason=None)
        unchanged = after == before
        if not unchanged:
            after = replace(after, updated_at=context.now, version=before.version + 1)
        if enabled and not parsed.dry_run:
            # Also of one that is on: whoever says so knows that it is well.
            health = cleared(context, before.id)
        else:
            health = context.outbound.rulebooks.health(context.tenant.id, before.id)
        return Plan(
            subject=before.id,
            answer={
                "unchanged": unchanged,
                "data": connection_view(after, health, book),
                "warnings": warnings,
            },
            details=details(after),
            entries=[] if unchanged else book.saved(before, after),
        )

    return administer(context, action, plan, dry_run=parsed.dry_run)


def delete_connection(context: Context, given: Mapping[str, Any]) -> Answer:
    """Delete a connection for good; what is on its way there is cancelled.

    Raises ConnectionNotFoundError, and ConnectionInUseError while rules, managers or report
    schedules name it: by `force` it is taken out of them.
    """
    parsed, warnings, _ = read(DeleteConnectionInput, given)
    return deleted(context, "delete_connection", parsed, warnings)


def deleted(
    context: Context,
    action: str,
    parsed: DeleteConnectionInput,
    warnings: list[Warning_],
    *,
    webhook: bool = False,
    if_version: int | None = None,
) -> Answer:
    """Delete a connection.

    Raises ConnectionNotFoundError, ConnectionInUseError, TooManyError, VersionConflictError.
    """

    def plan(context: Context) -> Plan:
        book = book_of(context)
        before = book.find(parsed.id, webhook=webhook)
        guard(if_version, before)
        changes = book.removed(before, force=parsed.force, at=iso(context.now))
        taken = {
            "used_by": [each.document["name"] for each in book.rules(before.id)],
            "managers": [each.document["name"] for each in book.managers(before.id)],
            "report_schedules": [each.document["name"] for each in book.schedules(before.id)],
        }
        return Plan(
            subject=before.id,
            answer={"data": {"id": before.id, "deleted": True, **taken}, "warnings": warnings},
            details=details(before) | taken,
            entries=changes,
        )

    return administer(context, action, plan, dry_run=parsed.dry_run)


def rotate_webhook_secret(context: Context, given: Mapping[str, Any]) -> Answer:
    """Give a webhook a new secret, answered this once; for the overlap the old one signs too.

    Of three within one overlap the oldest signs no more. Raises ConnectionNotFoundError,
    ValidationError.
    """
    parsed, warnings, _ = read(RotateSecretInput, given)

    def plan(context: Context) -> Plan:
        book, vault, tenant_id = book_of(context), context.outbound.vault, context.tenant.id
        before = book.find(parsed.id)
        if before.kind != WEBHOOK:
            message = f"is a {before.kind} connection: only a webhook has a secret"
            raise ValidationError([FieldError("id", "out_of_range", message)])
        until = context.now + timedelta(hours=parsed.overlap_hours)
        after = replace(before, updated_at=context.now, version=before.version + 1)
        fresh = context.outbound.new_secret()
        if not parsed.dry_run:
            old = vault.open(tenant_id, before.id, before.sealed)
            secrets = replace(old, secret=fresh, previous=old.secret, previous_until=until)
            if not parsed.overlap_hours:
                secrets = Secrets(url=old.url, secret=fresh)
            after = replace(after, sealed=vault.seal(tenant_id, before.id, secrets))
        health = context.outbound.rulebooks.health(tenant_id, before.id)
        return Plan(
            subject=before.id,
            answer={
                "data": connection_view(after, health, book),
                "previous_until": iso(until),
                "warnings": warnings,
            },
            details=details(after) | {"previous_until": iso(until)},
            entries=book.saved(before, after),
            secret={"secret": fresh},
        )

    return administer(context, "rotate_webhook_secret", plan, dry_run=parsed.dry_run)


def test_connection(context: Context, given: Mapping[str, Any]) -> Answer:
    """Send a test at once, also over a connection that is off, and answer what the receiver said.

    A receiver that took it counts as well from then on. A dry run answers what would be sent.
    Raises ConnectionNotFoundError, InProgressError.
    """
    parsed, warnings, _ = read(ConnectionReference, given)

    def effect() -> Answer:
        connection = book_of(context).find(parsed.id)
        now = context.clock()
        payload = connection_test(connection, context.new_id(now), now).payload()
        answer: Answer = {"action": "test_connection", "warnings": warnings}
        if parsed.dry_run:
            return answer | {"data": {"payload": payload}, "dry_run": True}
        outbound, tenant_id = context.outbound, context.tenant.id
        secrets = outbound.vault.open(tenant_id, connection.id, connection.sealed)
        attempt = outbound.attempt(connection, secrets, payload, now)
        if attempt.verdict == OK:
            # It was sent: it must not seem to have failed.
            with suppress(StorageBusyError):
                cleared(context, connection.id)
        about = {"event_id": payload["id"], "connection": connection_brief(connection)}
        return answer | {"data": attempt_view(attempt) | about}

    return effect() if parsed.dry_run else once(context, effect)


def attempt_view(attempt: Attempt) -> dict[str, Any]:
    """Return *attempt* as answers show it."""
    return {
        "at": iso(attempt.at),
        "verdict": attempt.verdict,
        "status": attempt.status,
        "response": attempt.response,
        "error": attempt.error,
        "retry_after": attempt.retry_after,
        "duration_ms": attempt.duration_ms,
    }

"""Saving a connection: what of it is sent, merged into what is stored, its secrets sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from vitals.domain.connection import EMAIL, TEAMS, WEBHOOK, Connection, Health, Secrets
from vitals.domain.errors import FieldError, ValidationError, VersionConflictError
from vitals.usecases.administer import Plan, administer
from vitals.usecases.connection_book import (
    HIDDEN,
    Book,
    book_of,
    connection_view,
    shown_emails,
    shown_url,
)
from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Warning_

RETIRED = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")
"""Where Microsoft's connectors were, in whose place came the webhooks of Workflows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of a connection.

    Without an *id* it is made, under *own_name* if *fields* have no name. *url* and *fields* (by
    the connection's own names) are what was sent; the rest stays as it is. A *subscription* is
    looked for among webhooks alone.
    """

    id: str | None = None
    kind: str | None = None
    url: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    own_name: str | None = None
    subscription: bool = False
    if_version: int | None = None
    dry_run: bool = False


def save(context: Context, action: str, asked: Asked, warnings: list[Warning_]) -> Answer:
    """Create or change a connection; a new webhook's secret is answered, this once.

    Raises ValidationError, ConnectionNotFoundError, ConnectionExistsError, TooManyError,
    VersionConflictError.
    """
    sent = asked
    if sent.url is not None:
        _check_url(context, sent.url)
        warnings = [*warnings, *_retired(sent)]

    def plan(context: Context) -> Plan:
        book = book_of(context)
        before = book.find(sent.id, webhook=sent.subscription) if sent.id else None
        asked = _unmasked(before, sent)
        guard(asked.if_version, before)
        base = before or _new(context, book, asked)
        after = replace(base, **asked.fields)
        if after.enabled:
            after = replace(after, disabled_reason=None)
        if "emails" in asked.fields:
            after = replace(after, shown=shown_emails(after.emails))
        secrets, moved = _secrets(context, before, after, asked)
        if moved:
            after = replace(after, shown=shown_url(secrets.url))
        _refuse_incomplete(before, after, asked)
        unchanged = before is not None and after == before and not moved
        if not unchanged:
            after = replace(after, updated_at=context.now, version=base.version + 1)
        if moved and not asked.dry_run:
            sealed = context.outbound.vault.seal(context.tenant.id, after.id, secrets)
            after = replace(after, sealed=sealed)
        changes = [] if unchanged else book.saved(before, after)
        opens = before is not None and after.enabled and (moved or not before.enabled)
        health = _health(context, after, anew=opens, dry_run=asked.dry_run) if before else Health()
        return Plan(
            subject=after.id,
            answer={
                "created": before is None,
                "unchanged": unchanged,
                "data": connection_view(after, health, book),
                "warnings": warnings,
            },
            details=details(after),
            entries=changes,
            secret={"secret": secrets.secret} if before is None and secrets.secret else {},
        )

    return administer(context, action, plan, dry_run=sent.dry_run)


def details(connection: Connection) -> dict[str, Any]:
    """Return what the audit tells of a connection: nothing secret, and nobody's address."""
    told = {"name": connection.name, "kind": connection.kind, "enabled": connection.enabled}
    return told if connection.kind == EMAIL else told | {"shown": connection.shown}


def cleared(context: Context, connection_id: str) -> Health:
    """Forget how an endpoint did, and return how it does: well."""
    rulebooks, tenant_id = context.outbound.rulebooks, context.tenant.id
    if rulebooks.health(tenant_id, connection_id) != Health():
        rulebooks.set_health(tenant_id, connection_id, Health())
    return Health()


def _health(context: Context, connection: Connection, *, anew: bool, dry_run: bool) -> Health:
    """Return how the endpoint does; *anew*, it begins without what it did before.

    It is forgotten ahead of the act: an endpoint that is opened and still has its five days of
    failures would be closed by the next one.
    """
    if anew and not dry_run:
        return cleared(context, connection.id)
    return context.outbound.rulebooks.health(context.tenant.id, connection.id)


def _new(context: Context, book: Book, asked: Asked) -> Connection:
    required = [
        FieldError(name, "required", "a connection has one")
        for name, given in (
            ("name", asked.fields.get("name") or asked.own_name),
            ("kind", asked.kind),
        )
        if not given
    ]
    if required or asked.kind is None:
        raise ValidationError(required)
    return Connection(
        id=context.new_id(context.now),
        tenant_id=context.tenant.id,
        name="" if "name" in asked.fields else book.free_name(asked.own_name or ""),
        kind=asked.kind,
        shown="",
        created_at=context.now,
        updated_at=context.now,
        created_by=context.key.id,
        version=0,
    )


def _secrets(
    context: Context, before: Connection | None, after: Connection, asked: Asked
) -> tuple[Secrets, bool]:
    """Return the secrets as they are to be, and whether they are others than those stored."""
    if asked.url is None or after.kind == EMAIL:
        return Secrets(), False
    if before is None:
        secret = context.outbound.new_secret() if after.kind == WEBHOOK else ""
        return Secrets(url=asked.url, secret=secret), True
    stored = context.outbound.vault.open(context.tenant.id, before.id, before.sealed)
    return replace(stored, url=asked.url), stored.url != asked.url


def _refuse_incomplete(before: Connection | None, after: Connection, asked: Asked) -> None:
    errors = []
    if asked.kind not in (None, after.kind):
        message = f"is {after.kind} for good: make a new connection, without id"
        errors.append(FieldError("kind", "conflicting_fields", message))
    mail = after.kind == EMAIL
    if mail and asked.url is not None:
        message = "is not what an email connection has: give emails"
        errors.append(FieldError("url", "conflicting_fields", message))
    if not mail and after.emails:
        message = f"are not what a {after.kind} connection has: give url"
        errors.append(FieldError("emails", "conflicting_fields", message))
    if before is None and mail and not after.emails:
        errors.append(FieldError("emails", "required", "an email connection has recipients"))
    if before is None and not mail and asked.url is None:
        errors.append(FieldError("url", "required", f"a {after.kind} connection has one"))
    if errors:
        raise ValidationError(errors)


def _unmasked(before: Connection | None, asked: Asked) -> Asked:
    """Return *asked* without a url that is what answers show of the stored one: it stays.

    Raises ValidationError for another that is masked: it leads nowhere.
    """
    url = unquote(asked.url or "")
    if before is not None and url and url == before.shown:
        return replace(asked, url=None)
    if HIDDEN[0] in url:
        message = f"is shown with {HIDDEN} for what is secret: send the whole address"
        raise ValidationError([FieldError("url", "masked", message)])
    return asked


def _check_url(context: Context, url: str) -> None:
    try:
        context.outbound.check_url(url)
    except ValueError as refused:
        message = f"cannot be sent to: {refused}"
        raise ValidationError([FieldError("url", "refused_address", message)]) from None


def _retired(asked: Asked) -> list[Warning_]:
    host = urlsplit(asked.url or "").hostname or ""
    if asked.kind not in (None, TEAMS) or not host.endswith(RETIRED):
        return []
    message = "is a connector's, which Teams has retired: make a webhook in Workflows instead"
    return [{"code": "retired_connector", "field": "url", "message": message}]


def guard(wanted: int | None, before: Connection | None) -> None:
    """Raise VersionConflictError unless *before* is at the version that is *wanted*."""
    stored = before.version if before else 0
    if wanted is not None and wanted != stored:
        raise VersionConflictError(
            f"if_version is {wanted}, the connection is at version {stored}: "
            "read it again and decide anew",
            extra={"if_version": wanted, "version": stored},
        )

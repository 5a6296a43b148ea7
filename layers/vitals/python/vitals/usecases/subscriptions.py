"""Webhook subscriptions and REST hooks: webhooks that hear of events by themselves (LU-069)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, PlainValidator

from vitals.domain.condition import ConditionError, condition_from_json, signal_fields
from vitals.domain.condition_text import parse
from vitals.domain.connection import WEBHOOK, Health
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.instants import iso
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.connection_book import book_of, connection_view
from vitals.usecases.connection_input import (
    ConnectionReference,
    DeleteConnectionInput,
    Email,
    Url,
    Version,
)
from vitals.usecases.connections import deleted, sent, toggled
from vitals.usecases.context import Answer, Context
from vitals.usecases.event_catalogue import EVENT_TYPES
from vitals.usecases.fields import Flag, Name, Note, Short, refuse, split, word
from vitals.usecases.inputs import Input, read
from vitals.usecases.rulebook import ANY
from vitals.usecases.save_connection import Asked, details, save

_LONGEST_OWN_NAME = 180
_CLEARED_BY_NULL = ("owner", "description")


def _events(raw: object) -> tuple[str, ...]:
    """Return the types of events that *raw* names, in the catalogue's order."""
    wanted = {word(part, (ANY, *EVENT_TYPES)) for part in split(raw)}
    if not wanted:
        refuse("required", f"name at least one type of event, or {ANY} for all")
    return (ANY,) if ANY in wanted else tuple(kind for kind in EVENT_TYPES if kind in wanted)


Events = Annotated[
    tuple[str, ...],
    PlainValidator(
        _events,
        json_schema_input_type=Annotated[
            list[str] | str, Field(examples=["health.dropped", "customer.created,customer.deleted"])
        ],
    ),
]
Filter = Annotated[
    Any,
    PlainValidator(lambda raw: raw, json_schema_input_type=str | dict[str, Any] | list[Any] | None),
]


class PutSubscriptionInput(Administering):
    """A webhook, the types of events it hears of, and of which customers; with an *id*, changes.

    *filter* is a condition as text or JSON, null for every customer.
    """

    aliases: ClassVar[Mapping[str, str]] = {
        "target_url": "url",
        "event": "events",
        "event_types": "events",
        "condition": "filter",
        "filters": "filter",
        "enabled": "active",
    }

    id: Short | None = None
    url: Url | None = None
    events: Events | None = None
    filter: Filter = None
    name: Name | None = None
    description: Note | None = None
    owner: Email | None = None
    active: Flag | None = None
    if_version: Version | None = None


class ToggleSubscriptionInput(ConnectionReference):
    """*active* false keeps the subscription, and sends nothing to it."""

    aliases: ClassVar[Mapping[str, str]] = {"enabled": "active"}

    active: Flag


class SubscribeInput(Administering):
    """Where a REST hook leads, and the event that it is for."""

    aliases: ClassVar[Mapping[str, str]] = {
        "hookUrl": "target_url",
        "hook_url": "target_url",
        "targetUrl": "target_url",
        "url": "target_url",
        "events": "event",
        "event_type": "event",
        "condition": "filter",
    }

    target_url: Url
    event: Events
    filter: Filter = None


def list_webhook_subscriptions(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every webhook that subscribes to events, REST hooks too, in the order of names."""
    _, warnings, _ = read(Input, given)
    book = book_of(context)
    healths = context.outbound.rulebooks.healths(context.tenant.id)
    data = [
        connection_view(each, healths.get(each.id, Health()), book)
        for each in book.connections.values()
        if each.kind == WEBHOOK and each.events
    ]
    return {
        "action": "list_webhook_subscriptions",
        "data": data,
        "count": len(data),
        "warnings": warnings,
    }


def put_webhook_subscription(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a subscription, or change of the one under `id` what was sent (PE-023, PE-024).

    A new one answers the secret that its events are signed with, this once; without a name it is
    called by its host. Raises what `save` does.
    """
    parsed, warnings, _ = read(PutSubscriptionInput, given)
    if parsed.id is None and parsed.events is None:
        message = f"name at least one type of event, or {ANY} for all"
        raise ValidationError([FieldError("events", "required", message)])
    names = ("name", "events", *_CLEARED_BY_NULL)
    fields = sent(parsed, names, _CLEARED_BY_NULL)
    if parsed.active is not None:
        fields["enabled"] = parsed.active
    if "filter" in parsed.model_fields_set:
        fields["condition"] = _condition(context, parsed.filter)
    asked = Asked(
        id=parsed.id,
        kind=WEBHOOK,
        url=parsed.url,
        fields=fields,
        own_name=_own_name(parsed.url),
        subscription=True,
        if_version=parsed.if_version,
        dry_run=parsed.dry_run,
    )
    return save(context, "put_webhook_subscription", asked, warnings)


def toggle_webhook_subscription(context: Context, given: Mapping[str, Any]) -> Answer:
    """Switch a subscription on or off; on, it begins without the failures that it had."""
    parsed, warnings, _ = read(ToggleSubscriptionInput, given)
    return toggled(
        context,
        "toggle_webhook_subscription",
        parsed,
        warnings,
        enabled=parsed.active,
        webhook=True,
    )


def delete_webhook_subscription(
    context: Context, given: Mapping[str, Any], *, if_version: int | None = None
) -> Answer:
    """Delete a subscription for good, if it is at *if_version* or none is asked for (PE-025).

    Raises what delete_connection does.
    """
    parsed, warnings, _ = read(DeleteConnectionInput, given)
    action = "delete_webhook_subscription"
    return deleted(context, action, parsed, warnings, webhook=True, if_version=if_version)


def subscribe(context: Context, given: Mapping[str, Any]) -> Answer:
    """Subscribe a REST hook, as Zapier does; the answer's `id` takes it back by `unsubscribe`.

    A 410 from the receiver removes it. Raises what `save` does.
    """
    parsed, warnings, _ = read(SubscribeInput, given)
    fields: dict[str, Any] = {"events": parsed.event, "transient": True}
    if parsed.filter is not None:
        fields["condition"] = _condition(context, parsed.filter)
    kind = "all events" if parsed.event == (ANY,) else ", ".join(parsed.event)
    asked = Asked(
        kind=WEBHOOK,
        url=parsed.target_url,
        fields=fields,
        own_name=_own_name(parsed.target_url, kind),
        dry_run=parsed.dry_run,
    )
    try:
        answer = save(context, "subscribe", asked, warnings)
    except ValidationError as refused:
        raise ValidationError([_by_own_name(error) for error in refused.errors]) from None
    return {"id": answer["data"]["id"], **answer}


def unsubscribe(context: Context, given: Mapping[str, Any]) -> Answer:
    """Remove a REST hook, or another subscription; one that is gone already is gone."""
    parsed, warnings, _ = read(ConnectionReference, given)

    def plan(context: Context) -> Plan:
        book = book_of(context)
        found = book.connections.get(parsed.id)
        if found is not None:
            found = book.find(parsed.id, webhook=True)
        changes = book.removed(found, force=True, at=iso(context.now)) if found else []
        data = {"id": parsed.id, "deleted": True}
        return Plan(
            subject=parsed.id,
            answer={"data": data, "already_deleted": found is None, "warnings": warnings},
            details=details(found) if found else {},
            entries=changes,
        )

    return administer(context, "unsubscribe", plan, dry_run=parsed.dry_run)


def _condition(context: Context, raw: object) -> str:
    """Return the canonical text of a condition, empty for none. Raises ValidationError."""
    if raw is None:
        return ""
    extra = signal_fields(context.model)
    try:
        found = parse(raw, extra) if isinstance(raw, str) else condition_from_json(raw, extra)
    except ConditionError as refused:
        path = not isinstance(raw, str) and refused.at
        where = f"filter.{refused.at}" if path else "filter"
        raise ValidationError([FieldError(where, "bad_condition", refused.message)]) from None
    return str(found)


def _own_name(url: str | None, about: str = "") -> str:
    """Return what a webhook is called that nobody named."""
    try:
        host = urlsplit(url or "").hostname or "webhook"
    except ValueError:
        host = "webhook"
    return f"{host} {about}".strip()[:_LONGEST_OWN_NAME].strip()


def _by_own_name(error: FieldError) -> FieldError:
    return FieldError("target_url", error.code, error.message) if error.field == "url" else error

"""Product events as callers send them, each read by itself (LU-050)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, PlainValidator

from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.product_events import ProductEvent, mark
from vitals.storage.codec import encode
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Instant, Short, exact, refuse, text
from vitals.usecases.inputs import Input, Warning_, read

MAX_EVENTS = 1000
OLDEST = timedelta(days=30)
NEWEST = timedelta(hours=1)
"""An event is taken from so long ago, and so far ahead of a clock that is behind."""
LONGEST_NAME = 100
LONGEST_USER = 254
MAX_KEYS = 50
DEEPEST = 3
LARGEST_PROPERTIES = 8 * 1024
TOLD = 3
"""So many errors are told of one event."""
MOST_WARNINGS = 100
"""So many fields that nobody reads are told of."""


def _events(raw: object) -> list[Any]:
    if not isinstance(raw, list):
        refuse("must_be_list", "must be a list of events")
    if not 1 <= len(raw) <= MAX_EVENTS:
        refuse("out_of_range", f"must hold 1 to {MAX_EVENTS} events, holds {len(raw)}")
    return raw


class EventsInput(Input):
    """A batch of events."""

    events: Annotated[
        list[Any], PlainValidator(_events, json_schema_input_type=list[dict[str, Any]])
    ]


def _printable(limit: int) -> Any:
    validator = text(limit)

    def checked(raw: object) -> str:
        found: str = validator.func(raw)
        if not found.isprintable():
            refuse("must_be_text", "must be one line of characters that can be seen")
        return found

    return PlainValidator(checked, json_schema_input_type=Annotated[str, Field(max_length=limit)])


def _properties(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        refuse("must_be_object", "must be an object")
    if _keys(raw, 1) > MAX_KEYS:
        refuse("too_large", f"must hold at most {MAX_KEYS} keys")
    size = len(encode(raw).encode())
    if size > LARGEST_PROPERTIES:
        refuse("too_large", f"must take at most {LARGEST_PROPERTIES} bytes, takes {size}")
    return {name: exact(value, name) for name, value in raw.items()}


def _keys(value: object, depth: int) -> int:
    """Return how many keys are in *value*; refuse deep nesting."""
    if not isinstance(value, dict | list):
        return 0
    if depth > DEEPEST:
        refuse("too_deep", f"must be nested at most {DEEPEST} deep")
    inner = value.values() if isinstance(value, dict) else value
    return (len(value) if isinstance(value, dict) else 0) + sum(
        _keys(each, depth + 1) for each in inner
    )


Name = Annotated[str, _printable(LONGEST_NAME)]
User = Annotated[str, _printable(LONGEST_USER)]


class EventInput(Input):
    """One event: whose, what, when, by which user, and what the sender calls it."""

    customer_id: Short | None = None
    customer_external_id: Short | None = None
    event_name: Name
    timestamp: Instant | None = None
    user_email: User | None = None
    user_id: User | None = None
    properties: Annotated[
        Mapping[str, Any], PlainValidator(_properties, json_schema_input_type=dict[str, Any])
    ] = {}
    external_id: Short | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that was sent: its place in the batch, its customer, and its mark if it has one."""

    index: int
    token: tuple[str, str]
    event: ProductEvent
    size: int
    mark: str | None


def read_events(
    context: Context, sent: Sequence[Any]
) -> tuple[list[Arrival], list[Answer], list[Warning_]]:
    """Return the good ones of *sent*, the first errors of the others, and the first warnings."""
    arrivals: list[Arrival] = []
    errors: list[Answer] = []
    unknown: dict[str, Warning_] = {}
    for index, raw in enumerate(sent):
        try:
            if not isinstance(raw, Mapping):
                raise _refused("events", "must_be_object", "must be an object")
            parsed, warnings, _ = read(EventInput, raw)
            arrivals.append(_arrival(context, index, parsed))
        except ValidationError as refused:
            errors += [
                error_of(index, each.code, each.field, each.message)
                for each in refused.errors[:TOLD]
            ]
            continue
        for warning in warnings:
            what = f"{warning['code']} {warning['field']}"
            if what in unknown or len(unknown) < MOST_WARNINGS:
                first = {**warning, "events": 0, "first_index": index}
                unknown.setdefault(what, first)["events"] += 1
    return arrivals, errors, list(unknown.values())


def error_of(index: int, code: str, field: str | None, message: str) -> Answer:
    """Return what is wrong with the event at *index*."""
    return {"index": index, "code": code, "field": field, "message": message}


def _arrival(context: Context, index: int, parsed: EventInput) -> Arrival:
    if parsed.customer_id is not None:
        token = ("id", parsed.customer_id)
    elif parsed.customer_external_id is not None:
        token = ("external_id", parsed.customer_external_id)
    else:
        message = "say whose it is: give customer_id or customer_external_id"
        raise _refused("customer_id", "required", message)
    at = parsed.timestamp or context.now
    if at < context.now - OLDEST:
        raise _refused("timestamp", "too_old", f"must be at most {OLDEST.days} days ago")
    if at > context.now + NEWEST:
        raise _refused("timestamp", "in_the_future", "must not be more than an hour ahead")
    email = parsed.user_email
    event = ProductEvent(
        name=parsed.event_name,
        at=at,
        user_email=None if email is None else email.casefold(),
        user_id=parsed.user_id,
        properties=parsed.properties,
        external_id=parsed.external_id,
    )
    return Arrival(index, token, event, _size(event), _mark(context, index, event))


def _mark(context: Context, index: int, event: ProductEvent) -> str | None:
    """Return by what the event is known again: its external_id, else its place under its key."""
    if event.external_id is not None:
        return mark("x", event.external_id)
    asked = context.idempotency
    if asked is not None:
        # A mark outlives its key's day: another body under the same key is of other events.
        return mark("k", f"{asked.key}\n{asked.fingerprint}\n{index}")
    return None


def _size(event: ProductEvent) -> int:
    """Return about how many bytes *event* takes, rather more than fewer."""
    texts = (event.name, event.user_email, event.user_id, event.external_id)
    plain = sum(2 * len(each.encode()) for each in texts if each)
    return 100 + plain + (len(encode(event.properties).encode()) if event.properties else 0)


def _refused(field: str, code: str, message: str) -> ValidationError:
    return ValidationError([FieldError(field, code, message)])

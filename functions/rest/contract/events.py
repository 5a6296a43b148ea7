"""Product events and computed signals: their shapes (LU-049 to 053, PE-014 to 016)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contract.customers import Band
from contract.health import SignalName, Value
from contract.shape import (
    CURSOR,
    LEFT_OUT,
    Count,
    Day,
    Described,
    Id,
    Instant,
    Link,
    Page,
    Query,
    Score,
    Sent,
    Shape,
    limit,
)

EventName = Annotated[str, Field(min_length=1, max_length=100, examples=["login"])]
External = Annotated[str, Field(min_length=1, max_length=128, examples=["evt-20261120-0001"])]
User = Annotated[str, Field(min_length=1, max_length=254)]
Email = Annotated[User, Field(examples=["ann@acme.example"])]
Properties = Annotated[dict[str, Any], Field(max_length=50, examples=[{"plan": "pro"}])]
Aggregate = Literal["count", "distinct_users", "distinct_days", "user_days", "sum", "last"]


class EventSent(Sent):
    """One event: whose, what, when, and by whom."""

    customer_id: Annotated[Id, Field(min_length=1, max_length=128)] = LEFT_OUT
    customer_external_id: Annotated[
        str, Field(min_length=1, max_length=128, examples=["crm-4711"])
    ] = LEFT_OUT
    event_name: EventName
    timestamp: Annotated[
        Instant, Field(description="From 30 days ago to an hour ahead; now if left out")
    ] = LEFT_OUT
    user_email: Email = LEFT_OUT
    user_id: Annotated[User, Field(examples=["u-17"])] = LEFT_OUT
    properties: Properties = LEFT_OUT
    external_id: Annotated[
        External, Field(description="What you call it: by that it is counted once")
    ] = LEFT_OUT


class EventBatch(Sent):
    """Events to store and count: one that is no event has its own error, and stops no other."""

    events: Annotated[list[EventSent | dict[str, Any]], Field(min_length=1, max_length=1000)]


class EventError(Shape):
    """What is wrong with one event."""

    index: Annotated[int, Field(ge=0, le=999, examples=[3])]
    code: Annotated[str, Field(examples=["customer_not_found"], description="Stable; branch on it")]
    field: Annotated[str | None, Field(examples=["customer_id"])]
    message: Annotated[str, Field(examples=["no such customer: create it first, or restore it"])]


class ScoredCustomer(Shape):
    """What a customer's score is, now that its events are counted."""

    id: Id
    score: Annotated[Score | None, Field(examples=[3])]
    band: Annotated[Band, Field(examples=["critical"])]
    unchanged: Annotated[bool, Field(examples=[False])]


class EventsAccepted(Shape):
    """How many events are stored, and what is wrong with the others."""

    accepted: Annotated[Count, Field(examples=[2])]
    rejected: Annotated[Count, Field(examples=[0])]
    duplicates: Annotated[
        Count, Field(examples=[0], description="Of the accepted, those stored before")
    ]
    errors: list[EventError]
    customers: Annotated[list[ScoredCustomer], Field(description="The first hundred")]
    warnings: Annotated[
        list[dict[str, Any]], Field(examples=[[]], description="Fields that nobody reads")
    ]


class Event(Shape):
    """An event as it was sent."""

    id: Annotated[str, Field(examples=["01KJQ8ZJ9W3B0C6V4S7T2R5XYZ-0000"])]
    customer_id: Id
    event_name: Annotated[str, Field(examples=["login"])]
    timestamp: Instant
    received_at: Instant
    user_email: Annotated[str | None, Field(examples=["ann@acme.example"])]
    user_id: Annotated[str | None, Field(examples=["u-17"])]
    properties: Annotated[dict[str, Any], Field(examples=[{"plan": "pro"}])]
    external_id: Annotated[str | None, Field(examples=["evt-20261120-0001"])]


class EventPage(Page):
    """One page of events."""

    data: list[Event]


class Definition(Shape):
    """How a signal is computed from events."""

    aggregate: Aggregate
    events: Annotated[list[str], Field(examples=[["login"]], description="Empty: every event")]
    property: Annotated[str, Field(examples=["amount"])] = LEFT_OUT
    window_days: Annotated[int, Field(ge=1, le=90, examples=[30])]


class HeldBack(Shape):
    """Why a computed value is not the signal's."""

    reason: Literal["pushed_by_hand", "out_of_range", "not_a_number", "not_an_option"]


class Signal(Shape):
    """What is known of one signal of a customer, by whom, and what events say of it."""

    name: SignalName
    dimension: Annotated[str | None, Field(examples=["usage"])]
    value: Value
    source: Literal["pushed", "events", "contact"] | None
    by: Annotated[str | None, Field(examples=["CRM sync"], description="The key's name")]
    received_at: Instant | None
    owner: Annotated[str | None, Field(examples=[None], description="Who alone may set it")]
    in_model: Annotated[bool, Field(examples=[True])]
    definition: Definition | None
    computed_value: Annotated[
        float | str | None, Field(examples=[22], description="What events would make of it")
    ]
    held_back: HeldBack | None


class SignalsOfCustomer(Shape):
    """A customer's signals."""

    customer_id: Id
    events_until: Annotated[Day | None, Field(description="The day of the latest event")]
    signals: list[Signal]


BATCH = {
    "events": [
        {
            "customer_external_id": "crm-4711",
            "event_name": "login",
            "user_email": "ann@acme.example",
            "external_id": "evt-1",
        },
        {
            "customer_external_id": "crm-4711",
            "event_name": "invoice_paid",
            "properties": {"amount": 99.5},
            "external_id": "evt-2",
        },
    ]
}
DESCRIBED = {
    "ingestEvents": Described(
        summary="Send events",
        tag="Events",
        description="Up to 1000, of any customers. Each stands by itself: what is wrong with one"
        " has its index under `errors`. An event is counted once, by its `external_id`, or by its"
        " place under the Idempotency-Key. The scores follow in the same answer.",
        body=EventBatch,
        body_examples={"two": BATCH},
        answers={200: EventsAccepted},
    ),
    "listEvents": Described(
        summary="List events",
        tag="Events",
        description="As they were sent, the newest arrival first, as long as they are kept.",
        query=(
            Query(
                "customer_id",
                Annotated[str, Field(min_length=1, max_length=128)],
                "Of this customer alone",
                example="01KJQ8ZJ9W3B0C6V4S7T2R5XYZ",
            ),
            Query(
                "event_name",
                Annotated[str, Field(min_length=1, max_length=2000)],
                "Of this name, or of several with commas between",
                example="login",
            ),
            Query("from", Instant, "That happened then or later"),
            Query("to", Instant, "That happened then or earlier"),
            limit(),
            CURSOR,
        ),
        answers={200: EventPage},
    ),
    "listSignals": Described(
        summary="A customer's signals",
        tag="Events",
        description="Each with its value, whence it is, and what events would make of it.",
        answers={200: SignalsOfCustomer},
        links={"getCustomer": Link("getCustomer", {"customer_id": "$response.body#/customer_id"})},
    ),
}

"""Webhook subscriptions: two names, one thing (LU-069, PE-022 to 025)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from contract.shape import LEFT_OUT, Count, Described, Id, Instant, Link, Page, Sent, Shape

Url = Annotated[
    str,
    Field(
        min_length=8,
        max_length=2000,
        pattern="^https?://",
        examples=["https://hooks.example/vitals"],
    ),
]
Events = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]],
    Field(
        min_length=1,
        max_length=100,
        examples=[["health.dropped", "customer.created"]],
        description="Types of events, or * for all",
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Data warehouse"])]
Filter = Annotated[
    str | dict[str, Any] | list[Any] | None,
    Field(
        examples=["score < 50 and mrr >= 1000"],
        description="A condition on the customer, as text or as JSON",
    ),
]
Email = Annotated[str, Field(min_length=3, max_length=254, examples=["ops@vitals.example"])]


class EndpointHealth(Shape):
    """How the receiver does."""

    failing_since: Instant | None
    resting_until: Instant | None
    failures: Count
    disabled_reason: str | None


class WebhookSubscription(Shape):
    """A webhook that hears of events."""

    id: Id
    url: Annotated[
        str,
        Field(
            examples=["https://hooks.example/•••"],
            description="Without what may be secret in it; sent back as it is, it changes nothing",
        ),
    ]
    events: Events
    filter: Annotated[str | None, Field(examples=["score < 50"])]
    name: Name
    description: Annotated[str | None, Field(examples=["Feeds the data warehouse"])]
    owner: Annotated[str | None, Field(examples=["ops@vitals.example"])]
    active: Annotated[bool, Field(examples=[True])]
    health: EndpointHealth
    created_at: Instant
    created_by: Annotated[str, Field(examples=["01KJQ8ZJ9W3B0C6V4S7T2R5XYA"])]
    updated_at: Instant
    version: Annotated[int, Field(ge=1, examples=[1])]


class WebhookSubscriptionWithSecret(WebhookSubscription):
    """A webhook with the secret that its events are signed with."""

    secret: Annotated[
        str | None,
        Field(
            examples=["whsec_YUI6YJ9W/goQnLBQhbkWdw8/gY83Lnau3+k5DTdBqZ8="],
            description="Shown this once; null where the answer is given again",
        ),
    ]


class WebhookSubscriptionPage(Page):
    """Every webhook, in the order of names."""

    data: list[WebhookSubscription]


class WebhookSubscriptionUpdate(Sent):
    """What is to change of a webhook."""

    url: Url = LEFT_OUT
    events: Events = LEFT_OUT
    filter: Filter = LEFT_OUT
    name: Name = LEFT_OUT
    description: Annotated[str | None, Field(max_length=4000, min_length=1)] = LEFT_OUT
    owner: Email | None = LEFT_OUT
    active: bool = LEFT_OUT


class WebhookSubscriptionCreate(WebhookSubscriptionUpdate):
    """A new webhook."""

    url: Url
    events: Events


class SecretRotate(Sent):
    """How long the old secret signs beside the new one."""

    overlap_hours: Annotated[int, Field(ge=0, le=720, examples=[24])] = LEFT_OUT


class Attempt(Shape):
    """What a receiver said to one attempt."""

    at: Instant
    verdict: Annotated[str, Field(examples=["ok"])]
    status: Annotated[int | None, Field(examples=[200])]
    response: Annotated[str | None, Field(examples=["thanks"])]
    error: Annotated[str | None, Field(examples=[None])]
    retry_after: Annotated[int | None, Field(examples=[None])]
    duration_ms: Annotated[float | None, Field(examples=[41.5])]


def _described(noun: str, words: str) -> dict[str, Described]:
    ids = {"subscription_id": "$response.body#/id"}
    one = {f"{verb}{noun}": Link(f"{verb}{noun}", ids) for verb in ("get", "update", "delete")}
    plain = Described(summary="", tag="Webhooks", answers={200: WebhookSubscription})
    return {
        f"list{noun}s": replace(
            plain, summary=f"List {words}s", answers={200: WebhookSubscriptionPage}
        ),
        f"create{noun}": replace(
            plain,
            summary=f"Create a {words}",
            description="Its events are signed with a secret that this answer alone shows.",
            body=WebhookSubscriptionCreate,
            body_examples={
                "drops": {"url": "https://hooks.example/vitals", "events": ["health.dropped"]}
            },
            answers={201: WebhookSubscriptionWithSecret},
            refusals=(409,),
            headers=("ETag", "Location"),
            links=one,
        ),
        f"get{noun}": replace(plain, summary=f"One {words}", headers=("ETag",)),
        f"update{noun}": replace(
            plain,
            summary=f"Change a {words}",
            body=WebhookSubscriptionUpdate,
            body_examples={"off": {"active": False}},
            refusals=(409,),
            versioned=True,
            headers=("ETag",),
        ),
        f"delete{noun}": replace(
            plain,
            summary=f"Delete a {words}",
            answers={204: None},
            refusals=(409,),
            versioned=True,
        ),
        f"test{noun}": replace(
            plain,
            summary=f"Test a {words}",
            description="Sends a test at once, and tells what the receiver said.",
            answers={200: Attempt},
        ),
        f"rotate{noun}Secret": replace(
            plain,
            summary=f"Rotate the secret of a {words}",
            body=SecretRotate,
            body_required=False,
            answers={200: WebhookSubscriptionWithSecret},
            refusals=(409,),
        ),
    }


DESCRIBED = _described("WebhookSubscription", "webhook subscription") | _described(
    "Webhook", "webhook"
)

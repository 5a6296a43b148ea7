"""Customers: their shapes, and what is said of the operations on them (LU-021 to 037)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from contract.shape import (
    CURSOR,
    DAY_EXAMPLE,
    LEFT_OUT,
    Amount,
    Custom,
    Day,
    Described,
    Exact,
    Id,
    Instant,
    Link,
    Money,
    Page,
    Query,
    Score,
    Sent,
    Shape,
    Share,
    limit,
    word,
    words,
)

Status = Literal["active", "trial", "churned", "paused"]
HealthStatus = Literal["healthy", "neutral", "at_risk", "unscored"]
Band = Literal["critical", "at_risk", "watch", "healthy", "expansion", "unscored"]
Stage = Literal["onboarding", "trial", "active", "atrisk", "paused", "won", "churned"]
Tier = Literal["enterprise", "mid", "smb"]
Sentiment = Literal["positive", "neutral", "negative"]
STATUSES, TIERS = get_args(Status), get_args(Tier)

Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Acme Corp"])]
Domain = Annotated[str, Field(min_length=3, max_length=253, examples=["acme.example"])]
External = Annotated[str, Field(min_length=1, max_length=128, examples=["crm-4711"])]
Owner = Annotated[str, Field(min_length=1, max_length=200, examples=["maria@vitals.example"])]
Tags = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]],
    Field(max_length=50, examples=[["fintech", "emea"]]),
]
Note = Annotated[str, Field(min_length=1, max_length=4000, examples=["Renewal call on Monday"])]


class CustomerSummary(Shape):
    """A customer as lists show it, scored as of now."""

    id: Id
    tenant_id: Id
    external_id: External | None
    name: Name
    email_domain: Domain | None
    status: Annotated[Status, Field(description="The commercial state; the stage in four words")]
    lifecycle: Annotated[Stage, Field(description="The stage")]
    owner_id: Annotated[Owner | None, Field(description="What names the owner: their e-mail")]
    owner_email: Annotated[Owner | None, Field(description="The owner, if it is an e-mail")]
    tags: Tags
    tier: Tier | None
    arr: Money | None
    mrr: Annotated[Money | None, Field(examples=[4166.67])]
    renewal_date: Day | None
    days_until_renewal: Annotated[int | None, Field(examples=[90])]
    renewal_overdue: Annotated[bool, Field(examples=[False])]
    customer_since: Day | None
    next_touch: Day | None
    last_contact_date: Day | None
    sentiment: Sentiment | None
    health_score: Annotated[
        Score | None, Field(description="As of now; null until a signal is known")
    ]
    health_status: Annotated[
        HealthStatus,
        Field(description="at_risk to 49, neutral to 64, healthy from 65; unscored without score"),
    ]
    band: Annotated[Band, Field(description="The score's band of five")]
    score_exact: Exact | None
    coverage: Annotated[Share, Field(description="The share of weight that has a value")]
    low_confidence: Annotated[bool, Field(examples=[False])]
    signals: Annotated[
        dict[str, float | str | None],
        Field(examples=[{"logins": 22, "nps": None}], description="Every signal of the model"),
    ]
    priority_score: Annotated[
        float | None,
        Field(examples=[63.5], description="Whom to call first: the higher the sooner"),
    ]
    model_version: Annotated[int, Field(ge=1, examples=[1])]
    created_at: Instant
    updated_at: Instant
    version: Annotated[int, Field(ge=1, examples=[3], description="Its ETag is this number")]
    deleted_at: Instant | None


class Customer(CustomerSummary):
    """A customer, whole, scored as of now."""

    note: Note | None
    custom_fields: Custom


class CustomerPage(Page):
    """One page of customers."""

    data: list[CustomerSummary]


class _Fields(Sent):
    """What a customer is made of, all of it optional."""

    external_id: External | None = LEFT_OUT
    email_domain: Domain | None = LEFT_OUT
    owner_email: Annotated[Owner | None, Field(description="Who manages the customer")] = LEFT_OUT
    owner_id: Annotated[Owner | None, Field(description="The same as owner_email")] = LEFT_OUT
    status: Annotated[
        Status,
        Field(description="`active` leaves a stage as it is that is active already"),
    ] = LEFT_OUT
    lifecycle: Stage = LEFT_OUT
    tags: Tags = LEFT_OUT
    tier: Tier | None = LEFT_OUT
    arr: Amount | None = LEFT_OUT
    mrr: Amount | None = LEFT_OUT
    renewal_date: Annotated[Day | None, Field(description="A new one must not be in the past")] = (
        LEFT_OUT
    )
    customer_since: Day | None = LEFT_OUT
    next_touch: Day | None = LEFT_OUT
    last_contact_date: Day | None = LEFT_OUT
    sentiment: Sentiment | None = LEFT_OUT
    note: Note | None = LEFT_OUT
    custom_fields: Custom = LEFT_OUT
    signals: Annotated[
        dict[str, float | str | None],
        Field(
            max_length=200,
            examples=[{"logins": 22, "nps": 9}],
            description="Values of the model's signals by name; null clears one",
        ),
    ] = LEFT_OUT


class CustomerCreate(_Fields):
    """A new customer."""

    name: Name


class CustomerUpdate(_Fields):
    """What is to change; what is left out stays, null clears (RFC 7396)."""

    name: Name = LEFT_OUT
    add_tags: Tags = LEFT_OUT
    remove_tags: Tags = LEFT_OUT


NEW: dict[str, Any] = {
    "name": "Acme Corp",
    "email_domain": "acme.example",
    "arr": 50000,
    "owner_email": "maria@vitals.example",
    "status": "active",
    "renewal_date": DAY_EXAMPLE,
    "custom_fields": {"tier": "Platinum", "industry": "Fintech"},
}
FROM_CUSTOMER = {
    "getCustomer": Link("getCustomer", {"customer_id": "$response.body#/id"}),
    "updateCustomer": Link("updateCustomer", {"customer_id": "$response.body#/id"}),
    "deleteCustomer": Link("deleteCustomer", {"customer_id": "$response.body#/id"}),
    "createContact": Link("createContact", {"customer_id": "$response.body#/id"}),
    "getHealth": Link("getHealth", {"customer_id": "$response.body#/id"}),
    "recalculateHealth": Link("recalculateHealth", {"customer_id": "$response.body#/id"}),
    "listSignals": Link("listSignals", {"customer_id": "$response.body#/id"}),
}
OWNER = Query("owner_id", Owner, "Of this owner alone", example="maria@vitals.example")

DESCRIBED = {
    "listCustomers": Described(
        summary="List customers",
        tag="Customers",
        description="Filters are AND; several values of one are OR. Without `sort`, newest first.",
        query=(
            Query(
                "q",
                Annotated[str, Field(min_length=1, max_length=200)],
                "Words that the name or the e-mail domain must hold",
                example="acme",
            ),
            Query("status", words(*STATUSES), "Commercial states"),
            Query("health_status", words(*get_args(HealthStatus)), "Health in words"),
            OWNER,
            Query(
                "segment_id",
                Annotated[str, Field(min_length=1, max_length=100)],
                "Of this segment alone: a tag",
                example="fintech",
            ),
            Query("min_arr", Amount, "With at least this much a year"),
            Query("max_arr", Amount, "With at most this much a year"),
            Query(
                "renewal_within_days",
                Annotated[int, Field(ge=0, le=3650)],
                "That renew within so many days",
                example=90,
            ),
            Query(
                "sort",
                word("updated_at", "name", "score", "mrr", "arr", "created_at"),
                "By what they are sorted",
            ),
            Query("order", word("asc", "desc"), "In which direction; `desc` if left out"),
            limit(),
            CURSOR,
        ),
        answers={200: CustomerPage},
    ),
    "createCustomer": Described(
        summary="Create a customer",
        tag="Customers",
        description="Scored in the same answer, once it has a signal. A name, an external_id and an"
        " e-mail domain belong to one customer alone: 409 if another has it.",
        body=CustomerCreate,
        body_examples={"new": NEW},
        answers={201: Customer},
        refusals=(409,),
        headers=("ETag", "Location"),
        links=FROM_CUSTOMER,
    ),
    "getCustomer": Described(
        summary="One customer",
        tag="Customers",
        description="As last written, scored as of now. One in the trash is not found here.",
        answers={200: Customer},
        headers=("ETag",),
    ),
    "updateCustomer": Described(
        summary="Change a customer",
        tag="Customers",
        description="A JSON Merge Patch (RFC 7396): objects merge, null clears, arrays replace.",
        body=CustomerUpdate,
        body_examples={"grown": {"arr": 180000, "custom_fields": {"tier": "Platinum"}}},
        answers={200: Customer},
        refusals=(409,),
        versioned=True,
        headers=("ETag",),
    ),
    "deleteCustomer": Described(
        summary="Delete a customer",
        tag="Customers",
        description="Into the trash, from where it can be restored for 30 days. `hard` erases it"
        " with its history at once, and needs admin:*.",
        query=(Query("hard", bool, "Erase it for good", example=False),),
        answers={204: None},
        refusals=(409,),
        versioned=True,
    ),
}

TRASHED = {
    "restoreCustomer": Link("restoreCustomer", {"customer_id": "$response.body#/data/0/id"}),
}
DESCRIBED |= {
    "listTrash": Described(
        summary="List the trash",
        tag="Customers",
        description="Customers that were deleted in the last 30 days.",
        query=(limit(), CURSOR),
        answers={200: CustomerPage},
        links=TRASHED,
    ),
    "restoreCustomer": Described(
        summary="Restore a customer",
        tag="Customers",
        description="Out of the trash, with its history, scored as of now.",
        answers={200: Customer},
        refusals=(409,),
        headers=("ETag",),
    ),
    "eraseCustomer": Described(
        summary="Erase a customer in the trash",
        tag="Customers",
        description="With its history, its contacts and its events, at once and for good.",
        answers={204: None},
        refusals=(409,),
    ),
}

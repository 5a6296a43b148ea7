"""What shapes are made of, and how operations are described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

ULID_EXAMPLE = "01KJQ8ZJ9W3B0C6V4S7T2R5XYZ"
DAY_EXAMPLE = "2027-06-15"
INSTANT_EXAMPLE = "2026-11-20T14:23:00.000Z"


class Shape(BaseModel):
    """What an answer holds; more may be added to it in later versions."""

    model_config = ConfigDict(json_schema_extra={})


class Sent(BaseModel):
    """What a request holds, and nothing else."""

    model_config = ConfigDict(extra="forbid")


Id = Annotated[str, Field(examples=[ULID_EXAMPLE])]
Day = Annotated[date, Field(examples=[DAY_EXAMPLE])]
Instant = Annotated[datetime, Field(examples=[INSTANT_EXAMPLE])]
Score = Annotated[int, Field(ge=0, le=100, examples=[72])]
Exact = Annotated[float, Field(examples=[71.6667], description="To four decimals, exactly")]
Share = Annotated[float, Field(ge=0, le=1, examples=[0.4])]
Amount = Annotated[float, Field(ge=0, le=10**13, examples=[50000])]
Money = Annotated[float, Field(ge=0, examples=[50000], description="In the currency you send")]
Count = Annotated[int, Field(ge=0, examples=[3])]
Cursor = Annotated[
    str,
    Field(
        min_length=1,
        max_length=8000,
        examples=["WyI0ZjJjIiwiMjAyNi0xMS0yMFQxNDoyMzowMC4wMDBaIl0"],
        description="Where to go on: the `next_cursor` of the page before, with the same filters",
    ),
]
Custom = Annotated[dict[str, Any], Field(max_length=200, examples=[{"industry": "Fintech"}])]


class Page(Shape):
    """One page of a list."""

    next_cursor: Annotated[
        str | None,
        Field(
            examples=["WyI0ZjJjIiwiMjAyNi0xMS0yMFQxNDoyMzowMC4wMDBaIl0"],
            description="Send it as `cursor` for the next page; null on the last",
        ),
    ]
    has_more: Annotated[bool, Field(examples=[True])]


class Problem(Shape):
    """What went wrong, where, and what to do about it (RFC 9457)."""

    type: Annotated[str, Field(examples=["urn:vitals:error:validation_error"])]
    title: Annotated[str, Field(examples=["Bad Request"])]
    status: Annotated[int, Field(ge=400, le=599, examples=[400])]
    detail: Annotated[str, Field(examples=["arr: must not be negative"])]
    instance: Annotated[str, Field(examples=["/v1/customers"])]
    code: Annotated[str, Field(examples=["validation_error"], description="Stable; branch on it")]
    trace_id: Annotated[
        str,
        Field(
            examples=["5f0b9c1e-6d0c-4c7e-9a57-0f5a1c3e7b21"],
            description="Names the request in the logs; also the header X-Trace-Id",
        ),
    ]
    errors: Annotated[list[FieldProblem], Field(description="Each field that was refused")]


class FieldProblem(Shape):
    """One field that was refused."""

    field: Annotated[str, Field(examples=["arr"])]
    code: Annotated[str, Field(examples=["must_be_positive"])]
    message: Annotated[str, Field(examples=["must not be negative"])]


class GatewayMessage(Shape):
    """What the gateway itself answers to what it does not pass on."""

    message: Annotated[str, Field(examples=["URI Too Long"])]


LEFT_OUT: Any = None
"""What a field of a request is that need not be sent: nothing, not even null."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query parameter; *kind* is annotated as a field of a shape is."""

    name: str
    kind: Any
    description: str
    example: Any = None


@dataclass(frozen=True, slots=True)
class Link:
    """What can be called with what an answer holds: *variables* by expressions on the answer."""

    operation: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the document says of an operation.

    *answers* are shapes by status, None for an empty body. *refusals* are the statuses of problems
    besides those that follow from the operation: 400, 401, 403, 404, 413, 415, 422, 429, 500, 503.
    """

    summary: str
    tag: str
    answers: Mapping[int, Any]
    description: str = ""
    query: tuple[Query, ...] = ()
    body: Any = None
    body_required: bool = True
    body_examples: Mapping[str, Any] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"
    versioned: bool = False
    """Whether If-Match is taken."""


CURSOR = Query("cursor", Cursor, "Where to go on: the `next_cursor` of the page before")


def limit(default: int = 50, most: int = 200) -> Query:
    """Return the parameter that says how long a page is (LU-029)."""
    kind = Annotated[int, Field(ge=1, le=most, json_schema_extra={"default": default})]
    return Query("limit", kind, f"How many at most; {default} if left out", example=default)


def words(*allowed: str) -> Any:
    """Return the type of a list of some of *allowed*, comma-separated."""
    item = Annotated[str, Field(json_schema_extra={"enum": list(allowed)})]
    return Annotated[list[item], Field(min_length=1, max_length=20)]


def word(*allowed: str) -> Any:
    """Return the type of one of *allowed*."""
    return Annotated[str, Field(json_schema_extra={"enum": list(allowed)}, examples=[allowed[0]])]

"""API keys and who asks (LU-013, 014, 062)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contract.shape import LEFT_OUT, Described, Id, Instant, Link, Page, Sent, Shape

Scope = Literal[
    "customers:read", "customers:write", "health:read", "health:write", "events:write",
    "users:write", "admin:*", "platform:*"
]  # fmt: skip
Name = Annotated[str, Field(min_length=1, max_length=200, examples=["quickstart"])]
Scopes = Annotated[
    list[Scope],
    Field(min_length=1, max_length=8, examples=[["customers:read", "events:write"]]),
]


class Me(Shape):
    """Whose key asks, and what it may do."""

    id: Id
    email: Annotated[str | None, Field(description="Of a person; null for a key")]
    type: Literal["api_key"]
    name: Name
    tenant_id: Id
    tenant_name: Annotated[str, Field(examples=["Example Ltd"])]
    sandbox: Annotated[bool, Field(examples=[False])]
    scopes: Annotated[list[str], Field(examples=[["customers:read", "events:write"]])]
    expires_at: Instant | None


class ApiKey(Shape):
    """A key without its secret."""

    id: Id
    tenant_id: Id
    name: Name
    type: Literal["live", "test"]
    prefix: Annotated[str, Field(examples=["vt_live_6Soi"])]
    scopes: Annotated[list[str], Field(examples=[["customers:read"]])]
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    replaced_by: Id | None
    last_used_at: Instant | None


class CreatedApiKey(ApiKey):
    """A new key with its secret, shown this once."""

    api_key: Annotated[
        str | None,
        Field(
            examples=["vt_live_6SoiaoMqUk1V81A7t179D3rlasBS8ayk06lH3f"],
            description="The secret; null where the answer is given again",
        ),
    ]


class ApiKeyPage(Page):
    """Every key, oldest first."""

    data: list[ApiKey]


class ApiKeyCreate(Sent):
    """A new key: no scope that the asking one lacks."""

    name: Name
    scopes: Scopes
    type: Annotated[Literal["live", "test"], Field(description="A test key is the sandbox's")] = (
        LEFT_OUT
    )
    expires_at: Annotated[Instant, Field(description="In the future")] = LEFT_OUT
    expires_in_days: Annotated[int, Field(ge=1, le=3650, examples=[7])] = LEFT_OUT


class ApiKeyRotate(Sent):
    """How long the old key stays good beside the new one."""

    overlap_hours: Annotated[int, Field(ge=0, le=720, examples=[24])] = LEFT_OUT


DESCRIBED = {
    "getMe": Described(
        summary="Whose key this is",
        tag="Keys",
        description="To see that a key works, and what it may do.",
        answers={200: Me},
    ),
    "listApiKeys": Described(summary="List API keys", tag="Keys", answers={200: ApiKeyPage}),
    "createApiKey": Described(
        summary="Create an API key",
        tag="Keys",
        description="The secret is in this answer alone.",
        body=ApiKeyCreate,
        body_examples={
            "quickstart": {
                "name": "quickstart",
                "scopes": ["customers:read", "customers:write", "events:write", "health:read"],
                "expires_in_days": 7,
            }
        },
        answers={201: CreatedApiKey},
        refusals=(403, 409),
        links={
            "rotateApiKey": Link("rotateApiKey", {"key_id": "$response.body#/id"}),
            "revokeApiKey": Link("revokeApiKey", {"key_id": "$response.body#/id"}),
        },
    ),
    "rotateApiKey": Described(
        summary="Rotate an API key",
        tag="Keys",
        description="A new secret under the same name and scopes; the old one ends a while later.",
        body=ApiKeyRotate,
        body_required=False,
        answers={201: CreatedApiKey},
        refusals=(409,),
    ),
    "revokeApiKey": Described(
        summary="Revoke an API key",
        tag="Keys",
        description="For good, everywhere within a minute.",
        answers={204: None},
        refusals=(409,),
    ),
}

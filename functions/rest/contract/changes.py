"""Changes: the feed of everybody's, and a customer's timeline."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from contract.shape import CURSOR, Described, Exact, Id, Instant, Page, Query, Shape, limit, word

_Names = Annotated[list[str], Field(examples=[["logins", "score", "status"]])]
_Values = Annotated[
    dict[str, Any], Field(examples=[{"logins": 22, "score": 73, "status": "healthy"}])
]


class Change(Shape):
    """What one write changed of a customer."""

    id: Id
    customer_id: Id
    name: Annotated[str, Field(examples=["Acme Corp"])]
    version: Annotated[int, Field(ge=1, examples=[2])]
    at: Instant
    action: Annotated[str, Field(examples=["upsert_account"])]
    cause: Annotated[str, Field(examples=["api"], description="api, decay, model, import, …")]
    by: Annotated[str, Field(examples=["01KJQ8ZJ9W3B0C6V4S7T2R5XYA"], description="The key's id")]
    changed: _Names
    automatic: Annotated[list[str], Field(examples=[[]], description="What followed by itself")]
    old: _Values
    new: _Values
    score_change: Annotated[int | None, Field(ge=-100, le=100, examples=[4])]
    model_version: Annotated[int, Field(ge=1, examples=[1])]
    contact: dict[str, Any] | None


class Contributions(Shape):
    """Each signal's part of the score, before and after."""

    old: dict[str, Exact]
    new: dict[str, Exact]


class ExplainedChange(Change):
    """A change, and what it did to every part of the score."""

    contributions: Contributions


class ChangePage(Page):
    """One page of changes."""

    data: list[Change]


class ExplainedChangePage(Page):
    """One page of a customer's changes."""

    data: list[ExplainedChange]


_SINCE = Query("updated_since", Instant, "Of then or later")
_UNTIL = Query("until", Instant, "Of then or earlier")
DESCRIBED = {
    "listChanges": Described(
        summary="List changes",
        tag="Changes",
        description="Of every customer, newest first; read in the order `asc` it is a queue that"
        " ends fifteen seconds behind now.",
        query=(
            _SINCE,
            _UNTIL,
            Query("order", word("desc", "asc"), "In which direction"),
            limit(),
            CURSOR,
        ),
        answers={200: ChangePage},
    ),
    "listCustomerChanges": Described(
        summary="A customer's timeline",
        tag="Changes",
        description="Newest first, each with what it did to the score. Also of one in the trash.",
        query=(_SINCE, _UNTIL, limit(), CURSOR),
        answers={200: ExplainedChangePage},
    ),
}

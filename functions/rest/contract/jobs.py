"""Jobs: their shapes, and what starts them (LU-038, 039, AMB-39)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from contract.customers import CustomerCreate, Name
from contract.shape import (
    CURSOR,
    LEFT_OUT,
    Day,
    Described,
    Id,
    Instant,
    Link,
    Page,
    Query,
    Sent,
    Shape,
    limit,
    words,
)

State = Literal["queued", "running", "done", "failed", "cancelled"]
Kind = Literal[
    "rescore", "preview", "delete_tenant", "decay", "match_rule", "preview_rule", "redrive",
    "report", "import"
]  # fmt: skip


class JobSummary(Shape):
    """A job as lists show it."""

    id: Id
    kind: Kind
    state: State
    by: Annotated[str, Field(examples=["01KJQ8ZJ9W3B0C6V4S7T2R5XYA"], description="The key's id")]
    progress: Annotated[
        dict[str, int], Field(examples=[{"done": 400, "total": 1000}], description="In numbers")
    ]
    error: dict[str, Any] | None
    created_at: Instant
    started_at: Instant | None
    updated_at: Instant | None
    finished_at: Instant | None


class Job(JobSummary):
    """A job, whole."""

    result: Annotated[dict[str, Any] | None, Field(description="Once it is done")]


class JobPage(Page):
    """One page of jobs."""

    data: list[JobSummary]


class StartedJob(Shape):
    """The job that does what was asked."""

    job_id: Id
    job: JobSummary


class ImportRow(CustomerCreate):
    """One customer of an import, known by its external_id or its name."""

    name: Name = LEFT_OUT
    renewal_date: Annotated[
        Day | None, Field(description="One that is over is stored, and shown as overdue")
    ] = LEFT_OUT

    if_version: Annotated[
        int, Field(ge=0, le=2**53, description="The version that the row was made from")
    ] = LEFT_OUT


class CustomersImport(Sent):
    """Customers to import: a row that is no customer has its own error, and stops no other."""

    customers: Annotated[list[ImportRow | dict[str, Any]], Field(min_length=1, max_length=1000)]
    mode: Literal["create_or_update", "create_only", "update_only"] = LEFT_OUT
    conflict_resolution: Annotated[
        Literal["skip", "overwrite", "error"],
        Field(description="For a row whose customer is newer than its if_version"),
    ] = LEFT_OUT


class Rescore(Sent):
    """Whom to score anew; everybody if nobody is named."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] = LEFT_OUT


class ImportResult(Shape):
    """What became of one row."""

    index: Annotated[int, Field(ge=0, examples=[0])]
    status: Literal["created", "updated", "unchanged", "skipped", "error", "not_attempted"]
    id: Id | None
    external_id: Annotated[str | None, Field(examples=["crm-4711"])]
    name: Annotated[str | None, Field(examples=["Acme Corp"])]
    error: Annotated[dict[str, Any] | None, Field(examples=[None])]
    warnings: Annotated[list[dict[str, Any]], Field(examples=[[]])]


class ImportResultPage(Page):
    """One page of results, in the rows' order."""

    data: list[ImportResult]


_GET_JOB = {
    "getJob": Link("getJob", {"job_id": "$response.body#/job_id"}),
    "cancelJob": Link("cancelJob", {"job_id": "$response.body#/job_id"}),
}
DESCRIBED = {
    "importCustomers": Described(
        summary="Import customers",
        tag="Jobs",
        description="Up to 1000, by a job: poll it, then read what became of each row.",
        body=CustomersImport,
        body_examples={
            "two": {
                "customers": [
                    {"name": "Acme Corp", "external_id": "crm-4711", "arr": 50000},
                    {"name": "Bolt Ltd", "external_id": "crm-4712", "signals": {"logins": 12}},
                ],
                "mode": "create_or_update",
                "conflict_resolution": "skip",
            }
        },
        answers={202: StartedJob},
        headers=("Location",),
        links=_GET_JOB
        | {"listJobResults": Link("listJobResults", {"job_id": "$response.body#/job_id"})},
    ),
    "rescoreCustomers": Described(
        summary="Score everybody anew",
        tag="Jobs",
        description="Under the newest model, as of now; overrides stay.",
        body=Rescore,
        body_required=False,
        body_examples={"everybody": {}},
        answers={202: StartedJob},
        headers=("Location",),
        links=_GET_JOB,
    ),
    "listJobs": Described(
        summary="List jobs",
        tag="Jobs",
        description="Of the kinds that the key may read.",
        query=(
            Query("state", words(*get_args(State)), "In these states"),
            Query("kind", words(*get_args(Kind)), "Of these kinds"),
            limit(),
            CURSOR,
        ),
        answers={200: JobPage},
    ),
    "getJob": Described(summary="One job", tag="Jobs", answers={200: Job}),
    "listJobResults": Described(
        summary="What became of each row",
        tag="Jobs",
        description="Of an import, for seven days.",
        query=(limit(100, 500), CURSOR),
        answers={200: ImportResultPage},
    ),
    "cancelJob": Described(
        summary="Cancel a job",
        tag="Jobs",
        description="What it did by then stays done.",
        answers={200: Job},
        refusals=(403, 409),
    ),
}

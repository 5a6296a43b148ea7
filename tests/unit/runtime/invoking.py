"""What a function is invoked with, and what it writes, without a table."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.builders import a_tenant

from vitals.domain.access import Tenant
from vitals.domain.job import Job
from vitals.runtime.logging import logger
from vitals.runtime.settings import Settings
from vitals.runtime.wiring import Wiring

EVENT = {"requestContext": {"http": {"method": "GET", "path": "/x"}}, "rawPath": "/x"}


class Lambda:
    """Lambda's context object."""

    aws_request_id = "trace-1"

    def get_remaining_time_in_millis(self) -> int:
        return 4500


class Counters:
    """`ports.Tenants`, of which only the limits are asked."""

    def count(
        self, _tenant_id: str, _number: int, drawn: Mapping[str, int], **_: int
    ) -> dict[str, int]:
        return dict(drawn)

    def tenant(self, tenant_id: str, *, consistent: bool = False) -> Tenant:  # noqa: ARG002 - as is
        return a_tenant(id=tenant_id)


class OneJob:
    """`ports.Jobs` with one job in it."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def get(self, _tenant_id: str, _job_id: str) -> Job:
        return self.job

    def save(self, job: Job) -> Job:
        self.job = replace(job, version=job.version + 1)
        return self.job

    @property
    def event(self) -> dict[str, Any]:
        """The event of the queue that names the job."""
        keys = {"PK": {"S": f"T#{self.job.tenant_id}#JOBS"}, "SK": {"S": self.job.id}}
        body = json.dumps({"dynamodb": {"Keys": keys}})
        return {"Records": [{"messageId": "m", "body": body}]}


def a_wiring(kind: type[Wiring] = Wiring, **ports: Any) -> Wiring:
    """Return a wiring to *ports*, and to no table behind the others."""
    names = (
        "customers", "tenants", "administration", "jobs", "clocks", "snapshots", "reach",
        "reach_events",
    )  # fmt: skip
    nothing: dict[str, Any] = dict.fromkeys(names)
    return kind(Settings(), **nothing | ports)


def written(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the lines written so far, as CloudWatch gets them."""
    return [json.loads(logger().registered_formatter.format(record)) for record in caplog.records]

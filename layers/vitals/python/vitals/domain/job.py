"""A job: work that can outlast a request, with its progress and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
REPORT = "report"
"""The kind of job that makes a report: a function of its own does those."""
KEPT = timedelta(days=30)
"""A report's job is kept for so long after its end, or the last that was heard of it."""
STATES = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job of a tenant.

    *params* are what it was asked, *progress* what it has done so far, *result* what came of it,
    *error* why it failed. *place* is where it goes on, *attempts* how often it failed since it last
    got on. *version* grows with every write: a runner that lost a race has lost the job.
    """

    id: str
    tenant_id: str
    kind: str
    by: str
    created_at: datetime
    state: str = QUEUED
    params: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    place: tuple[str, str] | None = None
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime | None = None
    version: int = 1

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come of it."""
        return self.state in (DONE, FAILED, CANCELLED)

    @property
    def expires_at(self) -> datetime | None:
        """Return until when the job is kept; None for one that is kept for good.

        Of reports alone there are many, and nothing is read of one whose file is gone. One that
        nobody goes on with is never over.
        """
        if self.kind != REPORT:
            return None
        return (self.finished_at or self.updated_at or self.created_at) + KEPT

    def is_kept_no_more(self, now: datetime) -> bool:
        """Tell whether the job has expired, though it may still be stored."""
        return self.expires_at is not None and self.expires_at <= now

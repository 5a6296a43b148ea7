"""A tenant's clock moves once for each day, with the day's job, or not at all."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from tests.builders import NOW, an_event
from tests.integration.storage.conftest import Store

from vitals.domain.job import Job
from vitals.storage.clocks import ClockTable
from vitals.storage.jobs import JobTable
from vitals.storage.ports import Act, Due, TenantChange, WriteConflictError
from vitals.storage.table import Table

DAY = timedelta(days=1)

pytestmark = pytest.mark.parametrize("store", ["one shard"], indirect=True)


@dataclass
class Midnight:
    """The store's tenant, due at NOW, and what starts its days."""

    clocks: ClockTable
    jobs: JobTable
    due: Due

    def advance(self, until: datetime, job_id: str) -> None:
        self.clocks.advance(self.due, until, a_job(self.due.tenant_id, job_id))

    def is_refused(self, until: datetime, job_id: str) -> bool:
        with pytest.raises(WriteConflictError) as lost:
            self.advance(until, job_id)
        return lost.value.on == {"version"}

    @property
    def next(self) -> list[Due]:
        return list(self.clocks.due(NOW + 9 * DAY))

    @property
    def started(self) -> list[str]:
        return [job.id for job in self.jobs.all(self.due.tenant_id)]


def a_job(tenant_id: str, job_id: str) -> Job:
    return Job(id=job_id, tenant_id=tenant_id, kind="decay", by="clock", created_at=NOW)


@pytest.fixture
def midnight(store: Store, engine_table: Table) -> Midnight:
    tenant = store.tenant
    set_clock = TenantChange(tenant, replace(tenant, revision=tenant.revision + 1), due=NOW)
    store.act(tenant, Act(event=an_event("clock"), tenants=[set_clock]))
    return Midnight(ClockTable(engine_table), JobTable(engine_table), Due(tenant.id, NOW))


def test_a_day_starts_its_job_and_sets_the_clock(midnight: Midnight) -> None:
    midnight.advance(NOW + DAY, "day 1")
    assert midnight.started == ["day 1"]
    assert midnight.next == [Due(midnight.due.tenant_id, NOW + DAY)]


def test_of_two_that_find_a_day_due_one_starts_it(midnight: Midnight) -> None:
    midnight.advance(NOW + DAY, "day 1")
    assert midnight.is_refused(NOW + 2 * DAY, "day 1 again")
    assert midnight.started == ["day 1"]
    assert midnight.next == [Due(midnight.due.tenant_id, NOW + DAY)]


def test_a_day_never_starts_over_a_job(midnight: Midnight) -> None:
    midnight.advance(NOW + DAY, "day 1")
    midnight.due = midnight.next[0]
    assert midnight.is_refused(NOW + 2 * DAY, "day 1")
    assert midnight.next == [midnight.due]

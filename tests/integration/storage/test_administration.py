"""An act of administration is all or nothing, and nothing if anything moved meanwhile."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW, a_key, a_tenant, an_answer, an_event, at, giving
from tests.integration.storage.conftest import Store

from vitals.domain.job import Job
from vitals.storage.administration import AdministrationTable
from vitals.storage.jobs import JobTable
from vitals.storage.ports import (
    Act,
    KeyChange,
    ModelVersion,
    StoredAnswer,
    TenantChange,
    WriteConflictError,
)
from vitals.storage.tenants import TenantTable

KEY = a_key()


@pytest.fixture
def tables(store: Store) -> Any:
    """The administration and jobs of a store that is a table."""
    if not isinstance(store.tenants, TenantTable):
        pytest.skip("a dict has no jobs")
    table = store.tenants._table  # noqa: SLF001 - the table that the store is over
    return AdministrationTable(table), JobTable(table)


def an_act(**fields: Any) -> Act:
    return Act(**{"event": an_event("x"), **fields})


def a_job(**fields: Any) -> Job:
    given: dict[str, Any] = {"id": "01JOB", "tenant_id": "01T", "kind": "rescore", "by": "key-1"}
    return Job(**{**given, "created_at": NOW, **fields})


def is_refused(store: Store, act: Act) -> bool:
    """Whether *act* is refused, and nothing of it is stored."""
    before = list(store.tenants.models(store.tenant.id))
    with pytest.raises(WriteConflictError) as lost:
        store.act(store.tenant, act)
    assert lost.value.on == {"version"}
    return list(store.tenants.models(store.tenant.id)) == before


def test_a_key_is_changed_as_it_was_read_or_not_at_all(store: Store) -> None:
    store.act(store.tenant, giving(KEY, "h"))
    revoked, renamed = replace(KEY, revoked_at=at(1)), replace(KEY, name="other")
    store.act(store.tenant, an_act(keys=[KeyChange(KEY, revoked, "h")]))
    assert is_refused(store, an_act(keys=[KeyChange(KEY, renamed, "h")]))
    assert store.tenants.key("h") == revoked


def test_a_tenant_is_changed_as_it_was_read_or_not_at_all(store: Store) -> None:
    once = replace(store.tenant, limit_reads=5, revision=1)
    other = replace(store.tenant, limit_reads=6, revision=1)
    store.act(store.tenant, an_act(tenants=[TenantChange(store.tenant, once)]))
    assert is_refused(store, an_act(tenants=[TenantChange(store.tenant, other)]))
    twice = replace(once, limit_reads=7, revision=2)
    store.act(store.tenant, an_act(tenants=[TenantChange(once, twice)]))
    assert is_refused(store, an_act(tenants=[TenantChange(once, other)]))
    assert store.tenants.tenant(store.tenant.id) == twice


def test_a_tenant_that_is_gone_is_not_brought_back(store: Store) -> None:
    gone = a_tenant(id="01GONE")
    for revision in (0, 3):
        before = replace(gone, revision=revision)
        after = replace(gone, limit_reads=5, revision=revision + 1)
        assert is_refused(store, an_act(tenants=[TenantChange(before, after)]))
    assert store.tenants.tenant("01GONE") is None


def test_a_model_version_is_written_once_and_with_all_of_its_act(store: Store) -> None:
    def saving(note: str) -> Act:
        model = ModelVersion(
            tenant_id=store.tenant.id, version=2, document={"note": note}, at=NOW, by="k", note=note
        )
        return an_act(models=[model], keys=[KeyChange(None, KEY, note)])

    store.act(store.tenant, saving("first"))
    assert is_refused(store, saving("second"))
    assert store.tenants.key("second") is None
    [newest, _] = store.tenants.models(store.tenant.id)
    assert (newest.version, newest.note, newest.document) == (2, "first", {"note": "first"})
    assert [each.version for each in store.tenants.models(store.tenant.id, before=2)] == [1]


def test_a_job_is_made_once_and_changed_as_it_was_read(store: Store, tables: Any) -> None:
    _, jobs = tables
    store.act(store.tenant, an_act(job=a_job(params={"a": 1})))
    assert is_refused(store, an_act(job=a_job()))
    running = jobs.save(a_job(state="running", params={"a": 1}))
    assert (running.version, jobs.get("01T", "01JOB")) == (2, running)
    with pytest.raises(WriteConflictError):
        jobs.save(a_job(state="done"))
    assert is_refused(store, an_act(job=a_job(state="cancelled", version=2)))
    cancelled = replace(running, state="cancelled", version=3)
    store.act(store.tenant, an_act(job=cancelled))
    assert jobs.get("01T", "01JOB") == cancelled
    with pytest.raises(WriteConflictError):
        jobs.save(replace(a_job(), id="01NOBODY"))


def test_a_job_is_read_as_it_was_written(tables: Any) -> None:
    administration, jobs = tables
    job = a_job(
        state="failed", progress={"done": 3}, result={"matrix": {"a": {"b": 1}}}, place=("x", "y"),
        error={"code": "busy"}, attempts=2, started_at=at(1), finished_at=at(2), updated_at=at(3),
    )  # fmt: skip
    administration.commit(a_tenant(), an_act(job=job))
    assert jobs.get("01T", "01JOB") == job
    assert list(jobs.all("01T")) == [job]
    assert list(jobs.all("01T", after="01JOB")) == []


def test_an_act_is_known_to_be_done_by_its_event(store: Store, tables: Any) -> None:
    administration, _ = tables
    act = an_act(keys=[KeyChange(None, KEY, "h")])
    assert not administration.is_done(store.tenant, act.event)
    administration.commit(store.tenant, act)
    assert administration.is_done(store.tenant, act.event)
    same = replace(act, keys=[KeyChange(None, KEY, "other")])
    assert is_refused(store, same)
    assert store.tenants.key("other") is None


def test_a_last_use_is_noted_of_a_key_that_there_is(store: Store, tables: Any) -> None:
    administration, _ = tables
    administration.touch("gone", NOW)
    assert store.tenants.key("gone") is None
    store.act(store.tenant, giving(KEY, "h"))
    administration.touch("h", at(5))
    assert store.tenants.key("h") == replace(KEY, last_used_at=at(5))


def test_an_answer_guards_its_act(store: Store, tables: Any) -> None:
    administration, _ = tables
    answer: StoredAnswer = an_answer("k")
    administration.commit(store.tenant, an_act(answer=answer))
    again = an_act(answer=answer, keys=[KeyChange(None, KEY, "h")])
    with pytest.raises(WriteConflictError) as lost:
        administration.commit(store.tenant, again)
    assert lost.value.on == {"answer"}
    assert store.tenants.key("h") is None
    later = replace(answer, at=answer.expires_at, expires_at=answer.expires_at + timedelta(days=1))
    administration.commit(store.tenant, replace(again, answer=later))
    assert store.tenants.key("h") == KEY

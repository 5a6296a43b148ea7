"""Imports by a job: modes, conflicts, what became of each row, and whatever breaks off."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW, a_key
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting
from tests.integration.actions.test_alerts import DOWN, UP, a_connection, a_rule, below
from tests.integration.actions.test_delivering import every_half_hour, summaries
from tests.integration.actions.test_job_runs import hurried, run_once
from tests.integration.faults.kept import check, kept

import jobs
from vitals.domain.access import ALL_SCOPES
from vitals.domain.errors import (
    InvalidCursorError,
    JobNotFoundError,
    ValidationError,
    VitalsError,
)
from vitals.runtime.wiring import wiring
from vitals.storage import jobs as storage
from vitals.storage import keys
from vitals.storage.ports import StorageBusyError
from vitals.usecases import import_customers as usecase
from vitals.usecases.context import Context, Idempotency
from vitals.usecases.import_customers import import_customers, list_import_results
from vitals.usecases.upsert_account import upsert_account

UPSERT = "vitals.usecases.import_customers.upsert_account"
Answer = dict[str, Any]


def context(api: Api, key: str = "", fingerprint: str = "f") -> Context:
    wired = wiring()
    tenant = wired.tenants.tenant(api.tenant.id, consistent=True)
    assert tenant is not None
    asked = Idempotency(key, fingerprint) if key else None
    holder = a_key(tenant_id=tenant.id, scopes=ALL_SCOPES)
    return wired.context(holder, tenant, api.clock.now, lambda: 29, idempotency=asked)


def started(api: Api, *rows: object, **options: object) -> str:
    answer = import_customers(context(api), {"customers": list(rows), **options})
    assert answer["data"]["id"] == answer["job_id"]
    return str(answer["job_id"])


def results(api: Api, job_id: str, limit: int = 500) -> list[Answer]:
    found: list[Answer] = []
    asked: Answer = {"id": job_id, "limit": limit}
    while True:
        page = list_import_results(context(api), asked)
        found += page["data"]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            assert [each["index"] for each in found] == list(range(len(found)))
            return found
        asked["cursor"] = page["next_cursor"]


def imported(api: Api, *rows: object, **options: object) -> list[Answer]:
    job_id = started(api, *rows, **options)
    api.run_jobs()
    assert api.get("get_job", id=job_id).data["state"] == "done"
    return results(api, job_id)


def statuses(found: list[Answer]) -> list[str]:
    return [each["status"] for each in found]


def test_every_row_has_its_result_and_the_job_counts_them(api: Api) -> None:
    api.upsert("Acme", external_id="crm-1", logins=5)
    api.upsert("Bolt", mrr=9)
    job_id = started(
        api,
        {"external_id": "crm-1", "logins": 9},
        {"name": "Bolt", "mrr": 9},
        {"name": "Corp", "external_id": "crm-3", "signals": {"nps": 9}},
        {"name": "Dust", "logins": "many"},
        "no row",
        {"id": "nobody"},
    )
    queued = api.get("get_job", id=job_id).data
    assert (queued["kind"], queued["state"]) == ("import", "queued")
    assert statuses(results(api, job_id)) == ["not_attempted"] * 6
    api.run_jobs()
    job = api.get("get_job", id=job_id).data
    expected = {
        "done": 6, "total": 6, "created": 1, "updated": 1, "unchanged": 1, "skipped": 0,
        "failed": 3,
    }  # fmt: skip
    assert (job["state"], job["progress"]) == ("done", expected)
    assert job["result"] == {**expected, "dry_run": False}
    found = results(api, job_id)
    assert statuses(found) == ["updated", "unchanged", "created", "error", "error", "error"]
    acme, bolt, corp, dust, no_row, nobody = found
    assert (acme["name"], acme["external_id"], acme["error"]) == ("Acme", "crm-1", None)
    assert (corp["id"], bolt["name"]) == (api.customer(name="Corp")["id"], "Bolt")
    assert (dust["name"], dust["id"], dust["error"]["code"]) == ("Dust", None, "validation_error")
    assert dust["error"]["errors"][0]["field"] == "logins"
    assert no_row["error"]["errors"][0]["code"] == "must_be_object"
    assert nobody["error"]["code"] == "customer_not_found"
    assert api.customer(name="Corp")["nps"] == 9
    check(kept(api))


def test_changes_say_that_an_import_made_them(api: Api) -> None:
    imported(api, {"name": "Acme", "logins": 3})
    [change] = api.get("list_changes").data
    assert (change["cause"], change["action"]) == ("import", "import_customers")
    events = api.get("list_audit", done="import_customers").data
    [asked] = [each for each in events if "total" in each["details"]]
    assert asked["details"]["total"] == 1
    assert "Acme" not in str(asked)


@pytest.mark.parametrize(
    ("mode", "of_known", "of_new"),
    [
        ("create_or_update", "updated", "created"),
        ("create_only", "already_exists", "created"),
        ("update_only", "updated", "customer_not_found"),
    ],
)
def test_a_mode_says_what_may_be_done(api: Api, mode: str, of_known: str, of_new: str) -> None:
    """AMB-39; whatever a row says."""
    api.upsert("Acme", logins=5)
    rows = [{"name": name, "logins": 9, "create_only": mode != "create_only"}
            for name in ("Acme", "New")]  # fmt: skip
    found = imported(api, *rows, mode=mode)
    told = [each["error"]["code"] if each["error"] else each["status"] for each in found]
    assert told == [of_known, of_new]
    assert api.customer(name="Acme")["logins"] == (5 if mode == "create_only" else 9)


@pytest.mark.parametrize(
    ("resolution", "status", "mrr"), [("skip", "skipped", 2), ("overwrite", "updated", 7),
                                      ("error", "error", 2)],
)  # fmt: skip
def test_a_conflict_is_resolved_as_was_asked(
    api: Api, resolution: str, status: str, mrr: int
) -> None:
    """AMB-39: only of a customer that is newer than the row."""
    acme = api.upsert("Acme", mrr=1)
    api.upsert("Bolt", mrr=1)
    api.upsert("Acme", mrr=2)
    asked = {"conflict_resolution": resolution}
    old = {"name": "Acme", "mrr": 7, "if_version": 1}
    current = {"name": "Bolt", "mrr": 7, "if_version": 1}
    first, second = imported(api, old, current, **asked)
    assert (first["status"], second["status"]) == (status, "updated")
    assert api.customer(name="Acme")["mrr"] == mrr
    if status == "error":
        assert first["error"]["code"] == "version_conflict"
    else:
        assert (first["id"], first["name"]) == (acme["id"], "Acme")
    [unguarded] = imported(api, {"name": "Acme", "mrr": 8}, **asked)
    assert unguarded["status"] == "updated"


def test_rows_of_one_customer_are_applied_in_their_order(api: Api) -> None:
    made = api.upsert("Acme", external_id="crm-1")
    references = [{"id": made["id"]}, {"external_id": "crm-1"}, {"name": "ACME"}]
    rows = [{**references[n % 3], "mrr": n, "add_tags": [f"t{n}"]} for n in range(1, 31)]
    found = imported(api, *rows)
    assert Counter(statuses(found)) == {"updated": 30}
    shown = api.customer(name="Acme")
    assert (shown["mrr"], shown["version"]) == (30, 31)
    assert shown["tags"] == [f"t{n}" for n in range(1, 31)]


def test_results_are_read_page_by_page_across_slices(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecase, "SLICE", 4)
    job_id = started(api, *({"name": f"Customer {n}"} for n in range(11)))
    api.run_jobs()
    for limit in (1, 3, 4, 10, 11):
        found = results(api, job_id, limit)
        assert [each["name"] for each in found] == [f"Customer {n}" for n in range(11)]
    first = list_import_results(context(api), {"id": job_id, "limit": 2})
    other = started(api, {"name": "Acme"}, {"name": "Bolt"}, {"name": "Corp"})
    with pytest.raises(InvalidCursorError):
        list_import_results(context(api), {"id": other, "cursor": first["next_cursor"]})


@pytest.mark.parametrize("looks", [1, 2, 4, 6, 9, 11])
def test_an_import_that_runs_out_of_time_repeats_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    monkeypatch.setattr(usecase, "SLICE", 3)
    monkeypatch.setattr("vitals.usecases.batch_upsert.WRITERS", 1)
    rows = [{"name": f"Customer {n}", "logins": n} for n in range(8)]
    job_id = started(api, *rows, mode="create_only")
    with monkeypatch.context() as patch:
        hurried(api, patch, looks)
        run_once(api)
    assert api.get("get_job", id=job_id).data["state"] == "queued"
    api.run_jobs()
    assert statuses(results(api, job_id)) == ["created"] * 8
    assert {each["version"] for each in api.get("list_customers").data} == {1}
    assert api.get("get_job", id=job_id).data["progress"]["created"] == 8
    check(kept(api))


def test_an_import_that_crashed_after_a_slice_tells_what_it_did(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote is not written again, though nobody noted that it was."""
    job_id = started(api, {"name": "Acme", "mrr": 1}, {"name": "Bolt"}, mode="create_only")
    with monkeypatch.context() as patch:
        patch.setattr(usecase, "_keep", lambda *_: (_ for _ in ()).throw(StorageBusyError))
        run_once(api)
    api.upsert("Acme", mrr=5)
    api.run_jobs()
    assert statuses(results(api, job_id)) == ["created", "created"]
    shown = api.customer(name="Acme")
    assert (shown["mrr"], shown["version"]) == (5, 2)


def test_a_row_that_the_table_throttles_is_tried_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, busy = upsert_account, [StorageBusyError(), StorageBusyError()]

    def throttled(*args: Any, **named: Any) -> Any:
        if busy:
            raise busy.pop()
        return real(*args, **named)

    monkeypatch.setattr(UPSERT, throttled)
    assert statuses(imported(api, {"name": "Acme"}, {"name": "Bolt"})) == ["created"] * 2


def test_a_stage_that_says_it_already_stays(api: Api) -> None:
    """AMB-32."""
    api.upsert("Acme", lifecycle="won")
    api.upsert("Bolt", lifecycle="trial")
    active = {"lifecycle": "active", "stays_in": ["onboarding", "active", "atrisk", "won"]}
    rows = [{"name": name, **active} for name in ("Acme", "Bolt")]
    assert statuses(imported(api, *rows)) == ["unchanged", "updated"]
    assert [api.customer(name=each)["lifecycle"] for each in ("Acme", "Bolt")] == ["won", "active"]


def test_a_column_that_nobody_reads_is_warned_of(api: Api) -> None:
    first, second = imported(api, {"name": "Acme", "colour": "red"}, {"name": "Bolt"})
    assert [each["field"] for each in first["warnings"]] == ["colour"]
    assert second["warnings"] == []


def test_what_nobody_foresaw_is_the_fault_of_its_row_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = upsert_account

    def broken(context: Context, given: Mapping[str, Any], *rest: Any, **named: Any) -> Any:
        if given["name"] == "Acme":
            raise RuntimeError("what the log has")
        return real(context, given, *rest, **named)

    monkeypatch.setattr(UPSERT, broken)
    first, second = imported(api, {"name": "Acme"}, {"name": "Bolt"})
    assert (first["error"]["code"], second["status"]) == ("internal_error", "created")
    assert "what the log has" not in str(first)


def test_a_cancelled_import_leaves_the_rest_unattempted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecase, "SLICE", 2)
    job_id = started(api, *({"name": f"Customer {n}"} for n in range(6)))
    real = usecase._written  # noqa: SLF001 - the moment in the middle of a slice

    def cancelled(context: Context, job: Any, rows: Any, start: int) -> Any:
        if start == 2:
            assert api.post("cancel_job", {"id": job_id}).data["state"] == "cancelled"
        return real(context, job, rows, start)

    monkeypatch.setattr(usecase, "_written", cancelled)
    api.run_jobs()
    job = api.get("get_job", id=job_id).data
    assert (job["state"], job["progress"]["created"]) == ("cancelled", 4)
    assert statuses(results(api, job_id)) == ["created"] * 4 + ["not_attempted"] * 2
    assert len(api.get("list_customers").data) == 4


def test_whoever_may_write_customers_may_cancel_an_import(api: Api) -> None:
    job_id = started(api, {"name": "Acme"})
    reader = api.another_key("health:read", "health:write")
    assert reader.post("cancel_job", {"id": job_id}).code == "forbidden"
    writer = api.another_key("health:write", "customers:write")
    assert writer.post("cancel_job", {"id": job_id}).data["state"] == "cancelled"


def test_a_dry_run_tells_and_writes_nothing(api: Api) -> None:
    api.upsert("Acme", mrr=1)
    before = api.get("list_customers").data
    found = imported(api, {"name": "Acme", "mrr": 2}, {"name": "Bolt"}, {"mrr": 3}, dry_run=True)
    assert statuses(found) == ["updated", "created", "error"]
    assert api.get("list_customers").data == before


def test_a_repeated_key_starts_one_import(api: Api) -> None:
    given = {"customers": [{"name": "Acme", "add_tags": ["x"]}]}
    first = import_customers(context(api, "k"), given)
    again = context(api, "k")
    assert import_customers(again, given) == first
    assert again.replays == ["k"]
    with pytest.raises(VitalsError) as caught:
        import_customers(context(api, "k", "other"), given)
    assert caught.value.code == "idempotency_key_reused"
    api.run_jobs()
    assert len(api.get("list_jobs").data) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "customers"),
        ({"customers": []}, "customers"),
        ({"customers": [{}] * 1001}, "customers"),
        ({"customers": {"name": "Acme"}}, "customers"),
        ({"customers": [{}], "mode": "replace"}, "mode"),
        ({"customers": [{}], "conflict_resolution": "merge"}, "conflict_resolution"),
    ],
)
def test_what_is_no_import_is_refused(api: Api, given: Answer, field: str) -> None:
    before = api.stored()
    with pytest.raises(ValidationError) as caught:
        import_customers(context(api), given)
    assert [each.field for each in caught.value.errors] == [field]
    assert api.stored() == before


def test_rows_that_do_not_fit_into_one_item_are_kept_in_parts(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "LARGEST_PART", 60)
    rows = [{"name": f"Customer {n}", "mrr": n + 0.25, "note": "Zoë \u2603"} for n in range(9)]
    assert statuses(imported(api, *rows)) == ["created"] * 9
    partition = keys.papers_partition(api.tenant.id)
    parts = [key for key in api.stored() if key[0] == partition]
    assert len(parts) > 4
    shown = api.customer(name="Customer 3")
    assert (shown["mrr"], shown["note"]) == (3.25, "Zoë \u2603")


def test_results_and_rows_that_wait_are_kept_for_seven_days(api: Api) -> None:
    job_id = started(api, {"name": "Acme"})
    late = started(api, {"name": "Bolt"})
    [done, _] = api.queued()
    jobs.handler({"Records": [done]}, api.context)
    found = [item["expires_at"] for key, item in api.stored().items() if key[0].endswith("#IN")]
    # Of the one that is done, its results alone.
    assert found == [int((NOW + timedelta(days=7)).timestamp())] * 2
    api.later(days=7)
    for each in (job_id, late):
        with pytest.raises(JobNotFoundError):
            list_import_results(context(api), {"id": each})


def test_only_an_import_of_ones_own_has_results(api: Api) -> None:
    job_id = api.post("rescore_all", {}).body["job_id"]
    mine = started(api, {"name": "Acme"})
    for whose, each in ((api, job_id), (api, "nobody"), (api.another_tenant(), mine)):
        with pytest.raises(JobNotFoundError):
            list_import_results(context(whose), {"id": each})


def test_an_erased_tenant_leaves_no_rows_behind(api: Api) -> None:
    other = api.another_tenant()
    job_id = started(other, {"name": "Acme"})
    other.run_jobs()
    assert statuses(results(other, job_id)) == ["created"]
    started(other, {"name": "Bolt"})
    given = {"tenant_id": other.tenant.id, "confirm": other.tenant.name}
    assert api.job("delete_tenant", given)["state"] == "done"
    left = json.dumps([key for key in api.stored() if other.tenant.id in key[0]])
    assert "#IN" not in left


def test_an_import_gives_one_summary_and_no_flood(
    api: Api, reacting: Reacting, outside: Outside
) -> None:
    a_rule(api, a_connection(api), below())
    names = [f"Customer {n}" for n in range(6)]
    for name in names:
        api.upsert(name, **UP)
    reacting.settle()
    imported(api, *({"name": name, **DOWN} for name in names))
    every_half_hour(api, reacting, api.clock.now + timedelta(hours=1))
    [(_, reason, told)] = summaries(outside)
    assert (reason, sorted(told)) == ("import", sorted(names))
    assert [each for each in outside.sent if each.payload["type"] == "alert.fired"] == []

"""Imports and rescores over the resource API: who may follow them, and what is kept of them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.rest.client import Rest

from vitals.domain.access import ALL_SCOPES
from vitals.storage import keys

ROWS = {"customers": [{"name": "Jane Private", "note": "a private note", "external_id": "e1"}]}


def pages(rest: Rest) -> list[str]:
    """Return what is kept beside jobs."""
    place = keys.papers_partition(rest.api.tenant.id)
    return [sort.split("#")[1] for where, sort in rest.api.stored() if where == place]


def test_of_an_import_that_is_done_its_results_alone_are_kept(rest: Rest) -> None:
    job = rest.post("/v1/customers/bulk-import", ROWS).body["job_id"]
    assert pages(rest) == ["rows0000"]
    rest.api.run_jobs()
    assert pages(rest) == ["results0000"]
    assert len(rest.get(f"/v1/jobs/{job}/results").body["data"]) == 1


def test_of_an_import_that_is_cancelled_no_rows_are_kept(rest: Rest) -> None:
    job = rest.post("/v1/customers/bulk-import", ROWS).body["job_id"]
    assert rest.post(f"/v1/jobs/{job}/cancel").body["state"] == "cancelled"
    assert pages(rest) == []
    [result] = rest.get(f"/v1/jobs/{job}/results").body["data"]
    assert result["status"] == "not_attempted"


def test_of_imports_under_one_key_the_rows_of_one_are_kept(rest: Rest) -> None:
    with ThreadPoolExecutor(5) as pool:
        replies = list(
            pool.map(
                lambda _: rest.post("/v1/customers/bulk-import", ROWS, idempotency_key="i"),
                range(5),
            )
        )
    assert {reply.status for reply in replies} == {202}
    assert len({reply.body["job_id"] for reply in replies}) == 1
    assert pages(rest) == ["rows0000"]
    rest.api.run_jobs()
    assert rest.get(f"/v1/jobs/{replies[0].body['job_id']}").body["progress"]["created"] == 1


def test_who_may_import_may_follow_the_import(rest: Rest) -> None:
    holder = rest.holding("customers:read", "customers:write")
    done = holder.post("/v1/customers/bulk-import", ROWS).body["job_id"]
    rest.api.run_jobs()
    assert holder.get(f"/v1/jobs/{done}").body["state"] == "done"
    assert len(holder.get(f"/v1/jobs/{done}/results").body["data"]) == 1
    waiting = holder.post("/v1/customers/bulk-import", ROWS).body["job_id"]
    assert holder.post(f"/v1/jobs/{waiting}/cancel").body["state"] == "cancelled"


def test_each_kind_of_job_takes_its_own_scopes(rest: Rest) -> None:
    started = rest.post("/v1/customers/bulk-import", ROWS).body["job_id"]
    rescore = rest.post("/v1/jobs/rescore").body["job_id"]
    for job, verb, scope in (
        (started, "GET", "customers:read"),
        (rescore, "GET", "health:read"),
        (started, "POST", "customers:write"),
        (rescore, "POST", "health:write"),
    ):
        path = f"/v1/jobs/{job}" + ("/cancel" if verb == "POST" else "")
        lacking = rest.holding(*(each for each in ALL_SCOPES if each != scope))
        refused = lacking.send(verb, path)
        assert (refused.status, refused.body["scope"]) == (403, scope), (verb, scope)
        assert rest.holding(scope).send(verb, path).status == 200, (verb, scope)
    stranger = rest.holding("events:write")
    for path in ("/v1/jobs", f"/v1/jobs/{started}", "/v1/jobs/nothing"):
        assert stranger.get(path).status == 403


def test_a_list_of_jobs_has_those_that_the_key_may_read(rest: Rest) -> None:
    rest.post("/v1/customers/bulk-import", ROWS)
    rest.post("/v1/jobs/rescore")

    def kinds(*scopes: str) -> list[str]:
        return [each["kind"] for each in rest.holding(*scopes).get("/v1/jobs").body["data"]]

    assert kinds("customers:read", "health:read") == ["rescore", "import"]
    assert kinds("customers:read") == ["import"]
    assert kinds("health:read") == ["rescore"]
    refused = rest.holding("customers:read").get("/v1/jobs", kind="import,rescore")
    assert (refused.status, refused.body["scope"]) == (403, "health:read")
    assert rest.holding("customers:read").get("/v1/jobs", kind="import").status == 200


def test_a_row_whose_names_contradict_each_other_is_its_own_error(rest: Rest) -> None:
    rows = [
        {"name": "One", "owner_id": "a@vitals.example", "owner_email": "b@vitals.example"},
        {"name": "Two", "status": "churned", "lifecycle": "atrisk"},
        {"name": "Three", "status": "active", "lifecycle": "atrisk"},
        {"name": "Four", "status": ["odd"], "lifecycle": {}},
    ]
    job = rest.post("/v1/customers/bulk-import", {"customers": rows}).body["job_id"]
    rest.api.run_jobs()
    one, two, three, four = rest.get(f"/v1/jobs/{job}/results").body["data"]
    for result, field in ((one, "owner_email"), (two, "status")):
        [error] = result["error"]["errors"]
        assert (error["field"], error["code"]) == (field, "conflicting_fields")
    assert (three["status"], four["status"]) == ("created", "error")
    shown = rest.get(f"/v1/customers/{three['id']}").body
    assert (shown["status"], shown["lifecycle"]) == ("active", "atrisk")


def results_of(rest: Rest, *rows: Mapping[str, object]) -> list[Any]:
    job = rest.post("/v1/customers/bulk-import", {"customers": list(rows)}).body["job_id"]
    rest.api.run_jobs()
    found: list[Any] = rest.get(f"/v1/jobs/{job}/results").body["data"]
    return found


def test_a_row_takes_what_a_new_customer_takes_and_nothing_more(rest: Rest) -> None:
    rows: list[dict[str, object]] = [
        {"name": "Frozen", "score": 91, "override_sticky": True},
        {"name": "Texts", "arr": "77"},
        {"name": 5},
        {"name": "Restored", "on_deleted": "restore"},
        {"name": "Signal", "signals": {"login": 3}},
        {"name": "Good", "signals": {"logins": 3}, "renewal_date": "2020-01-01"},
    ]
    *bad, good = results_of(rest, *rows)
    assert [each["status"] for each in bad] == ["error"] * 5
    fields = [[error["field"] for error in each["error"]["errors"]] for each in bad]
    assert fields == [
        ["score", "override_sticky"], ["arr"], ["name"], ["on_deleted"], ["signals.login"],
    ]  # fmt: skip
    assert good["status"] == "created"
    assert rest.get(f"/v1/customers/{good['id']}").body["renewal_overdue"] is True


def test_who_owns_a_signal_may_import_it(rest: Rest) -> None:
    sent = {"signals": {"tickets": {"owner": "CRM sync"}}}
    assert rest.patch("/v1/health/model", sent).status == 200
    owner = Rest(rest.api.another_key("customers:read", "customers:write", name="CRM sync"))
    row = {"name": "Acme", "signals": {"tickets": 2}}
    [mine] = results_of(owner, row)
    [theirs] = results_of(rest.holding("customers:read", "customers:write"), {**row, "name": "B"})
    assert (mine["status"], theirs["status"]) == ("created", "error")
    told = rest.get(f"/v1/signals/{mine['id']}").body["signals"]
    assert [each["by"] for each in told if each["name"] == "tickets"] == ["CRM sync"]


def test_a_refused_import_is_none_of_the_hours(rest: Rest) -> None:
    few = Rest(rest.api.another_tenant(limit_imports=1))
    reader = few.holding("customers:read")
    for _ in range(3):
        assert (
            reader.post("/v1/customers/bulk-import", {"customers": [{"name": "A"}]}).status == 403
        )
        assert few.post("/v1/customers/bulk-import", {"customers": []}).status == 400
    assert few.post("/v1/customers/bulk-import", {"customers": [{"name": "A"}]}).status == 202
    spent = few.post("/v1/customers/bulk-import", {"customers": [{"name": "A"}]})
    assert (spent.status, spent.headers["x-ratelimit-limit"]) == (429, "1")

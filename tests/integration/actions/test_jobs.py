"""Jobs: a rescore reaches everybody, a preview predicts it, and both survive what happens."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.actions.api import Api

from vitals.runtime.wiring import wiring
from vitals.usecases import rescore

HEAVY = {"weights": {"logins": 45, "adoption": 5}}


@pytest.fixture
def portfolio(api: Api) -> Api:
    """A tenant with 30 customers all over the bands."""
    records = [
        {"name": f"Customer {n}", "logins": n, "adoption": 100 - 3 * n, "nps": n % 11}
        for n in range(30)
    ]
    assert api.post("batch_upsert", {"customers": records}).status == 200
    return api


def everybody(api: Api) -> list[Any]:
    found: list[Any] = api.get("list_customers", limit=500, sort="name", order="asc").data
    return found


def test_a_rescore_reaches_everybody_and_names_its_cause(portfolio: Api) -> None:
    """IQ-089."""
    before = everybody(portfolio)
    portfolio.later(minutes=1)
    job = portfolio.job("update_config", HEAVY)
    assert (job["kind"], job["state"]) == ("rescore", "done")
    assert job["progress"]["done"] == job["progress"]["total"] == 30
    after = everybody(portfolio)
    assert {each["model_version"] for each in after} == {2}
    fresh = portfolio.another_tenant()
    fresh.post("update_config", {**HEAVY, "rescore": False})
    for old, new in zip(before, after, strict=True):
        signals = {name: old[name] for name in ("logins", "adoption", "nps")}
        assert new["score"] == fresh.upsert(old["name"], **signals)["score"]
    moved = {
        old["id"] for old, new in zip(before, after, strict=True) if old["score"] != new["score"]
    }
    newest = portfolio.get("list_changes", limit=500, updated_since="2026-03-02T12:00:30Z").data
    assert {each["customer_id"] for each in newest} == moved
    assert {(each["cause"], each["action"], each["model_version"]) for each in newest} == {
        ("model", "update_config", 2)
    }


def test_a_rescore_that_nobody_can_see_wakes_nobody(portfolio: Api) -> None:
    """AMB-05."""
    before = everybody(portfolio)
    portfolio.later(minutes=1)
    job = portfolio.job("update_config", {"quiet_after": 10})
    assert job["progress"]["written"] == 30
    after = everybody(portfolio)
    assert [each["updated_at"] for each in after] == [each["updated_at"] for each in before]
    assert portfolio.get("list_changes", updated_since="2026-03-02T12:00:30Z").data == []
    [newest, _] = portfolio.get("get_history", name="Customer 3").data
    assert (newest["version"], newest["cause"], newest["model_version"]) == (2, "model", 2)


def test_a_preview_predicts_the_moves_that_then_happen_and_stores_nothing(portfolio: Api) -> None:
    """PLUS-05."""
    before = {each["id"]: each["status"] for each in everybody(portfolio)}
    stored = portfolio.stored()
    preview = portfolio.job("update_config", {**HEAVY, "dry_run": True})
    assert preview["kind"] == "preview"
    new = portfolio.stored().keys() - stored.keys()
    assert {key[0].rpartition("#")[2] for key in new} == {"JOBS", "AUDIT"}
    assert portfolio.get("get_config").data["version"] == 1
    portfolio.job("update_config", HEAVY)
    after = {each["id"]: each["status"] for each in everybody(portfolio)}
    moves = Counter((before[each], after[each]) for each in before)
    predicted = preview["result"]["matrix"]
    assert {
        (old, new): count for old, row in predicted.items() for new, count in row.items() if count
    } == dict(moves)
    changed = {each for each in before if before[each] != after[each]}
    movers = preview["result"]["movers"]
    assert {each["id"] for each in movers if len(set(each["status"])) == 2} == changed
    assert preview["result"]["changed_band"] == len(changed)
    assert all(each["contributions"] for each in movers)


def test_a_preview_refuses_what_could_not_be_saved(portfolio: Api) -> None:
    reply = portfolio.post("update_config", {"weights": {"logins": 99}, "dry_run": True})
    assert reply.code == "weights_total"
    assert portfolio.get("list_jobs").data == []


def test_an_override_outlasts_a_rescore(api: Api) -> None:
    """PLUS-11."""
    made = api.upsert("Acme", logins=3, score=90)
    api.job("update_config", HEAVY)
    found = api.customer(id=made["id"])
    assert (found["score"], found["computed_score"], found["model_version"]) == (90, 10, 2)
    assert found["override"]["value"] == 90


def test_what_is_in_the_trash_is_scored_when_it_is_restored(api: Api) -> None:
    made = api.upsert("Acme", logins=15, adoption=100)
    api.post("delete_customer", {"id": made["id"]})
    api.job("update_config", HEAVY)
    gone = api.customer(id=made["id"], include_deleted=True)
    assert (gone["model_version"], gone["model_current"]) == (1, False)
    assert api.post("restore_customer", {"id": made["id"]}).data["model_version"] == 2


def test_a_write_during_a_rescore_is_rescored_not_overwritten(
    portfolio: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AMB-60."""
    real = rescore._score  # noqa: SLF001 - the moment between its read and its write

    def interrupted(context: Any, before: Any, customer_id: str, reason: Any) -> Any:
        if before.name == "Customer 7":
            portfolio.upsert("Customer 7", mrr=1234)
        return real(context, before, customer_id, reason)

    monkeypatch.setattr(rescore, "_score", interrupted)
    portfolio.job("update_config", HEAVY)
    found = portfolio.customer(name="Customer 7")
    assert (found["mrr"], found["model_version"], found["version"]) == (1234, 2, 2)


def test_a_customer_written_with_an_older_model_meanwhile_is_found_again(
    portfolio: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another instance remembers the tenant for half a minute."""
    portfolio.get("whoami")
    stale = dict(wiring()._access)  # noqa: SLF001 - what another instance remembers
    reply = portfolio.post("update_config", HEAVY)
    sleep = portfolio.clock.sleep
    slept: list[Any] = []

    def sleeping(seconds: float) -> None:
        if not slept:
            wiring()._access |= stale  # noqa: SLF001 - as above
            slept.append(portfolio.upsert("Latecomer", logins=3))
        sleep(seconds)

    monkeypatch.setattr("vitals.runtime.clock.sleep", sleeping)
    portfolio.run_jobs()
    assert slept[0]["model_version"] == 1
    wiring().forget(portfolio.tenant.id)
    assert portfolio.customer(name="Latecomer")["model_version"] == 2
    assert portfolio.get("get_job", id=reply.body["job_id"]).data["state"] == "done"


def test_a_model_that_is_changed_during_a_rescore_reaches_everybody(portfolio: Api) -> None:
    portfolio.post("update_config", HEAVY)
    portfolio.post("update_config", {"bands": {"healthy": 70}})
    portfolio.run_jobs()
    assert {each["model_version"] for each in everybody(portfolio)} == {3}
    assert {each["state"] for each in portfolio.get("list_jobs").data} == {"done"}


def test_everybody_is_scored_anew_on_request_and_only_what_moved_is_written(api: Api) -> None:
    """IQ-089, 090."""
    api.upsert("Idle", logins=30, days=0)
    api.upsert("Steady", logins=30)
    api.later(days=60)
    job = api.job("rescore_all")
    assert (job["progress"]["done"], job["progress"]["written"]) == (2, 1)
    [newest, _] = api.get("get_history", name="Idle").data
    assert (newest["cause"], newest["action"]) == ("rescore", "rescore_all")


def test_the_customers_that_were_named_are_scored_anew(api: Api) -> None:
    one, two = (api.upsert(name, logins=30, days=0) for name in ("One", "Two"))
    api.later(days=60)
    job = api.job("rescore_all", {"ids": [one["id"], "nobody"]})
    assert (job["state"], job["progress"]) == ("done", {"done": 2, "written": 1})
    assert [api.customer(id=each["id"])["version"] for each in (one, two)] == [2, 1]
    assert api.post("rescore_all", {"ids": []}).code == "validation_error"


def test_a_cancelled_job_stops(portfolio: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescore, "PAGE", 10)
    monkeypatch.setattr("vitals.usecases.runner.KEPT_EVERY", timedelta(0))
    reply = portfolio.post("update_config", HEAVY)
    job_id, real = reply.body["job_id"], rescore._scored  # noqa: SLF001 - while it is at work

    def cancelled(*given: Any, **more: Any) -> Any:
        portfolio.post("cancel_job", {"id": job_id})
        return real(*given, **more)

    monkeypatch.setattr(rescore, "_scored", cancelled)
    portfolio.run_jobs()
    assert portfolio.get("get_job", id=job_id).data["state"] == "cancelled"
    assert Counter(each["model_version"] for each in everybody(portfolio)) == {1: 20, 2: 10}


def test_a_job_that_is_over_cannot_be_cancelled(portfolio: Api) -> None:
    job = portfolio.job("rescore_all")
    reply = portfolio.post("cancel_job", {"id": job["id"]})
    assert (reply.status, reply.code) == (409, "job_over")
    assert portfolio.post("cancel_job", {"id": "nobody"}).code == "job_not_found"


def test_jobs_are_a_tenants_own(portfolio: Api) -> None:
    job = portfolio.job("rescore_all")
    other = portfolio.another_tenant()
    assert other.get("get_job", id=job["id"]).code == "job_not_found"
    assert other.get("list_jobs").data == []


def test_jobs_are_listed_newest_first_by_pages(api: Api) -> None:
    ids = []
    for _ in range(5):
        api.later(seconds=1)
        ids.append(api.post("rescore_all", {"ids": ["x"]}).body["job_id"])
    first = api.get("list_jobs", limit=3)
    rest = api.get("list_jobs", limit=3, cursor=first.body["next_cursor"])
    assert [each["id"] for each in first.data + rest.data] == ids[::-1]
    assert api.get("list_jobs", state="done").data == []


def test_a_job_is_started_once_under_a_key(api: Api) -> None:
    first = api.post("rescore_all", idempotency_key="k")
    assert api.post("rescore_all", idempotency_key="k").body == first.body
    assert len(api.get("list_jobs").data) == 1


def test_the_distribution_counts_everybody_as_of_now(portfolio: Api) -> None:
    """IQ-091."""
    portfolio.upsert("Customer 3", mrr=12.5)
    found = portfolio.get("get_distribution").data
    shown = everybody(portfolio)
    counted = Counter(each["status"] for each in shown)
    assert {band: row["customers"] for band, row in found["bands"].items() if row["customers"]} == (
        dict(counted)
    )
    assert found["customers"] == 30
    assert sum(row["mrr"] for row in found["bands"].values()) == 12.5
    scores = [each["score"] for each in shown]
    assert found["average_score"] == pytest.approx(sum(scores) / 30, abs=1e-4)


def test_everybody_is_scored_by_one_waiting_job_however_often_it_is_asked_for(api: Api) -> None:
    api.upsert("Acme")
    first = api.post("rescore_all").body["job_id"]
    assert api.post("rescore_all").body["job_id"] == first
    named = api.post("rescore_all", {"ids": ["x"]}).body["job_id"]
    assert named != first
    api.run_jobs()
    assert api.post("rescore_all").body["job_id"] not in {first, named}


def test_a_preview_knows_of_the_stages_that_a_rescore_moves(api: Api) -> None:
    """A stage may have another profile, and with it another score."""
    profile = {"name": "rescue", "weights": {"adoption": 100}}
    assert api.post("put_profile", {**profile, "rescore": False}).status == 200
    rules = [{"profile": "rescue", "lifecycles": ["atrisk"]}]
    assert api.post("update_config", {"profile_rules": rules, "rescore": False}).status == 200
    api.upsert("Acme", logins=15, adoption=90, tickets=3)
    change = {"weights": {"logins": 50, "adoption": 0, "tickets": 20}}
    preview = api.job("update_config", {**change, "dry_run": True})["result"]
    api.job("update_config", change)
    [row] = api.get("list_customers").data
    [mover] = preview["movers"]
    assert (mover["score"][1], mover["status"][1]) == (row["score"], row["status"])
    assert row["effective_profile"] == "rescue"


def test_a_job_is_cancelled_by_who_could_have_started_it(api: Api) -> None:
    tenant = api.post("create_tenant", {"name": "Northwind"}).data["id"]
    asked = {"tenant_id": tenant, "confirm": "Northwind"}
    erasure = api.post("delete_tenant", asked).body["job_id"]
    change = api.post("update_config", {"quiet_after": 3}).body["job_id"]
    own = api.post("rescore_all").body["job_id"]
    scorer = api.another_key("health:write")
    for job_id, scope in ((erasure, "platform:*"), (change, "admin:*")):
        reply = scorer.post("cancel_job", {"id": job_id})
        assert (reply.status, reply.body["scope"]) == (403, scope)
    assert scorer.post("cancel_job", {"id": own, "dry_run": True}).data["state"] == "cancelled"
    assert api.get("get_job", id=own).data["state"] == "queued"
    assert scorer.post("cancel_job", {"id": own}).status == 200

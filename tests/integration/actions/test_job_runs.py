"""A run of a job may break off anywhere: what it did counts, and the next goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import pytest
from local.dynamodb import ROOT
from tests.integration.actions.api import Api
from tests.integration.actions.test_jobs import HEAVY, everybody

import jobs
from vitals.runtime.wiring import wiring
from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.usecases import preview, rescore


@pytest.fixture
def portfolio(api: Api) -> Api:
    """A tenant with 30 customers all over the bands."""
    records = [{"name": f"Customer {n}", "logins": n, "adoption": 100 - 3 * n} for n in range(30)]
    assert api.post("batch_upsert", {"customers": records}).status == 200
    return api


def hurried(api: Api, patch: pytest.MonkeyPatch, looks: int) -> None:
    """Let the next run have time for so many looks at the clock, then none."""
    left: Iterator[float] = chain(repeat(29.0, looks), repeat(1.0))
    patch.setattr(type(api.context), "get_remaining_time_in_millis", lambda _: next(left) * 1000)


def run_once(api: Api) -> None:
    [message] = api.queued()
    jobs.handler({"Records": [message]}, api.context)


@pytest.mark.parametrize("looks", [1, 2, 11, 15, 24, 33, 40])
def test_a_job_that_runs_out_of_time_goes_on_from_where_it_was(
    portfolio: Api, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    monkeypatch.setattr(rescore, "PAGE", 10)
    job_id = portfolio.post("update_config", HEAVY).body["job_id"]
    with monkeypatch.context() as patch:
        hurried(portfolio, patch, looks)
        run_once(portfolio)
    job = portfolio.get("get_job", id=job_id).data
    assert job["state"] == "queued"
    portfolio.run_jobs()
    job = portfolio.get("get_job", id=job_id).data
    assert (job["state"], job["progress"]["done"], job["progress"]["total"]) == ("done", 30, 30)
    assert {each["version"] for each in everybody(portfolio)} == {2}


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_a_preview_that_is_cut_short_gives_the_same_in_the_end(
    portfolio: Api, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    monkeypatch.setattr(preview, "STRIDE", 7)
    asked = {**HEAVY, "dry_run": True}
    whole = portfolio.job("update_config", asked)["result"]
    job_id = portfolio.post("update_config", asked).body["job_id"]
    for _ in range(9):
        with monkeypatch.context() as patch:
            hurried(portfolio, patch, looks)
            if portfolio.queued():
                run_once(portfolio)
    portfolio.run_jobs()
    again = portfolio.get("get_job", id=job_id).data
    assert (again["state"], again["progress"]["done"]) == ("done", 30)
    assert again["result"] == whole


def test_a_save_whose_answer_is_lost_is_no_lost_job(
    portfolio: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client sends it again, and meets the condition that it fulfilled itself."""
    stored, lost = wiring().jobs, []
    real = stored.save

    def save(job: Any) -> Any:
        after = real(job)
        lost.append(after)
        raise WriteConflictError(frozenset({"version"}))

    monkeypatch.setattr(stored, "save", save)
    job = portfolio.job("update_config", HEAVY)
    assert (job["state"], len(lost) > 3) == ("done", True)


def test_one_customer_that_cannot_be_stored_does_not_stop_the_others(
    portfolio: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = portfolio.upsert("Full", logins=9, custom_fields={"x": "y"})
    room = 64 * 1024 - len(str(stored(portfolio, full["id"])))
    portfolio.upsert("Full", custom_fields={"x": "y" * (room - 20)})
    assert portfolio.post("upsert_account", {"name": "Full", "note": "z" * 3000}).status == 413
    job = portfolio.job("update_config", HEAVY)
    assert (job["state"], "failed" in job["progress"]) == ("done", False)
    assert portfolio.customer(id=full["id"])["model_version"] == 2
    monkeypatch.setattr("vitals.storage.customers.ROOM", -2000)
    job = portfolio.job("update_config", {"bands": {"healthy": 70}})
    assert (job["state"], job["progress"]["failed"] > 0) == ("done", True)
    assert portfolio.customer(name="Customer 3")["model_version"] == 3


def stored(api: Api, customer_id: str) -> str:
    [item] = [each for each in api.table.item.scan() if f"C#{customer_id}" == each.SK]
    return str(item.row) + str(item.doc)


def test_a_clock_an_hour_behind_holds_no_job_for_an_hour(portfolio: Api) -> None:
    portfolio.post("update_config", HEAVY)
    portfolio.later(hours=-1)
    begun = portfolio.clock.now
    portfolio.run_jobs()
    assert (portfolio.clock.now - begun).total_seconds() < 200
    assert {each["state"] for each in portfolio.get("list_jobs").data} == {"done"}


def test_a_job_that_is_told_twice_is_done_once(portfolio: Api) -> None:
    portfolio.post("update_config", HEAVY)
    [message] = portfolio.queued()
    for _ in range(2):
        jobs.handler({"Records": [message]}, portfolio.context)
    assert {each["version"] for each in everybody(portfolio)} == {2}


def test_a_job_that_fails_is_tried_again_and_then_says_why(
    portfolio: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StorageBusyError

    with monkeypatch.context() as patch:
        patch.setattr(wiring().customers, "get_many", broken)
        job = portfolio.job("update_config", HEAVY)
    assert (job["state"], job["error"]["code"]) == ("failed", "busy")
    assert job["error"]["trace_id"]
    portfolio.job("rescore_all")
    assert {each["model_version"] for each in everybody(portfolio)} == {2}


def test_an_accident_in_a_job_shows_its_trace_id_and_nothing_else(
    portfolio: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(wiring().customers, "get_many", broken)
    job = portfolio.job("update_config", HEAVY)
    assert (job["state"], job["error"]["code"]) == ("failed", "internal_error")
    assert "secret" not in json.dumps(job)


def test_a_message_about_a_job_that_is_gone_is_answered(api: Api) -> None:
    keys = {"PK": {"S": "T#nobody#JOBS"}, "SK": {"S": "01"}}
    message = {"messageId": "m", "body": json.dumps({"dynamodb": {"Keys": keys}})}
    assert jobs.handler({"Records": [message]}, api.context) == {"batchItemFailures": []}
    event = json.loads((ROOT / "events/jobs/queued.json").read_text(encoding="utf-8"))
    assert jobs.handler(event, api.context) == {"batchItemFailures": []}
    broken = {"messageId": "m", "body": "{"}
    answer = jobs.handler({"Records": [broken]}, api.context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}

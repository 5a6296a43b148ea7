"""The job of notify_existing: whoever matches a new rule is told of once, in one list (PLUS-10)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.builders import an_event
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting
from tests.integration.actions.test_alerts import a_connection, below

import jobs
from vitals.runtime.wiring import wiring
from vitals.storage.ports import Act, Entry, EntryChange
from vitals.storage.reaction_ports import MANAGER


def a_manager(api: Api, name: str, *connections: str) -> None:
    document = {"name": name, "connections": list(connections)}
    entry = Entry(MANAGER, name.casefold(), 1, document)
    act = Act(event=an_event(name), entries=[EntryChange(None, entry)])
    wiring().administration.commit(api.tenant, act)


@pytest.fixture
def portfolio(api: Api, reacting: Reacting) -> Api:
    """Three customers below 50 of two managers, one above, one in the trash."""
    for name, logins, manager, mrr in (
        ("Acme", 3, "Ana", 100),
        ("Bolt", 4, "Bob", 300),
        ("Crux", 5, "ana", 200),
        ("Dyne", 30, "Ana", 900),
        ("Erie", 1, "Ana", 800),
    ):
        api.upsert(name, logins=logins, manager=manager, mrr=mrr)
    api.post("delete_customer", {"name": "Erie"})
    reacting.settle()
    return api


def put(api: Api, **fields: Any) -> str:
    rule = {"name": "Below 50", "events": [below()], "notify_existing": True, **fields}
    reply = api.post("put_alert_rule", rule)
    assert reply.status == 200, reply.body
    return str(reply.body["job_id"])


def lists(outside: Outside) -> dict[str, list[str]]:
    """Return the customers of each list, by who was told; nobody is told twice."""
    found: dict[str, list[str]] = {}
    for sent in outside.sent:
        assert (sent.payload["type"], sent.payload["data"]["reason"]) == (
            "alert.digest", "existing"
        )  # fmt: skip
        assert sent.connection.id not in found
        found[sent.connection.id] = [
            alert["customer"]["name"] for alert in sent.payload["data"]["alerts"]
        ]
    return found


def test_everybody_who_matches_is_told_of_in_one_list(
    portfolio: Api, reacting: Reacting, outside: Outside
) -> None:
    job_id = put(portfolio, connections=[a_connection(portfolio)])
    before = {key for key in portfolio.stored() if "#AL#" in key[0]}
    portfolio.run_jobs()
    reacting.settle()
    assert lists(outside) == {"hook": ["Bolt", "Crux", "Acme"]}
    [payload] = outside.told("alert.digest")
    data = payload["data"]
    assert (data["count"], data["mrr_exposed"], data["rule"]["name"]) == (3, 600, "Below 50")
    assert data["alerts"][0]["message"] == "Score is 13, below 50"
    result = portfolio.get("get_job", id=job_id).data["result"]
    assert result == {"closed": 0, "customers": 3, "matches": 3, "told": 1}
    assert {key for key in portfolio.stored() if "#AL#" in key[0]} == before


def test_a_manager_is_told_of_its_own_customers_alone(
    portfolio: Api, reacting: Reacting, outside: Outside
) -> None:
    for name in ("all", "ana", "bob", "team"):
        a_connection(portfolio, name)
    a_manager(portfolio, "Ana", "ana", "team", "all")
    a_manager(portfolio, "Bob", "bob", "team")
    job_id = put(portfolio, connections=["all"], to_manager=True)
    portfolio.run_jobs()
    assert portfolio.get("get_job", id=job_id).data["result"]["told"] == 4
    reacting.settle()
    everybody = ["Bolt", "Crux", "Acme"]
    assert lists(outside) == {
        "all": everybody,
        "ana": ["Crux", "Acme"],
        "bob": ["Bolt"],
        "team": everybody,
    }


def test_a_job_that_is_run_twice_tells_nobody_twice(
    portfolio: Api, reacting: Reacting, outside: Outside
) -> None:
    put(portfolio, connections=[a_connection(portfolio)])
    [message] = portfolio.queued()
    wired = wiring().jobs
    [job] = [each for each in wired.all(portfolio.tenant.id) if each.kind == "match_rule"]
    for _ in range(2):
        jobs.handler({"Records": [message]}, portfolio.context)
        reacting.settle()
        portfolio.later(minutes=1)
        again = wired.get(portfolio.tenant.id, job.id)
        assert again is not None
        wired.save(type(job)(**{**fields_of(again), "state": "queued"}))
    assert lists(outside) == {"hook": ["Bolt", "Crux", "Acme"]}


def fields_of(job: Any) -> dict[str, Any]:
    return {name: getattr(job, name) for name in job.__dataclass_fields__}


def test_a_stage_that_a_customer_has_already_is_told_as_it_is(
    portfolio: Api, reacting: Reacting, outside: Outside
) -> None:
    hook = a_connection(portfolio)
    portfolio.upsert("Dyne", lifecycle="churned")
    reacting.settle()
    put(portfolio, events=["lifecycle_change"], managers=["Ana"], connections=[hook])
    portfolio.run_jobs()
    reacting.settle()
    [payload] = outside.told("alert.digest")
    messages = {each["customer"]["name"]: each["message"] for each in payload["data"]["alerts"]}
    assert messages["Dyne"] == "Lifecycle is churned"
    assert "Bolt" not in messages


@pytest.mark.parametrize("how", ["nobody matches", "switched off", "deleted"])
def test_without_anything_to_tell_nobody_is_told(
    portfolio: Api, reacting: Reacting, outside: Outside, how: str
) -> None:
    hook = a_connection(portfolio)
    limit = 1 if how == "nobody matches" else 50
    job_id = put(portfolio, connections=[hook], events=[below(limit)])
    [rule] = [each for each in portfolio.get("list_alert_rules").data if not each["built_in"]]
    if how == "switched off":
        portfolio.post("toggle_alert_rule", {"id": rule["id"], "enabled": False})
    elif how == "deleted":
        portfolio.post("delete_alert_rule", {"id": rule["id"]})
    portfolio.run_jobs()
    reacting.settle()
    assert portfolio.get("get_job", id=job_id).data["result"]["told"] == 0
    assert outside.sent == []

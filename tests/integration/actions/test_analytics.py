"""Analytics as actions: each as of now, by one reading of the roster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.test_reports import turn

from vitals.domain.instants import iso
from vitals.storage.customers import CustomerTable

ACTIONS = (
    "get_portfolio",
    "get_trend",
    "get_segments",
    "get_csm_performance",
    "get_renewals",
    "get_cohorts",
)


@pytest.fixture
def book(api: Api) -> Api:
    """The API of a tenant with three customers, of whom one fell since the day turned."""
    api.upsert("Acme", logins=20, nps=9, mrr=1000, tier="mid", manager="Ana", since="2026-01-10")
    api.upsert("Bolt", logins=1, nps=1, mrr=500, tier="smb", renewal_date="2026-04-01")
    api.upsert("Gone", mrr=200, lifecycle="churned", since="2026-01-20")
    turn(api, days=1)
    turn(api, days=1)
    api.upsert("Acme", nps=1)
    return api


@pytest.mark.parametrize("action", ACTIONS)
def test_each_names_what_it_is_true_of_and_reads_the_roster_once(
    book: Api, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = 0
    read = CustomerTable.roster

    def counted(*given: Any, **named: Any) -> Iterator[Any]:
        nonlocal readings
        readings += 1
        return read(*given, **named)

    monkeypatch.setattr(CustomerTable, "roster", counted)
    found = book.get(action, manager="ana").data
    assert found["as_of"] == iso(book.clock.now)
    assert (found["time_zone"], found["model_version"]) == ("UTC", 1)
    assert found["filters"] == {"manager": ["Ana"]}, "as accounts spell it"
    assert readings == 1


def test_a_portfolio_is_compared_with_the_day_that_is_known(book: Api) -> None:
    found = book.get("get_portfolio").data
    assert found["compared_with"] == "2026-03-03"
    assert found["totals"]["customers"]["value"] == 2
    assert found["totals"]["revenue_at_risk"]["value"] == 1500
    assert found["priority_accounts"][0]["name"] == "Bolt"


def test_a_trend_ends_now_and_has_the_lines_that_were_asked_for(book: Api) -> None:
    asked = {"range": "7d", "secondary": "nps", "managers": "Ana", "customers": "Acme"}
    found = book.get("get_trend", **asked).data
    assert (found["metric"], found["range"]) == ("health_score", "7d")
    assert found["days"][-1] == "2026-03-04"
    assert len(found["values"]) == len(found["secondary_values"]) == len(found["days"])
    assert {each["label"] for each in found["overlays"]} == {"Ana", "Acme"}
    refused = book.get("get_trend", metric="profit", range="3d").refused
    assert refused == {"range": "unknown_value"}
    assert book.get("get_trend", metric="profit").refused == {"metric": "unknown_value"}


def test_cohorts_count_those_who_left_in_the_month_in_which_they_did(book: Api) -> None:
    found = book.get("get_cohorts").data
    [january, *_] = found["cohorts"]
    assert (january["cohort"], january["size"]) == ("2026-01-01", 2)


def test_who_left_before_the_records_began_is_said_to_be_unknown(book: Api) -> None:
    """All three came on record in March; two say that they have been there since January."""
    answer = book.get("get_cohorts")
    found, [warning] = answer.data, answer.body["warnings"]
    assert (found["observed_from"], found["late"]) == ("2026-03-02", 2)
    assert {row["percent"] for row in found["cohorts"][0]["retained"]} == {None}
    assert (warning["code"], warning["field"]) == ("incomplete", "since")
    fields = [
        [each["field"] for each in book.get("get_cohorts", lifecycle=stages).body["warnings"]]
        for stages in ("active", "active,churned")
    ]
    assert fields == [["lifecycle"], ["since"]]


def test_renewals_are_had_by_category(book: Api) -> None:
    found = book.get("get_renewals", forecast_category="at_risk").data
    assert [each["name"] for each in found["accounts"]] == ["Bolt"]
    assert book.get("get_renewals", forecast_category="commit").data["accounts"] == []
    assert book.get("get_renewals", since="2026-05-01", until="2026-04-01").refused == {
        "until": "out_of_range"
    }
    for given in ({"until": "2026-03-03"}, {"since": "2020-01-01", "until": "2020-02-01"}):
        assert book.get("get_renewals", **given).refused == {"until": "out_of_range"}
    assert book.get("get_renewals", until="2026-03-04").data["to"] == "2026-03-04"


def test_the_managers_and_the_segments_are_those_of_the_customers(book: Api) -> None:
    managers = book.get("get_csm_performance").data
    assert {each["manager"] for each in managers["leaderboard"]} == {"Ana", ""}
    book.post("log_contact", {"name": "Acme", "channel": "call"})
    [last, *_] = book.get("get_csm_performance").data["activity"]
    assert (last["name"], last["manager"], last["contact"]["channel"]) == ("Acme", "Ana", "call")
    segments = book.get("get_segments").data
    assert {each["segment"] for each in segments["tiers"]} == {"mid", "smb"}


def test_what_was_done_is_found_behind_what_happened_by_itself(
    book: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of the model moves everybody: what Ana did is older than all of that."""
    monkeypatch.setattr("vitals.usecases.analytics.PAGE", 1)
    before = book.get("get_csm_performance", manager="ana").data["activity"]
    book.later(minutes=1)
    book.job("update_config", {"weights": {"csat": 12, "logins": 13}})
    after = book.get("get_csm_performance", manager="ana")
    assert (after.data["activity"], after.body["warnings"]) == (before, [])
    assert before


def test_what_was_not_looked_through_is_said(book: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitals.usecases.analytics.LOOKED_AT", 1)
    answer = book.get("get_csm_performance")
    assert len(answer.data["activity"]) == 1
    assert [each["code"] for each in answer.body["warnings"]] == ["cut_off"]

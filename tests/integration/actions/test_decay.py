"""Decay: when a tenant's day turns, exactly what time has moved is published (AMB-04, IQ-087)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from local.dynamodb import ROOT
from tests.builders import a_tenant, founding
from tests.integration.actions.api import PLATFORM, Api

import decay
from vitals.domain.instants import iso
from vitals.domain.snapshot import MOST_NAMES, Figures
from vitals.runtime.wiring import wiring
from vitals.storage.clocks import clock_item
from vitals.usecases.decay import first_due


def born(api: Api) -> Api:
    """Give the tenant the clock that creation gives it."""
    api.table.put(clock_item(api.table.item, api.tenant.id, first_due(api.clock.now)))
    return api


@pytest.fixture
def clocked(api: Api) -> Api:
    return born(api)


def turn(api: Api, **units: float) -> int:
    """Let time pass, run the schedule, and every job that it starts; return how many."""
    api.later(**units)
    started = ticked(api)
    api.run_jobs()
    return started


def ticked(api: Api) -> int:
    answer = decay.handler({"time": iso(api.clock.now)}, api.context)
    return int(answer["started"])


def causes(api: Api, name: str) -> list[tuple[str, Any]]:
    rows = api.get("get_history", name=name).data
    return [(row["cause"], row["new"].get("score")) for row in rows]


def test_a_score_falls_when_nobody_calls(clocked: Api) -> None:
    """GV-10 becomes GV-11 by passing time alone."""
    clocked.upsert("Acme", logins=30, adoption=100, tickets=0, nps=10, days=0, growth="strong")
    assert clocked.customer(name="Acme")["score"] == 100
    assert turn(clocked, days=18) == 1
    found = clocked.customer(name="Acme")
    assert (found["score"], found["version"]) == (99, 2)
    [newest, _] = clocked.get("get_history", name="Acme").data
    assert (newest["cause"], newest["action"], newest["by"]) == ("decay", "decay", "schedule")
    assert found["last_contact_on"] == "2026-03-02"


def test_what_time_has_not_moved_visibly_is_not_written(clocked: Api) -> None:
    """AMB-05."""
    clocked.upsert("Steady", logins=10)
    clocked.upsert("Slow", logins=30, adoption=100, tickets=0, nps=10, days=0, growth="strong")
    before = clocked.stored()
    assert turn(clocked, days=1) == 1
    after = clocked.stored()
    touched = {key for key in after if before.get(key) != after[key]}
    kinds = {key[0].split("#")[2] for key in touched if key[1] != "CLOCK"}
    assert kinds == {"JOBS", "SNAP", "SCORES"}


def test_a_day_turns_once_however_often_the_schedule_runs(clocked: Api) -> None:
    clocked.upsert("Acme", days=0)
    clocked.later(days=20)
    assert [ticked(clocked), ticked(clocked)] == [1, 0]
    clocked.run_jobs()
    assert turn(clocked, minutes=15) == 0
    assert len(causes(clocked, "Acme")) == 2


def test_a_missed_week_is_caught_up_by_one_run(clocked: Api) -> None:
    clocked.upsert("Acme", days=0)
    assert turn(clocked, days=1, hours=1) == 1
    assert turn(clocked, days=7) == 1
    assert turn(clocked, minutes=15) == 0
    assert clocked.customer(name="Acme")["score"] == 96


def test_the_day_turns_where_the_tenant_is(clocked: Api) -> None:
    """AMB-45: at midnight in Auckland, eleven in the morning in UTC."""
    clocked.post("update_config", {"time_zone": "Pacific/Auckland", "rescore": False})
    clocked.clock.now = datetime.fromisoformat("2026-03-03T00:00:00Z")
    assert ticked(clocked) == 1
    clocked.clock.now = datetime.fromisoformat("2026-03-03T10:59:00Z")
    assert ticked(clocked) == 0
    clocked.clock.now = datetime.fromisoformat("2026-03-03T11:00:00Z")
    assert ticked(clocked) == 1
    clocked.clock.now = datetime.fromisoformat("2026-04-04T11:00:00Z")
    assert ticked(clocked) == 1
    # Summer time ends that night: the day has twenty-five hours.
    clocked.clock.now = datetime.fromisoformat("2026-04-05T11:59:00Z")
    assert ticked(clocked) == 0
    clocked.clock.now = datetime.fromisoformat("2026-04-05T12:00:00Z")
    assert ticked(clocked) == 1


def test_an_override_stands_until_it_expires_and_then_the_score_is_published(clocked: Api) -> None:
    """PLUS-11."""
    clocked.upsert("Acme", logins=3, score=90, override_expires_at="2026-03-10T00:00:00Z")
    turn(clocked, days=2)
    assert causes(clocked, "Acme") == [("api", 90)]
    turn(clocked, days=7)
    assert causes(clocked, "Acme") == [("decay", 10), ("api", 90)]


def test_a_fall_to_at_risk_moves_the_stage(clocked: Api) -> None:
    """AMB-33."""
    clocked.upsert("Acme", logins=11, days=0, adoption=60)
    assert clocked.customer(name="Acme")["lifecycle"] == "active"
    turn(clocked, days=150)
    found = clocked.customer(name="Acme")
    assert (found["status"], found["lifecycle"], found["lifecycle_auto"]) == (
        "at_risk", "atrisk", True
    )  # fmt: skip


def test_a_read_and_the_job_never_disagree(clocked: Api) -> None:
    """AMB-04."""
    for number in range(40):
        clocked.upsert(f"C{number}", logins=number, days=number * 3, nps=number % 11)
    clocked.later(days=33)
    read = {row["name"]: (row["score"], row["status"]) for row in listed(clocked)}
    assert turn(clocked) == 1
    stored = {
        each.name: (each.score, each.status) for each in wiring().customers.roster(clocked.tenant)
    }
    assert stored == read
    before = clocked.stored()
    clocked.post("rescore_all")
    clocked.run_jobs()
    changed = {key for key in clocked.stored() if clocked.stored()[key] != before.get(key)}
    assert not [key for key in changed if key[1].startswith("C#")]


def listed(api: Api) -> Any:
    return api.get("list_customers", limit=500).data


def test_what_is_in_the_trash_does_not_decay(clocked: Api) -> None:
    clocked.upsert("Acme", days=0)
    clocked.post("delete_customer", {"name": "Acme"})
    turn(clocked, days=20)
    gone = clocked.customer(name="Acme", include_deleted=True)
    assert gone["version"] == 2


def test_every_tenant_has_its_own_job_and_none_is_forgotten(api: Api) -> None:
    many = [born(api.another_tenant()) for _ in range(20)]
    for each in many:
        each.upsert("Acme", days=0)
    assert turn(api, days=20) == 20
    assert {each.customer(name="Acme")["score"] for each in many} == {89}


def test_a_tenant_that_was_created_has_a_clock_and_so_has_its_sandbox(api: Api) -> None:
    api.post("create_tenant", {"name": "Northwind"})
    assert turn(api, days=1) == 2


def test_a_tenant_that_is_gone_is_passed_over(api: Api) -> None:
    gone = a_tenant(id="01GONE")
    wiring().administration.commit(a_tenant(id=PLATFORM), founding(gone))
    api.table.put(clock_item(api.table.item, "01GONE", first_due(api.clock.now)))
    wiring().tenants.erase(gone, lambda: True)
    born(api)
    assert turn(api, days=1) == 1


def test_the_days_figures_are_kept(clocked: Api) -> None:
    clocked.upsert("A", logins=30, mrr=100.5, tier="mid", manager="Ana", tags=["vip", "eu"])
    clocked.upsert("B", logins=3, mrr=50, tier="mid")
    clocked.upsert("C")
    turn(clocked, days=1)
    first = date(2026, 3, 3)
    [(day, everybody)] = figures(clocked)
    assert day == first
    found = (everybody["customers"], float(everybody["mrr"]), everybody["average_score"])
    assert found == (3, 150.5, 55)
    assert figures(clocked, "status")[0][1]["expansion"]["average_score"] == 100
    assert figures(clocked, "tier")[0][1]["mid"]["customers"] == 2
    assert figures(clocked, "manager")[0][1][""]["customers"] == 2
    assert set(figures(clocked, "tag")[0][1]) == {"", "vip", "eu"}
    turn(clocked, days=1)
    assert [day for day, _ in figures(clocked)] == [first, first + timedelta(days=1)]


def test_a_part_of_many_names_and_signals_is_kept_whole(clocked: Api) -> None:
    snapshots, tenant, day = wiring().snapshots, clocked.tenant.id, date(2026, 3, 3)
    counted = Figures(customers=9, mrr=Decimal("12.5"), scored=9, total=500)
    counted.signals = {f"signal_{number:033d}": (9, 1234567) for number in range(100)}
    names = {f"tag {number:096d}": counted.shown() for number in range(MOST_NAMES)}
    for days, shown in ((1, names), (0, names), (0, {"vip": counted.shown()}), (-1, names)):
        snapshots.put(tenant, day + timedelta(days=days), {"tag": shown}, {})
    found = dict(figures(clocked, "tag"))
    assert [each.day for each in found] == [2, 3, 4]
    assert list(found[day]) == ["vip"]
    for each in (found[day - timedelta(days=1)], found[day + timedelta(days=1)]):
        assert list(each) == list(names)
        assert all(Figures.of(figures) == counted for figures in each.values())


def test_the_days_scores_are_kept_by_customer(clocked: Api) -> None:
    ids = [clocked.upsert(name, **given)["id"] for name, given in (("A", {"nps": 10}), ("B", {}))]
    turn(clocked, days=1)
    snapshots, tenant = wiring().snapshots, clocked.tenant.id
    first = date(2026, 3, 3)
    assert snapshots.scores(tenant, first) == dict(zip(ids, (100, None), strict=True))
    assert snapshots.scores(tenant, first + timedelta(days=1)) is None


def test_a_known_day_is_the_latest_before_or_else_the_first(clocked: Api) -> None:
    snapshots, tenant = wiring().snapshots, clocked.tenant.id
    first, day = date(2026, 3, 3), timedelta(days=1)
    assert snapshots.known_day(tenant, first, first - day) is None
    turn(clocked, days=1)
    turn(clocked, days=2)
    found = [snapshots.known_day(tenant, first + n * day, date(2026, 1, 1)) for n in range(-1, 4)]
    assert found == [first, first, first, first + 2 * day, first + 2 * day]
    assert snapshots.known_day(tenant, first, first + day) == first + 2 * day


def figures(api: Api, part: str = "") -> list[tuple[date, Mapping[str, Any]]]:
    first = date(2026, 3, 1)
    return list(wiring().snapshots.between(api.tenant.id, first, first + timedelta(days=30), part))


def test_the_schedules_event_is_what_the_function_takes(api: Api) -> None:
    event = json.loads((ROOT / "events/decay/midnight.json").read_text(encoding="utf-8"))
    assert decay.handler(event, api.context) == {"started": 0}


def test_a_stage_that_the_days_turn_moves_is_counted_as_it_becomes(clocked: Api) -> None:
    clocked.upsert("Acme", logins=11, days=0, adoption=60)
    before = clocked.customer(name="Acme")
    assert (before["lifecycle"], before["status"]) == ("active", "watch")
    turn(clocked, days=150)
    after = clocked.customer(name="Acme")
    assert (after["lifecycle"], after["status"]) == ("atrisk", "at_risk")
    [(_, shown)] = wiring().snapshots.between(
        clocked.tenant.id, date(2026, 4, 1), date(2026, 9, 1), "lifecycle"
    )
    assert list(shown) == ["atrisk"]

"""What every action and job costs in calls and units: `python -m bench.actions` prints it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any
from unittest.mock import patch

from bench.costs import Cost, Costs, done, table_of, taken
from bench.metering import Call, Meter
from bench.reacting import Reacting, reacting
from bench.reactions import reactions_measured
from bench.report_scenarios import JOBS, MOVED, REPORTS
from bench.scenarios import (
    ADMINISTRATION,
    CUSTOMERS,
    HOOK,
    LARGER,
    LISTS,
    OUTBOUND,
    PLATFORM,
    Scenario,
    named,
)
from bench.workbench import Workbench, embedded, opened
from ulid import ULID

from vitals.domain.access import ApiKey
from vitals.domain.instants import iso
from vitals.runtime import clock
from vitals.runtime.settings import settings
from vitals.runtime.wiring import wiring
from vitals.storage.table import Table
from vitals.usecases.import_customers import import_customers

PORTFOLIO = 1000
SMALL = 100
DAY = 86_400


def measured(desk: Workbench, scenarios: Sequence[Scenario]) -> Costs:
    """Return what each of *scenarios* costs a function that has its key and model in memory."""
    return {
        (scenario.action, scenario.what): cost_of(desk, scenario, prepared(desk, scenario))
        for scenario in scenarios
    }


def prepared(desk: Workbench, scenario: Scenario) -> dict[str, Any]:
    """Make the table ready for *scenario* and return its parameters."""
    return {**scenario.data, **taken(done(desk, scenario.before), scenario.takes)}


def outbound_measured(desk: Reacting) -> Iterator[tuple[Reacting, Scenario, Cost]]:
    """Yield what each request about alerts costs a tenant of its own, and that tenant."""
    for number, scenario in enumerate(OUTBOUND):
        own = desk.another_tenant(f"Outbound {number}")
        yield own, scenario, cost_of(own, scenario, prepared(own, scenario))


def cost_of(desk: Workbench, scenario: Scenario, data: Mapping[str, Any]) -> Cost:
    """Return what the request of *scenario* costs, with *data* for its parameters."""
    # What a change of the settings made the function forget is not this request's.
    desk.send("whoami")
    meter, meanwhile = Meter(desk.client), desk.hands.meanwhile

    def aside() -> None:
        with meter.resting():
            meanwhile()

    with meter.running() as calls, patch.object(desk.hands, "meanwhile", aside):
        desk.send(scenario.action, data, scenario.key)
    counted = [call for call in calls if not is_bookkeeping(call)]
    if len(calls) - len(counted) != 2:
        raise AssertionError(f"{scenario} was not counted and logged, once each")
    return Cost(counted)


def job_cost(desk: Workbench, tenant: str, job_id: str) -> Cost:
    """Return what a queued job costs."""
    desk.send("whoami")  # as above: eight writers would each read a model that is new
    with Meter(desk.client).running() as calls:
        desk.run_job(tenant, job_id)
    return Cost(calls)


def report_cost(desk: Workbench, tenant: str, job_id: str) -> Cost:
    """Return what a queued job costs that makes a report."""
    desk.send("whoami")
    with Meter(desk.client).running() as calls:
        desk.make_report(tenant, job_id)
    return Cost(calls)


def jobs_measured(platform: Workbench, desk: Workbench) -> Costs:
    """Return what each kind of job costs a tenant of 100 customers; the last erases it."""
    tenant = desk.send("whoami")["data"]["tenant_id"]
    owner = platform.send("whoami")["data"]["tenant_id"]
    model = {"weights": {"logins": 45, "adoption": 5}}

    def cost(action: str, data: Mapping[str, Any]) -> Cost:
        return job_cost(desk, tenant, desk.send(action, data)["job_id"])

    def decay(days: int) -> Cost:
        return job_cost(desk, tenant, desk.decayed(days))

    costs = {
        ("preview", ""): cost("update_config", {**model, "dry_run": True}),
        ("rescore", "every score moves"): cost("update_config", model),
        ("rescore", "none does"): cost("rescore_all", {}),
        ("decay", "every score moves"): decay(60),
        ("decay", "none does"): decay(1),
    }
    for scenario in JOBS:
        started = desk.send(scenario.action, scenario.data)["job_id"]
        costs["report", scenario.what] = report_cost(desk, tenant, started)
    given = {"tenant_id": tenant, "confirm": "Worked"}
    erasing = platform.send("delete_tenant", given)["job_id"]
    return costs | {("delete_tenant", "and its sandbox"): job_cost(platform, owner, erasing)}


def import_of(desk: Workbench, tenant_id: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Start an import of *rows* and return its job's id."""
    desk.hands.sleep(0.001)
    wired = wiring()
    tenant = wired.tenants.tenant(tenant_id, consistent=True)
    if tenant is None:
        raise AssertionError(tenant_id)
    key = ApiKey("bench", tenant_id, "bench", (), desk.hands.now, prefix="")
    context = wired.context(key, tenant, desk.hands.now, lambda: 29)
    return str(import_customers(context, {"customers": rows})["job_id"])


def rule_jobs_measured(desk: Workbench) -> Costs:
    """Return what the jobs about rules cost a tenant of 100 customers, then of 201; and imports.

    Nobody reads its stream: all that follows from its customers is missing until the redrive.
    """
    tenant = desk.send("whoami")["data"]["tenant_id"]
    begun = iso(desk.hands.now)
    rule = {"name": "Has a ticket", "when": "tickets >= 1"}
    made = done(desk, [HOOK, ("put_custom_rule", rule, {"connections": "data.id"})])["data"]["id"]
    fill(desk, SMALL)

    def cost(action: str, data: Mapping[str, Any]) -> Cost:
        return job_cost(desk, tenant, desk.send(action, data)["job_id"])

    costs = {
        ("redrive", "an alert of each is missing"): cost("redrive", {"since": begun}),
        ("redrive", "none is"): cost("redrive", {"since": begun}),
        ("match_rule", "all match, one webhook is told"): cost(
            "put_custom_rule", {"id": made, "notify_existing": True}
        ),
        ("match_rule", "an alert of each is closed"): cost(
            "toggle_custom_rule", {"id": made, "enabled": False}
        ),
    }
    desk.send("batch_upsert", LARGER)
    costs["preview_rule", "of 201"] = cost("preview_alert_rule", {"id": made})

    def imported(first: int, **fields: object) -> Cost:
        rows = [named(f"Customer {n:04}", **fields) for n in range(first, first + SMALL)]
        return job_cost(desk, tenant, import_of(desk, tenant, rows))

    return costs | {
        ("import", "100 new"): imported(5000),
        ("import", "100 changed"): imported(5000, logins=3),
        ("import", "100 unchanged"): imported(5000, logins=3),
    }


def fill(desk: Workbench, count: int, **fields: object) -> None:
    """Give the tenant *count* customers like the documented example, with *fields* changed."""
    records = [named(f"Customer {number:04}", **fields) for number in range(count)]
    desk.send("batch_upsert", {"customers": records})


def all_costs(desk: Workbench) -> tuple[Costs, Costs]:
    """Return what every action costs, and every job, on the empty table of *desk*."""
    fill(desk, PORTFOLIO)
    costs = measured(desk, LISTS)
    reports = reports_measured(desk)
    costs |= measured(desk, CUSTOMERS)
    small = desk.another_tenant("Small")
    fill(small, SMALL)
    costs |= measured(small, ADMINISTRATION) | measured(desk, PLATFORM) | reports
    worked = desk.another_tenant("Worked")
    # A customer's id decides which of sixteen counters it adds to: all sixteen, every time.
    with patch.object(clock, "new_id", repeatable_ids()):
        fill(worked, SMALL, days=0)
    jobs = jobs_measured(desk, worked)
    return costs, jobs | rule_jobs_measured(desk.another_tenant("Ruled"))


def reports_measured(desk: Workbench) -> Costs:
    """Return what each request about reports costs; the reports are made while it waits."""
    desk.run_job(desk.send("whoami")["data"]["tenant_id"], desk.decayed(1))
    # A day is compared with one before it.
    desk.hands.sleep(DAY)
    done(desk, [MOVED])
    with patch.object(desk.hands, "meanwhile", desk.make_reports):
        return measured(desk, REPORTS)


def repeatable_ids() -> Callable[[datetime], str]:
    """Return what makes the same ULIDs in every process."""
    drawn = Random(1)  # noqa: S311 - nobody is to be kept from guessing them

    def new_id(at: datetime) -> str:
        return str(ULID(ULID.from_datetime(at).bytes[:6] + drawn.randbytes(10)))

    return new_id


def is_bookkeeping(call: Call) -> bool:
    """Tell whether *call* counts the request against its limit, or puts it into the log."""
    key = (call.asked.get("Key") or call.asked.get("Item") or {}).get("PK", {}).get("S", "")
    return str(key).endswith(("#R", "#LOG"))


def main() -> None:
    """Measure every action on an embedded table of its own, and print the tables."""
    with embedded(), opened(Table(settings().table_name)) as desk:
        costs, jobs = all_costs(desk)
    with (
        embedded(streamed=True) as aws,
        reacting(Table(settings().table_name), aws) as streamed,
    ):
        reactions = reactions_measured(streamed)
        for _, scenario, cost in outbound_measured(streamed):
            costs[scenario.action, scenario.what] = cost
    print(table_of(costs))
    print(table_of(jobs, "Job of 100 customers"))
    print(table_of(reactions, "Reaction"))


if __name__ == "__main__":
    main()

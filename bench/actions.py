"""What every action and job costs in calls and units: `python -m bench.actions` prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.metering import Call, Meter
from bench.scenarios import ADMINISTRATION, CUSTOMERS, LISTS, PLATFORM, Scenario, named
from bench.workbench import Workbench, embedded, opened

from vitals.runtime.settings import settings
from vitals.storage.table import Table

PORTFOLIO = 1000
SMALL = 100
Costs = dict[tuple[str, str], "Cost"]


@dataclass(frozen=True)
class Cost:
    """The calls of one request, but for its counter and its log; Query is counted by page."""

    calls: Sequence[Call]

    @property
    def operations(self) -> str:
        """Return how often each operation was called."""
        counted = Counter(call.operation for call in self.calls)
        return ", ".join(f"{n} {name}" if n > 1 else name for name, n in counted.items()) or "–"

    @property
    def reads(self) -> float:
        """Return the read units."""
        return sum(call.reads for call in self.calls)

    @property
    def writes(self) -> float:
        """Return the write units."""
        return sum(call.writes for call in self.calls)


def measured(desk: Workbench, scenarios: Sequence[Scenario]) -> Costs:
    """Return what each of *scenarios* costs a function that has its key and model in memory."""
    return {
        (scenario.action, scenario.what): cost_of(desk, scenario, prepared(desk, scenario))
        for scenario in scenarios
    }


def prepared(desk: Workbench, scenario: Scenario) -> dict[str, Any]:
    """Make the table ready for *scenario* and return its parameters."""
    answer: Any = {}
    for action, data in scenario.before:
        answer = desk.send(action, data)
    taken = {name: _at(answer, path) for name, path in scenario.takes.items()}
    return {**scenario.data, **taken}


def cost_of(desk: Workbench, scenario: Scenario, data: Mapping[str, Any]) -> Cost:
    """Return what the request of *scenario* costs, with *data* for its parameters."""
    # What a change of the settings made the function forget is not this request's.
    desk.send("whoami")
    with Meter(desk.client).running() as calls:
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
    given = {"tenant_id": tenant, "confirm": "Worked"}
    erasing = platform.send("delete_tenant", given)["job_id"]
    return costs | {("delete_tenant", "and its sandbox"): job_cost(platform, owner, erasing)}


def fill(desk: Workbench, count: int, **fields: object) -> None:
    """Give the tenant *count* customers like the documented example, with *fields* changed."""
    records = [named(f"Customer {number:04}", **fields) for number in range(count)]
    desk.send("batch_upsert", {"customers": records})


def all_costs(desk: Workbench) -> tuple[Costs, Costs]:
    """Return what every action costs, and every job, on the empty table of *desk*."""
    fill(desk, PORTFOLIO)
    costs = measured(desk, LISTS) | measured(desk, CUSTOMERS)
    small = desk.another_tenant("Small")
    fill(small, SMALL)
    costs |= measured(small, ADMINISTRATION) | measured(desk, PLATFORM)
    worked = desk.another_tenant("Worked")
    fill(worked, SMALL, days=0)
    return costs, jobs_measured(desk, worked)


def table_of(costs: Costs, head: str = "Action") -> str:
    """Return *costs* as a table that docs/data-model.md holds."""
    rows = [
        f"| `{action}`{' ' if what else ''}{what} | {cost.operations} "
        f"| {cost.reads:g} | {cost.writes:g} |"
        for (action, what), cost in costs.items()
    ]
    titles = f"| {head} | DynamoDB calls | Read units | Write units |"
    return "\n".join([titles, "|---|---|--:|--:|", *rows])


def is_bookkeeping(call: Call) -> bool:
    """Tell whether *call* counts the request against its limit, or puts it into the log."""
    key = (call.asked.get("Key") or call.asked.get("Item") or {}).get("PK", {}).get("S", "")
    return str(key).endswith(("#R", "#LOG"))


def _at(answer: Any, path: str) -> Any:
    for name in path.split("."):
        answer = answer[name]
    return answer


def main() -> None:
    """Measure every action on an embedded table of its own, and print the tables."""
    with embedded(), opened(Table(settings().table_name)) as desk:
        costs, jobs = all_costs(desk)
    print(table_of(costs))
    print(table_of(jobs, "Job of 100 customers"))


if __name__ == "__main__":
    main()

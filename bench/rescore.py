"""Line 5: the job that rescores everybody after a change of the model, per customer.

The floor reads the same pages and items of the table, and decodes their JSON.
"""

from __future__ import annotations

import time
from functools import partial

from bench.breakdown import Spent, watched
from bench.metering import Call, Meter
from bench.portfolio import fill
from bench.replay import overheard, reading
from bench.report import Line
from bench.timing import Comparison, cpu
from bench.workbench import Workbench, embedded, opened

from vitals.runtime.settings import settings
from vitals.storage.table import Table

_WEIGHTS = ({"logins": 45, "adoption": 5}, {"logins": 25, "adoption": 25})
"""Two models in turn, so that every run moves scores."""


def line(count: int = 2000, runs: int = 3) -> tuple[list[Line], Spent]:
    """Return what the job costs a customer, and where its CPU goes, in seconds a customer."""
    with embedded(), opened(Table(settings().table_name)) as desk:
        fill(desk, count)
        calls, comparison, walls = _measured(desk, runs)
        job = started(desk, runs + 1)
        with watched() as spent:
            desk.run_job(*job)
    seconds, floor = comparison.per(count)
    speeds = f"{1 / seconds:,.0f}/s of CPU, {count / min(walls):,.0f}/s here"
    found = Line(
        what=f"5. Rescore of {count:,}, each",
        measured=f"{seconds * 1e6:,.0f} µs ({speeds})",
        floor=f"{floor * 1e6:,.0f} µs: pages read",
        ratio=comparison.ratio,
        calls=f"{len(calls) / count:.2f}",
        reads=f"{sum(call.reads for call in calls) / count:.2f}",
        writes=f"{sum(call.writes for call in calls) / count:.2f}",
    )
    return [found], {label: part / count for label, part in spent.items() if part}


def _measured(desk: Workbench, runs: int) -> tuple[list[Call], Comparison, list[float]]:
    """Return one run's calls, and the CPU and the time of *runs* others that nobody watches."""
    job = started(desk, 0)
    with overheard(desk.client) as asked, Meter(desk.client).running() as calls:
        desk.run_job(*job)
    read = reading(desk.client, asked)
    ours, floors, walls = [], [], []
    for number in range(1, runs + 1):
        job = started(desk, number)
        begun = time.perf_counter()
        ours.append(cpu(partial(desk.run_job, *job)))
        walls.append(time.perf_counter() - begun)
        floors.append(cpu(read))
    return calls, Comparison(ours, floors), walls


def started(desk: Workbench, number: int) -> tuple[str, str]:
    """Change the model for the time *number*; return the tenant and its job, not yet run."""
    desk.hands.sleep(3600)
    answer = desk.send("update_config", {"weights": _WEIGHTS[number % 2]})
    tenant = desk.send("whoami")["data"]["tenant_id"]
    return str(tenant), str(answer["job_id"])

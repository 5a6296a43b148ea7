"""Line 3: a page of 100 among 10,000 customers, by each sort, with and without a filter.

The floor reads the same pages of the table, and decodes the JSON of their rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench.actions import is_bookkeeping
from bench.metering import Meter
from bench.portfolio import fill
from bench.replay import overheard, reading
from bench.report import Line
from bench.timing import compared
from bench.workbench import Context, Workbench, embedded, opened

import actions
from vitals.domain.listing import SORTS
from vitals.runtime.settings import settings
from vitals.storage.table import Table

FILTERS: Mapping[str, Mapping[str, Any]] = {"": {}, ", tier and manager": {
    "tier": "enterprise", "manager": "Ada",
}}  # fmt: skip


def line(count: int = 10_000, runs: int = 3, limit: int = 100) -> list[Line]:
    """Return what a page of *limit* among *count* customers costs, by every sort."""
    with embedded(), opened(Table(settings().table_name)) as desk:
        fill(desk, count)
        return [
            _measured(
                desk,
                f"3. {limit} of {count:,} by `{sort}`{title}",
                {"limit": limit, "sort": sort, **given},
                runs,
            )
            for sort in SORTS
            for title, given in FILTERS.items()
        ]


def _measured(desk: Workbench, what: str, given: Mapping[str, Any], runs: int) -> Line:
    event = desk.event("list_customers", given)

    def ours() -> dict[str, Any]:
        return actions.handler(event, Context())

    # The key, the tenant and the model are in memory: what they cost is no list's.
    desk.send("whoami")
    with overheard(desk.client) as asked, Meter(desk.client).running() as metered:
        answer = ours()
    if len(json.loads(answer["body"])["data"]) != given["limit"]:
        raise AssertionError(f"{what} gave no full page")
    calls = [call for call in metered if not is_bookkeeping(call)]
    comparison = compared(ours, reading(desk.client, asked), runs)
    seconds, floor = comparison.per(1)
    return Line(
        what=what,
        measured=f"{seconds * 1000:,.1f} ms",
        floor=f"{floor * 1000:,.1f} ms: pages read",
        ratio=comparison.ratio,
        calls=f"{len(calls)} {calls[0].operation}",
        reads=f"{sum(call.reads for call in calls):g}",
        writes="0",
    )

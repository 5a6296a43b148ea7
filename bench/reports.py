"""Line 9: each report of 10,000 customers: read and built, then as a PDF in a process of its own.

The floor reads the same pages by a client as anybody makes it, and decodes the JSON of their rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import botocore.session
from bench.metering import Meter
from bench.overnight import count_revenue, ordinary, store
from bench.replay import overheard, reading
from bench.report import Line
from bench.timing import Comparison, cpu
from bench.workbench import Workbench, embedded, opened

from vitals.domain.instants import iso
from vitals.domain.reports.catalogue import REPORTS, Report
from vitals.runtime.settings import settings
from vitals.runtime.wiring import wiring
from vitals.storage.table import Table
from vitals.usecases.context import Context
from vitals.usecases.make_report import book_of, made

_TARGET = 1.5
_PDF_TARGET = "≤ 5 s, 512 MB"


def line(count: int = 10_000, runs: int = 5, nights: int = 4) -> list[Line]:
    """Return what each report of *count* customers costs, of whom *nights* moved some."""
    with _filled(count, nights) as desk:
        return [
            each
            for report in REPORTS
            for each in _measured(desk, report, f"9. `{report.name}` of {count:,}", runs)
        ]


@contextmanager
def _filled(count: int, nights: int) -> Iterator[Workbench]:
    with embedded(), opened(Table(settings().table_name)) as desk:
        customers = [ordinary(number) for number in range(count)]
        store(desk, customers)
        count_revenue(desk, customers)
        tenant = str(desk.send("whoami")["data"]["tenant_id"])
        for _ in range(nights):
            desk.run_job(tenant, desk.decayed(1))
        yield desk


def _measured(desk: Workbench, report: Report, what: str, runs: int) -> list[Line]:
    asked: dict[str, Any] = {"report": report.name}
    if report.of_one:
        asked["customer_id"] = f"{7:026}"
    context = _context(desk)

    def build() -> None:
        made(context, asked, book_of(context, asked))

    with overheard(desk.client) as calls, Meter(desk.client).running() as metered:
        build()
    bare = botocore.session.get_session().create_client("dynamodb")
    floor, own_floor = reading(bare, calls), reading(desk.client, calls)
    ours, alone, floors, own_floors = [], [], [], []
    for _ in range(runs):
        ours.append(cpu(build))
        alone.append(cpu(partial(made, context, asked, book_of(context, asked))))
        floors.append(cpu(floor))
        own_floors.append(cpu(own_floor))
    printed = _printed(desk, asked)
    over = Comparison(ours, floors)
    seconds, least = over.per(1)
    return [
        Line(
            what=f"{what}, read and built",
            measured=f"{seconds:.2f} s ({min(alone):.2f} by the builder), "
            f"{printed.built_megabytes:,.0f} MB",
            floor=f"{least:.2f} s: pages read ({min(own_floors):.2f} by its own client)",
            ratio=over.ratio,
            target=f"≤ {_TARGET}",
            calls=str(len(metered)),
            reads=f"{sum(call.reads for call in metered):g}",
            writes="0",
        ),
        Line(
            what=f"{what}, as PDF, from the function's start",
            measured=f"{printed.seconds:.1f} s ({printed.cpu:.1f} of CPU), "
            f"{printed.megabytes:,.0f} MB, {printed.size / 1000:,.0f} KB",
            target=_PDF_TARGET,
        ),
    ]


def _context(desk: Workbench) -> Context:
    tenant = str(desk.send("whoami")["data"]["tenant_id"])
    found = wiring().background(tenant, "bench", desk.hands.now, lambda: 300)
    if found is None:
        raise LookupError("the tenant is gone")
    return found


@dataclass(frozen=True)
class _Printed:
    """A report that a fresh process made: when it was done, and the most memory it held."""

    seconds: float
    cpu: float
    built_megabytes: float
    megabytes: float
    size: int


def _printed(desk: Workbench, asked: dict[str, Any]) -> _Printed:
    """Return what it takes a fresh process to do the job that makes a PDF, its start included."""
    tenant = str(desk.send("whoami")["data"]["tenant_id"])
    job = desk.send("run_report", {**asked, "format": "pdf"})["job_id"]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bench.one_report", tenant, job, iso(desk.hands.now)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return _Printed(seconds=time.monotonic() - began, **json.loads(done.stdout.splitlines()[-1]))

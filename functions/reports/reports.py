"""The reports function: schedules that are due, and the jobs that make reports (DC-004)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import printing
from vitals.domain.instants import parse_instant
from vitals.domain.job import REPORT, Job
from vitals.runtime.logging import logger, reported
from vitals.runtime.messages import each_message
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring
from vitals.runtime.working import work
from vitals.usecases import make_report
from vitals.usecases.context import Context
from vitals.usecases.report_due import start_reports
from vitals.usecases.runner import Run, Runner

wiring()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start what is due by the schedule's own `time`, or make the report of each message's job.

    Called again for the same time or job, it sends nothing twice.
    """
    if "Records" in event:
        return each_message(event, context, _make)
    return {"started": _start(event["time"], context)}


def _make(message: Mapping[str, str], context: LambdaContext) -> None:
    work(message["tenant_id"], message["job_id"], context, RUNNERS)


def _run(context: Context, _run: Run, job: Job) -> Mapping[str, Any]:
    return make_report.run(context, job, printing)


RUNNERS: dict[str, Runner] = {REPORT: _run}


def _start(time: str, context: LambdaContext) -> int:
    now, wired = parse_instant(time), wiring()
    logger().append_keys(trace_id=context.aws_request_id, tenant_id=None, job_id=None)

    @cache
    def context_of(tenant_id: str) -> Context | None:
        left = context.get_remaining_time_in_millis
        return wired.background(tenant_id, "schedule", now, lambda: left() / 1000)

    wakes = wired.outbound.wakes
    started = start_reports(context_of, wakes.due(now, REPORT), wakes.done, reported)
    if started:
        logger().info("reports due", time=time, started=started)
    return started

"""Jobs: imports and rescores started, polled, cancelled (LU-038, 039)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from resources.call import Call, page_of
from resources.customers import given_of, stays_in
from vitals.runtime.http import Response
from vitals.usecases import jobs as core
from vitals.usecases.context import Answer
from vitals.usecases.import_customers import import_customers as start_import
from vitals.usecases.import_customers import list_import_results
from vitals.usecases.rescore import rescore_all


def import_customers(call: Call) -> Response:
    """Start an import; 202 and the job."""
    rows = [_row(each) for each in call.body["customers"]]
    return _started(call, call.ask(start_import, {**call.body, "customers": rows}))


def rescore_customers(call: Call) -> Response:
    """Start a rescore; 202 and the job."""
    return _started(call, call.ask(rescore_all, call.body))


def list_jobs(call: Call) -> Response:
    """Answer one page of jobs."""
    return call.reply(page_of(call.ask(core.list_jobs, {"limit": 50, **call.query}), dict))


def get_job(call: Call) -> Response:
    """Answer one job."""
    return call.reply(call.ask(core.get_job, {"id": call.variables["job_id"]})["data"])


def list_job_results(call: Call) -> Response:
    """Answer one page of what became of each row of an import."""
    given = {"limit": 50, **call.query, "id": call.variables["job_id"]}
    return call.reply(page_of(call.ask(list_import_results, given), dict))


def cancel_job(call: Call) -> Response:
    """Answer the job, cancelled."""
    return call.reply(call.ask(core.cancel_job, {"id": call.variables["job_id"]})["data"])


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row by the core's names; what is wrong with it is its own result."""
    kept = stays_in(row) if isinstance(row.get("status"), str) else ()
    return given_of(row) | ({"stays_in": list(kept)} if kept else {})


def _started(call: Call, answer: Answer) -> Response:
    job_id = answer["job_id"]
    body = {"job_id": job_id, "job": answer["data"]}
    return call.reply(body, HTTPStatus.ACCEPTED, {"Location": f"/v1/jobs/{job_id}"})

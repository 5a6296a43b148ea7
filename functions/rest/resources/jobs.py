"""Jobs: imports and rescores started, polled, cancelled (LU-038, 039)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from resources.call import Call, page_of
from resources.customers import conflicts_of, given_of, stays_in
from vitals.runtime.authenticate import require_scopes
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
    """Answer one page of the jobs that the key may read."""
    asked, key = call.query.get("kind", ()), call.context.key
    for kind in asked:
        require_scopes(key, _scopes(call, kind))
    given: dict[str, Any] = {"limit": 50, **call.query}
    if not asked:
        _refuse_strangers(call)
        kinds = [kind for kind in core.KINDS if _is_open(call, kind)]
        if len(kinds) < len(core.KINDS):
            given["kind"] = kinds
    return call.reply(page_of(call.ask(core.list_jobs, given), dict))


def get_job(call: Call) -> Response:
    """Answer one job."""
    return call.reply(_required(call))


def list_job_results(call: Call) -> Response:
    """Answer one page of what became of each row of an import."""
    given = {"limit": 100, **call.query, "id": call.variables["job_id"]}
    return call.reply(page_of(call.ask(list_import_results, given), dict))


def cancel_job(call: Call) -> Response:
    """Answer the job, cancelled."""
    _required(call)
    return call.reply(call.ask(core.cancel_job, {"id": call.variables["job_id"]})["data"])


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row by the core's names; what is wrong with it is its own result."""
    from resources.validation import refusals_of  # noqa: PLC0415 - imports alone need it

    refused = refusals_of("ImportRow", row) or conflicts_of(row)
    if refused:
        named = {name: row.get(name) for name in ("external_id", "name")}
        return named | {"refused": [[each.field, each.code, each.message] for each in refused]}
    return {**given_of(row), "stays_in": list(stays_in(row)), "strict": True}


def _required(call: Call) -> dict[str, Any]:
    """Return the job. Raises JobNotFoundError, ForbiddenError by its kind."""
    _refuse_strangers(call)
    job: dict[str, Any] = call.ask(core.get_job, {"id": call.variables["job_id"]})["data"]
    require_scopes(call.context.key, _scopes(call, job["kind"]))
    return job


def _refuse_strangers(call: Call) -> None:
    """Raise ForbiddenError if the key may do this to no kind of job."""
    if not any(_is_open(call, kind) for kind in core.KINDS):
        require_scopes(call.context.key, call.operation.scopes)


def _is_open(call: Call, kind: str) -> bool:
    return set(_scopes(call, kind)) <= set(call.context.key.scopes)


def _scopes(call: Call, kind: str) -> tuple[str, ...]:
    return call.operation.of_imports if kind == core.IMPORT else call.operation.scopes


def _started(call: Call, answer: Answer) -> Response:
    job_id = answer["job_id"]
    body = {"job_id": job_id, "job": answer["data"]}
    return call.reply(body, HTTPStatus.ACCEPTED, {"Location": f"/v1/jobs/{job_id}"})

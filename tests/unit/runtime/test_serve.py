"""Whatever goes wrong on the way, the answer is a problem document with a trace id."""

import json
from typing import Any

import pytest
from tests.unit.runtime.invoking import EVENT, Lambda, a_wiring

from vitals.domain.errors import VersionConflictError
from vitals.runtime import serve as serving
from vitals.runtime.http import Response
from vitals.runtime.serve import Exchange, serve
from vitals.storage.ports import StorageBusyError

SECRET = "vt_live_secret"


@pytest.fixture(autouse=True)
def _no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    wired = a_wiring()
    monkeypatch.setattr(serving, "wiring", lambda: wired)


def answer(outcome: Exception | Response) -> tuple[int, Any, dict[str, str]]:
    """Return the status, body and headers of a route with that *outcome*."""

    def route(exchange: Exchange) -> Response:
        assert exchange.seconds_left() == 4.5
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    shown = serve(EVENT, Lambda(), route)
    return shown["statusCode"], json.loads(shown["body"]), shown["headers"]


def test_every_answer_bears_a_trace_id_and_where_the_limit_stands() -> None:
    for outcome in (Response(200, {"ok": True}), VersionConflictError("…"), RuntimeError("…")):
        _, _, headers = answer(outcome)
        assert headers["X-Trace-Id"] == "trace-1"
        assert headers["X-RateLimit-Limit"] == headers["X-RateLimit-Remaining"] == "1000"
        assert int(headers["X-RateLimit-Reset"]) % 60 == 0


def test_what_nobody_foresaw_shows_its_trace_id_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    status, body, headers = answer(RuntimeError(f"cannot use {SECRET}"))
    assert (status, headers["Content-Type"]) == (500, "application/problem+json")
    assert body == {
        "type": "urn:vitals:error:internal_error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "something went wrong on our side",
        "instance": "/x",
        "code": "internal_error",
        "trace_id": "trace-1",
        "errors": [],
    }
    # The log has what happened, under the same trace id.
    unforeseen, request = caplog.records
    assert (unforeseen.getMessage(), vars(unforeseen)["trace_id"]) == ("unforeseen", "trace-1")
    assert unforeseen.exc_info
    assert (request.getMessage(), vars(request)["status"]) == ("request", 500)


def test_a_table_that_throttles_is_a_503_to_try_again() -> None:
    status, body, headers = answer(StorageBusyError())
    assert (status, body["code"], headers["Retry-After"]) == (503, "busy", "1")


def test_every_request_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    answer(VersionConflictError("…"))
    [record] = caplog.records
    assert record.getMessage() == "request"
    line = vars(record)
    assert (line["status"], line["code"]) == (409, "version_conflict")
    assert (line["method"], line["path"], line["trace_id"]) == ("GET", "/x", "trace-1")

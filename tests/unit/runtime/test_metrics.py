"""What CloudWatch finds in a log line, read as its embedded metric format is specified."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.util import find_spec, module_from_spec
from typing import Any
from urllib.parse import urlencode

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics
from tests.builders import NOW, a_key, a_tenant
from tests.unit.runtime.invoking import EVENT, Counters, Lambda, OneJob, a_wiring, written

import actions
import jobs
from vitals.domain.access import ApiKey, Tenant
from vitals.domain.errors import CustomerNotFoundError, RateLimitedError
from vitals.domain.job import FAILED, Job
from vitals.runtime import serve as serving
from vitals.runtime.api_keys import make_key
from vitals.runtime.http import Response
from vitals.runtime.logging import logger, measure
from vitals.runtime.metrics import JOB, NAMESPACE, REQUEST, Metrics, measured
from vitals.runtime.serve import Exchange, serve
from vitals.runtime.wiring import Wiring
from vitals.storage.ports import StorageBusyError
from vitals.usecases.jobs import RESCORE
from vitals.usecases.runner import MOST_ATTEMPTS

Taken = dict[tuple[str, ...], dict[str, float]]


class Open(Wiring):
    """A wiring that admits whoever comes, with a key that may do nothing."""

    def admit(self, key: str, now: datetime) -> tuple[ApiKey, Tenant]:  # noqa: ARG002 - as is
        return a_key(scopes=()), a_tenant()


@pytest.fixture(autouse=True)
def _no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "wiring", lambda: a_wiring(Open, tenants=Counters()))


def taken(line: Mapping[str, Any]) -> Taken:
    """Return the metrics that CloudWatch takes from *line*; fail where the line breaks its rules.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    found: Taken = {}
    assert set(line["_aws"]) == {"Timestamp", "CloudWatchMetrics"}
    assert type(line["_aws"]["Timestamp"]) is int
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert directive["Namespace"] == NAMESPACE
        assert 0 < len(directive["Metrics"]) <= 100
        for dimensions in directive["Dimensions"]:
            assert 0 < len(dimensions) <= 30
            values = tuple(line[name] for name in dimensions)
            assert all(isinstance(each, str) and 0 < len(each) <= 1024 for each in values)
            for metric in directive["Metrics"]:
                assert set(metric) == {"Name", "Unit"}
                assert metric["Unit"] in {"Count", "Milliseconds"}
                value = line[metric["Name"]]
                assert type(value) in {int, float}
                found.setdefault(values, {})[metric["Name"]] = value
    return found


def request(
    caplog: pytest.LogCaptureFixture, route: Callable[[Exchange], Response], **event: Any
) -> Taken:
    """Return the metrics of one request, answered by *route*."""
    caplog.clear()
    serve({**EVENT, **event}, Lambda(), route)
    return taken(written(caplog)[-1])


def raising(error: Exception) -> Callable[[Exchange], Response]:
    def route(_: Exchange) -> Response:
        raise error

    return route


def test_a_request_is_measured_by_service_and_by_action(caplog: pytest.LogCaptureFixture) -> None:
    def route(exchange: Exchange) -> Response:
        exchange.action = "whoami"
        return Response(200, {})

    found = request(caplog, route)

    service = logger().service
    assert set(found) == {(service,), (service, "whoami")}
    counted = found[(service,)]
    assert set(counted) == set(REQUEST[("service",)])
    assert (counted["requests"], counted["errors"], counted["busy"]) == (1, 0, 0)
    assert 0 <= counted["duration_ms"] == found[(service, "whoami")]["duration_ms"]


def test_a_failure_a_refusal_and_a_busy_table_are_counted_apart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counted = {
        type(error): {
            name
            for name, value in request(caplog, raising(error))[(logger().service,)].items()
            if name in {"errors", "throttles", "busy"} and value
        }
        for error in (
            RuntimeError("…"),
            StorageBusyError(),
            RateLimitedError("…"),
            CustomerNotFoundError("…"),
        )
    }
    assert counted == {
        RuntimeError: {"errors"},
        StorageBusyError: {"busy"},
        RateLimitedError: {"throttles"},
        CustomerNotFoundError: set(),
    }


def test_only_the_first_request_of_a_process_is_a_cold_start(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec(serving.__name__)
    assert spec is not None
    assert spec.loader is not None
    started = module_from_spec(spec)
    spec.loader.exec_module(started)
    monkeypatch.setattr(started, "wiring", a_wiring)

    for _ in range(3):
        started.serve(EVENT, Lambda(), lambda _: Response(200, {}))

    lines = [taken(line)[(logger().service,)] for line in written(caplog)]
    assert [line["cold_starts"] for line in lines] == [1, 0, 0]


def actions_of(caplog: pytest.LogCaptureFixture, action: str, headers: dict[str, str]) -> set[str]:
    """Return the actions under which a request for *action* is measured."""
    event = {
        "requestContext": {"http": {"method": "GET", "path": actions.PATH}},
        "rawPath": actions.PATH,
        "headers": headers,
        "rawQueryString": urlencode({"action": action}),
    }
    caplog.clear()
    actions.handler(event, Lambda())
    return {rest[0] for _, *rest in taken(written(caplog)[-1]) if rest}


@pytest.mark.parametrize("action", ["no_such", "x" * 300, "vt_live_secret", ""])
def test_nobody_can_make_a_dimension_of_what_they_send(
    caplog: pytest.LogCaptureFixture, action: str
) -> None:
    for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": make_key()}):
        assert actions_of(caplog, action, headers) == {"none"}


def test_who_is_not_admitted_is_measured_under_no_action(caplog: pytest.LogCaptureFixture) -> None:
    assert actions_of(caplog, "list_audit", {}) == {"none"}


def test_an_action_that_the_key_may_not_call_is_measured_as_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert actions_of(caplog, "list_audit", {"x-api-key": make_key()}) == {"list_audit"}


@pytest.mark.parametrize("metrics", [REQUEST, JOB], ids=["request", "job"])
def test_powertools_would_say_the_same(metrics: Metrics) -> None:
    ours = measured(NOW, metrics)["_aws"]["CloudWatchMetrics"]
    theirs = []
    for dimensions, units in metrics.items():
        theirs.append(EphemeralMetrics(namespace=NAMESPACE, service="vitals"))
        for dimension in dimensions:
            theirs[-1].add_dimension(dimension, "x")
        for name, unit in units.items():
            theirs[-1].add_metric(name, unit, 1)
    assert ours == [each.serialize_metric_set()["_aws"]["CloudWatchMetrics"][0] for each in theirs]


def test_a_metric_is_of_the_instant_given() -> None:
    assert measured(NOW, JOB)["_aws"]["Timestamp"] == NOW.timestamp() * 1000


def test_metrics_are_written_whatever_the_level(caplog: pytest.LogCaptureFixture) -> None:
    level = logger().log_level
    logger().setLevel(logging.ERROR)
    try:
        logger().info("request")
        measure("request", NOW, {("service",): {"requests": "Count"}}, requests=1)
    finally:
        logger().setLevel(level)

    [line] = written(caplog)
    assert taken(line) == {(logger().service,): {"requests": 1}}
    assert (line["level"], line["message"]) == ("INFO", "request")


def test_whatever_is_written_during_a_request_bears_its_trace_id_and_tenant(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A use-case reports what it swallows, and knows nothing of traces."""

    def route(exchange: Exchange) -> Response:
        key, tenant = a_key(), a_tenant()
        exchange.admitted(key, tenant)
        exchange.wired.context(key, tenant, NOW, exchange.seconds_left).report(KeyError("x"))
        return Response(200, {})

    request(caplog, route)

    unforeseen = written(caplog)[0]
    assert (unforeseen["message"], unforeseen["trace_id"]) == ("unforeseen", "trace-1")
    assert unforeseen["tenant_id"] == a_tenant().id


def test_the_next_request_does_not_bear_the_tenant_of_the_one_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def route(exchange: Exchange) -> Response:
        exchange.admitted(a_key(), a_tenant())
        return Response(200, {})

    request(caplog, route)
    request(caplog, raising(KeyError("…")))

    unforeseen, _ = written(caplog)
    assert "tenant_id" not in unforeseen


def run(caplog: pytest.LogCaptureFixture, one: OneJob) -> dict[str, Any]:
    """Return the line of a run of the job."""
    caplog.clear()
    assert jobs.handler(one.event, Lambda()) == {"batchItemFailures": []}
    return written(caplog)[-1]


def test_a_job_that_failed_is_counted_once_by_service_and_by_kind(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Mapping[str, Any]:
        raise KeyError("x")

    job = Job(
        id="01J",
        tenant_id="01T",
        kind=RESCORE,
        by="01K",
        created_at=NOW,
        attempts=MOST_ATTEMPTS - 1,
        updated_at=NOW,
    )
    one = OneJob(job)
    monkeypatch.setattr(
        "vitals.runtime.working.wiring", lambda: a_wiring(tenants=Counters(), jobs=one)
    )
    monkeypatch.setattr(jobs, "RUNNERS", {RESCORE: broken})

    line, again = run(caplog, one), run(caplog, one)

    assert (line["state"], again["state"]) == (FAILED, FAILED)
    assert (line["trace_id"], line["tenant_id"], line["job_id"]) == ("trace-1", "01T", "01J")
    service = logger().service
    assert set(taken(line)) == {(service,), (service, RESCORE)}
    assert taken(line)[(service,)]["jobs_failed"] == 1
    assert taken(again)[(service,)]["jobs_failed"] == 0

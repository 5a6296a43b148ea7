"""Alarms, dashboard and docs/operations.md speak of what there is, and of all of it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from local.dynamodb import ROOT
from tests.builders import NOW, a_key, a_tenant
from tests.contract.runbook import RUNBOOK, anchors, blocks, commands
from tests.contract.stack import DOCUMENT, FUNCTIONS, RESOURCES, of_type
from tests.unit.runtime.invoking import EVENT, Counters, Lambda, OneJob, a_wiring, written

import deliver
import jobs
import reports
from action_table import ACTIONS
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.job import REPORT, Job
from vitals.runtime import serve as serving
from vitals.runtime import working
from vitals.runtime.http import Response
from vitals.runtime.metrics import DELIVERY, JOB, NAMESPACE, REQUEST
from vitals.runtime.serve import Exchange, serve
from vitals.usecases.inputs import read
from vitals.usecases.jobs import RESCORE

ALARMS = of_type("AWS::CloudWatch::Alarm")
[DASHBOARD] = of_type("AWS::CloudWatch::Dashboard").values()
BODY: str = DASHBOARD["DashboardBody"]["Fn::Sub"]
EMITTED = {
    (name, frozenset(by))
    for table in (REQUEST, JOB, DELIVERY)
    for by in table
    for name in table[by]
}
"""Each metric of ours, with the members that are its dimensions."""
LAMBDAS = {"@timestamp", "@log", "type"} | {
    "record.requestId", "record.status", "record.errorType",
    "record.metrics.durationMs", "record.metrics.maxMemoryUsedMB",
}  # fmt: skip
"""What CloudWatch and Lambda put beside the lines' own members, or into lines of their own."""
OF_THE_CLI = {"--cli-binary-format", "--max-items", "--notification-endpoint"}
"""Options that the CLI adds to the operations' own, or calls otherwise."""
BROKE_OFF = {"message broke off", "reaction broke off"}
INSIGHTS = {"filter", "fields", "stats", "sort", "limit", "by", "as", "in", "like", "and", "desc"}
"""The words of CloudWatch Logs Insights."""


def plain(value: Any) -> str:
    """Return a string of the template, with whatever it refers to left in braces."""
    return str(value["Fn::Sub"] if isinstance(value, dict) else value)


def watched(alarm: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the namespace, the name and the dimensions of each metric of an alarm."""
    queries = [
        each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each
    ]
    for metric in queries or ([alarm] if "MetricName" in alarm else []):
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        yield metric["Namespace"], metric["MetricName"], dimensions


def widgets() -> list[Any]:
    """Return the dashboard's widgets, every reference replaced."""
    body = json.loads(re.sub(r"\$\{[^}]+\}", "x", BODY))
    found: list[Any] = body["widgets"]
    return found


def shown() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield the namespace, the name and the dimensions of each metric of the dashboard."""
    for widget in widgets():
        for first, *rest in widget["properties"].get("metrics", []):
            if isinstance(first, dict):
                found = re.fullmatch(
                    r"""SEARCH\('\{([^,]+),(.+)\} MetricName="(\w+)".*', '(?:Sum|p\d+)', 300\)""",
                    first["expression"],
                )
                assert found, first
                yield found[1], found[3], frozenset(found[2].split(","))
            else:
                name, *pairs = [each for each in rest if isinstance(each, str)]
                yield first, name, frozenset(pairs[::2])


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_an_alarm_has_its_section_and_tells_somebody(alarm: str) -> None:
    found = ALARMS[alarm]
    _, _, name = plain(found["AlarmName"]).partition("${AWS::StackName}-")

    assert name.replace("-", "") + "alarm" == alarm.lower()
    assert found["AlarmDescription"].endswith(f" See docs/operations.md#{name}")
    assert name in anchors("Alarms")
    assert found["AlarmActions"] == found["OKActions"] == [{"Ref": "AlarmTopic"}]
    assert found["TreatMissingData"] == "notBreaching", "nobody asks anything at night"
    assert f'"${{{alarm}.Arn}}"' in BODY, "the dashboard has it, too"


def test_every_section_about_an_alarm_is_about_one_that_exists() -> None:
    assert len(anchors("Alarms")) == len(ALARMS)
    _, _, rest = RUNBOOK.partition("\n## Alarms\n")
    sections = rest.partition("\n## ")[0].split("\n### ")[1:]
    for section in sections:
        assert re.findall(r"^\*\*(\w[\w ]+)\*\*", section, re.MULTILINE) == [
            "Means", "See", "Now", "Can wait",
        ]  # fmt: skip


def test_alarms_watch_metrics_that_the_code_writes() -> None:
    ours = [
        (name, by)
        for alarm in ALARMS.values()
        for namespace, name, by in watched(alarm)
        if namespace == NAMESPACE
    ]
    assert len(ours) > 5
    for name, by in ours:
        assert (name, frozenset(by)) in EMITTED
        assert plain(by["service"]) == service()
        assert by.get("action", "whoami") in ACTIONS


def service() -> str:
    """Return the `service` member of every line, as the template sets it."""
    variables = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]
    return plain(variables["POWERTOOLS_SERVICE_NAME"])


def test_the_dashboard_shows_metrics_that_the_code_writes_and_all_of_them() -> None:
    ours = {(name, by) for namespace, name, by in shown() if namespace == NAMESPACE}

    assert ours <= EMITTED
    assert {name for name, _ in ours} == {name for name, _ in EMITTED} - {"job_ms", "delivery_ms"}
    assert set(re.findall(r"vitals-[^\"\\']*", BODY)) == {service()}


def test_no_widget_is_without_a_place_to_look() -> None:
    for widget in widgets():
        if widget["type"] == "metric":
            assert widget["properties"]["region"]
            assert widget["properties"]["title"]


def test_every_function_and_every_queue_of_dead_letters_has_an_alarm() -> None:
    [query] = ALARMS["FunctionsFailingAlarm"]["Metrics"]
    named = set(re.findall(r"FunctionName = '\$\{(\w+)\}'", query["Expression"]["Fn::Sub"]))
    assert named == set(FUNCTIONS)

    letters = {name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")}
    assert letters == {
        by["QueueName"]["Fn::GetAtt"][0]
        for alarm in ALARMS.values()
        for _, name, by in watched(alarm)
        if name == "ApproximateNumberOfMessagesVisible"
    }


def test_alarms_reach_their_topic_though_it_is_encrypted() -> None:
    topic = RESOURCES["AlarmTopic"]["Properties"]
    key = RESOURCES["AlarmKey"]["Properties"]
    [_, cloudwatch] = key["KeyPolicy"]["Statement"]

    assert topic["KmsMasterKeyId"] == {"Ref": "AlarmKey"}, "alias/aws/sns is closed to CloudWatch"
    assert cloudwatch["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert set(cloudwatch["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    assert key["EnableKeyRotation"] is True


def test_a_deployment_without_an_address_subscribes_nobody() -> None:
    assert DOCUMENT["Parameters"]["AlarmEmail"]["Default"] == ""
    assert RESOURCES["AlarmSubscription"]["Condition"] == "HasAlarmEmail"
    assert DOCUMENT["Conditions"]["HasAlarmEmail"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]
    }


def test_queries_look_into_the_log_of_every_function() -> None:
    [asked_of] = [each for each in blocks("sh") if "aws logs start-query" in each]
    groups = {
        plain(RESOURCES[each["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]["LogGroupName"])
        for each in FUNCTIONS.values()
    }

    named = set(re.findall(r'"(/aws/lambda/\$STACK-\w+)"', asked_of))
    assert named == {each.replace("${AWS::StackName}", "$STACK") for each in groups}


@pytest.fixture
def members(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The members of the lines of a refused request, a failed one, a delivery, and a job."""
    monkeypatch.setattr(serving, "wiring", a_wiring)

    def refused(exchange: Exchange) -> Response:
        exchange.admitted(a_key(), a_tenant())
        raise ValidationError([FieldError("name", "required", "…")])

    def failed(_: Exchange) -> Response:
        raise KeyError("…")

    for route in (refused, failed):
        serve(EVENT, Lambda(), route)
    asked = SimpleNamespace(background=lambda *_: object())
    monkeypatch.setattr(deliver, "wiring", lambda: asked)
    monkeypatch.setattr(deliver, "deliver", lambda *_: "failed")
    body = json.dumps({"tenant_id": "t", "delivery_id": "d"})
    deliver.handler({"Records": [{"messageId": "m", "body": body}]}, Lambda())
    job = Job(id="j", tenant_id="t", kind=RESCORE, by="k", created_at=NOW, state="done")
    one = OneJob(job)
    monkeypatch.setattr(working, "wiring", lambda: a_wiring(tenants=Counters(), jobs=one))
    jobs.handler(one.event, Lambda())
    return {name for line in written(caplog) for name in line}


def test_every_log_member_that_is_explained_or_asked_for_is_written(members: set[str]) -> None:
    _, _, table = RUNBOOK.partition("| member | what it says |\n")
    cells = [row.split("|")[1] for row in table.partition("\n\n")[0].splitlines()[1:]]
    explained = set(re.findall(r"`(\w+)`", " ".join(cells)))
    access = json.loads(RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"])

    assert explained <= members
    assert {name for name, _ in EMITTED} <= explained
    for query in blocks("logs"):
        aliases = set(re.findall(r"\bas (\w+)", query))
        assert asked(query) - aliases <= members | set(access) | LAMBDAS


def asked(query: str) -> set[str]:
    """Return the members that a query of CloudWatch Logs Insights names."""
    bare = re.sub(r'"[^"]*"|/[^/]*/', "", query)
    words = set(re.findall(r"(?<![\w.])@?[a-z_][\w.]*", bare))
    return words - set(re.findall(r"(\w+)\(", bare)) - INSIGHTS


def test_every_line_that_is_looked_for_is_written_somewhere() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("functions", "layers")
        for path in (ROOT / folder).rglob("*.py")
    )
    filters = re.findall(r"filter message (?:= |in \[)([^|\]\n]+)", RUNBOOK)
    messages = {each for some in filters for each in re.findall(r'"([^"]+)"', some)}
    assert {"request", "unforeseen", "job", "delivery", *BROKE_OFF} == messages
    assert all(f'"{message}"' in code for message in messages)


def test_every_action_that_is_called_takes_what_it_is_given() -> None:
    sent = [call[call.index("-d") + 1] for call in commands() if call[0] == "curl"]
    asked = [json.loads(each) for each in sent]

    assert len(asked) > 10
    for each in asked:
        assert read(ACTIONS[each["action"]].takes, each["data"])[1] == [], "no warnings"


def test_every_command_of_the_aws_cli_is_one() -> None:
    session = botocore.session.get_session()
    seen = set()
    for _, service_name, operation, *rest in (each for each in commands() if each[0] == "aws"):
        seen.add(service_name)
        model = session.get_service_model(service_name.removesuffix("api"))  # as of s3api
        if operation == "wait":
            waiters = session.get_waiter_model(service_name)
            operations = {xform_name(name, "-"): name for name in waiters.waiter_names}
            named = waiters.get_waiter(operations[rest[0]]).operation
        else:
            named = {xform_name(name, "-"): name for name in model.operation_names}[operation]
        shape = model.operation_model(named).input_shape
        assert shape is not None
        options = {f"--{xform_name(name, '-')}": member for name, member in shape.members.items()}
        given = {each for each in rest if each.startswith("--")} - {"--query", "--output"}
        switches = {f"--no-{name[2:]}" for name, m in options.items() if m.type_name == "boolean"}
        assert given <= set(options) | switches | OF_THE_CLI, (service_name, operation)
        required = {f"--{xform_name(name, '-')}" for name in shape.required_members}
        assert required <= given, (service_name, operation)
    assert len(seen) > 8


def test_every_resource_that_is_looked_up_is_in_the_template() -> None:
    option = "--logical-resource-id"
    names = {each[each.index(option) + 1] for each in commands() if option in each}
    assert len(names) > 5
    assert names <= set(RESOURCES)


def test_the_messages_that_start_jobs_and_reports_by_hand_start_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report, sent = [each for each in commands() if "send-message" in each]
    body = sent[sent.index("--message-body") + 1]
    of_report = report[report.index("--message-body") + 1]
    target = RESOURCES["JobsPipe"]["Properties"]["TargetParameters"]["SqsQueueParameters"]
    done = Job(id="JOB", tenant_id="TENANT", kind=RESCORE, by="k", created_at=NOW, state="done")
    found = []

    class Found(OneJob):
        def get(self, tenant_id: str, job_id: str) -> Job:
            found.append((tenant_id, job_id))
            return self.job

    for kind, handler, each in (
        (RESCORE, jobs.handler, body),
        (REPORT, reports.handler, of_report),
    ):
        wired = a_wiring(tenants=Counters(), jobs=Found(replace(done, kind=kind)))
        monkeypatch.setattr(working, "wiring", lambda wired=wired: wired)
        event = {"Records": [{"messageId": "m", "body": each}]}
        assert handler(event, Lambda()) == {"batchItemFailures": []}
    assert found == [("TENANT", "JOB")] * 2
    assert report[report.index("--message-group-id") + 1] == json.loads(of_report)["tenant_id"]
    assert target["MessageGroupId"] == "$.dynamodb.Keys.PK.S"
    group = sent[sent.index("--message-group-id") + 1]
    assert group == json.loads(body)["dynamodb"]["Keys"]["PK"]["S"]


def test_every_link_leads_somewhere() -> None:
    for place in re.findall(r"\]\(#([^)]+)\)", RUNBOOK):
        assert place in anchors()
    for file in re.findall(r"\b(docs/[\w-]+\.md|CHANGELOG\.md)\b", RUNBOOK):
        assert (ROOT / file).exists()
    assert "docs/operations.md" in (ROOT / "README.md").read_text(encoding="utf-8")

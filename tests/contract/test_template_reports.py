"""What template.yaml promises of reports: none is lost, and none holds up another tenant's."""

import json
import re
from typing import Any

import pytest
from local.dynamodb import ROOT
from local.template import read
from tests.builders import TENANT_ID
from tests.contract.stack import DOCUMENT, FUNCTIONS, PATH, arn, events, of_type, reacted_to

from vitals.storage.keys import tenant_of_jobs
from vitals.storage.stream import record_of

QUEUES = of_type("AWS::SQS::Queue")
PARAMETERS = DOCUMENT["Parameters"]
[PIPE] = read(PATH, {}).pipes


def sample(folder: str, name: str) -> dict[str, Any]:
    """Return the only record of one of the sample events."""
    event = json.loads((ROOT / f"events/{folder}/{name}.json").read_text(encoding="utf-8"))
    [record] = event["Records"]
    found: dict[str, Any] = record
    return found


def a_job(**image: str) -> dict[str, Any]:
    """Return the record of a job that was written."""
    item = {name: {"S": value} for name, value in {"PK": "T#t#JOBS", "SK": "j", **image}.items()}
    return {"dynamodb": {"Keys": {name: item[name] for name in ("PK", "SK")}, "NewImage": item}}


@pytest.mark.parametrize(
    ("image", "piped", "reacted"),
    [
        ({"state": "queued"}, True, False),
        ({"state": "queued", "queue": "reports"}, False, True),
        ({"state": "running", "queue": "reports"}, False, False),
        ({"state": "done"}, False, False),
        ({"queue": "reports"}, False, False),
    ],
)
def test_a_job_that_is_queued_goes_one_way_a_report_the_other_and_none_goes_both(
    image: dict[str, str], piped: object, reacted: object
) -> None:
    record = a_job(**image)

    assert (PIPE.lets_through(record), reacted_to(record)) == (piped, reacted)


def test_the_message_of_a_report_names_the_job_that_was_written() -> None:
    written, sent = sample("reactions", "report_queued"), sample("reports", "queued")
    item = written["dynamodb"]["NewImage"]

    assert json.loads(sent["body"]) == {
        "tenant_id": tenant_of_jobs(item["PK"]["S"]),
        "job_id": item["SK"]["S"],
    }
    assert sent["attributes"]["MessageGroupId"] == TENANT_ID
    record = record_of(written)
    assert record.report_job == item["SK"]["S"]
    assert sent["attributes"]["MessageDeduplicationId"] == record.unique
    assert not PIPE.lets_through(written)


def test_a_tenants_reports_are_made_one_by_one_and_nobody_elses_wait_for_them() -> None:
    [event] = events("ReportsFunction", "SQS")
    queue = QUEUES["ReportsQueue"]

    assert json.dumps(event["Queue"]) == arn("ReportsQueue")
    assert event["BatchSize"] == 1
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["ScalingConfig"] == {"MaximumConcurrency": 50}
    assert queue["FifoQueue"] is True
    # Else a FIFO queue takes 300 calls a second, of everybody together.
    assert queue["DeduplicationScope"] == "messageGroup"
    assert queue["FifoThroughputLimit"] == "perMessageGroupId"


def test_a_report_has_its_time_before_the_queue_hands_it_out_again() -> None:
    assert QUEUES["ReportsQueue"]["VisibilityTimeout"] > FUNCTIONS["ReportsFunction"]["Timeout"]
    assert FUNCTIONS["ReportsFunction"]["Timeout"] == 120


def test_the_largest_report_has_its_memory_whatever_the_others_have() -> None:
    assert FUNCTIONS["ReportsFunction"]["MemorySize"] == {"Ref": "ReportsMemorySize"}
    # Twice what the largest holds, 352 MB, and what Python and the fonts take beside.
    assert PARAMETERS["ReportsMemorySize"]["MinValue"] >= 1024


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("", True),
        ("https://vitals.example.com", True),
        ("https://example.com/vitals", False),
        ("https://example.com/", False),
        ("http://example.com", False),
        ("https://example.com/x?y", False),
        ("example.com", False),
    ],
)
def test_links_lead_to_a_domain_of_ones_own_that_they_can_be_added_to(
    url: str, is_one: object
) -> None:
    assert bool(re.fullmatch(PARAMETERS["PublicUrl"]["AllowedPattern"], url)) is is_one


def test_a_report_that_nobody_can_make_is_set_aside_and_kept() -> None:
    redrive = QUEUES["ReportsQueue"]["RedrivePolicy"]

    assert redrive["maxReceiveCount"] == 3
    assert json.dumps(redrive["deadLetterTargetArn"]) == arn("ReportsDeadLetters")
    assert QUEUES["ReportsDeadLetters"]["FifoQueue"] is True


def test_the_local_cloud_plays_the_same_way_to_reports() -> None:
    found = read(PATH, {}, "http://127.0.0.1:3000")
    [source] = [one for one in found.event_sources if one.function == "ReportsFunction"]
    variables = found.function("reports").environment

    assert source.queue.url == variables["REPORTS_QUEUE_URL"]
    assert source.queue.arn.endswith(":local-reports.fifo")
    assert found.buckets == (variables["REPORTS_BUCKET"],) == ("local-reportsbucket",)
    assert variables["API_URL"] == "http://127.0.0.1:3000"

"""What template.yaml promises of reactions: none is lost, and no tenant waits for another's."""

import json
from typing import Any

import pytest
from local.dynamodb import ROOT
from local.template import read
from tests.builders import ID, TENANT_ID, a_tenant
from tests.contract.stack import FUNCTIONS, PATH, arn, events, of_type, reacted_to

from vitals.storage import keys
from vitals.storage.stream import record_of

QUEUES = of_type("AWS::SQS::Queue")
[MAPPING] = events("ReactionsFunction", "DynamoDB")
STREAM = {"Fn::GetAtt": ["Table", "StreamArn"]}


def sample(folder: str, name: str) -> dict[str, Any]:
    """Return the only record of one of the sample events."""
    event = json.loads((ROOT / f"events/{folder}/{name}.json").read_text(encoding="utf-8"))
    [record] = event["Records"]
    found: dict[str, Any] = record
    return found


def a_record(sort_key: str, **image: str) -> dict[str, Any]:
    """Return the record of an item that was written."""
    item = {name: {"S": value} for name, value in {"PK": "T#t", "SK": sort_key, **image}.items()}
    return {"dynamodb": {"Keys": {name: item[name] for name in ("PK", "SK")}, "NewImage": item}}


@pytest.mark.parametrize(
    "name", ["customer_created", "score_dropped", "delivery_pending", "report_queued"]
)
def test_what_reactions_follow_from_reaches_the_function(name: str) -> None:
    assert reacted_to(sample("reactions", name))


def test_whatever_was_done_to_a_customer_or_the_model_reaches_the_function() -> None:
    _, customer = keys.customer(a_tenant(), ID)
    erased = {"dynamodb": {"Keys": {"PK": {"S": "T#t#0"}, "SK": {"S": customer}}}}

    assert reacted_to(erased)
    assert reacted_to(a_record(keys.model(7)))


@pytest.mark.parametrize(
    "record",
    [
        a_record(keys.version(1), row="{}"),
        a_record("2026-03-02T13:00:01.000Z#trace-1", row="{}"),
        a_record("M#29540880"),
        a_record(keys.TENANT, row="{}"),
        a_record(keys.CLOCK, row="2026-03-03T00:00:00.000Z"),
        a_record(ID, state="queued"),
        a_record(f"{ID}_c", state="delivered"),
        {"dynamodb": {"Keys": {"PK": {"S": "T#t"}, "SK": {"S": f"{ID}_c"}}}},
    ],
    ids=["change", "request", "counters", "tenant", "clock", "job", "delivered", "expired"],
)
def test_what_nothing_follows_from_costs_no_invocation(record: dict[str, Any]) -> None:
    assert not reacted_to(record)


def test_the_samples_are_what_storage_writes() -> None:
    created, dropped, pending = (
        record_of(sample("reactions", name))
        for name in ("customer_created", "score_dropped", "delivery_pending")
    )
    before, after = (dropped.customer(a_tenant(), each) for each in (dropped.old, dropped.new))

    assert (dropped.partition, dropped.sort) == keys.customer(a_tenant(), ID)
    assert before is not None
    assert after is not None
    assert (before.score, after.score, after.version) == (76, 40, before.version + 1)
    assert after.change_id > before.change_id > ""
    assert (created.old, created.new) == (None, dropped.old)
    assert pending.delivery is not None
    first = sample("deliver", "first_attempt")
    assert json.loads(first["body"]) == {"tenant_id": TENANT_ID, "delivery_id": pending.delivery[0]}
    assert first["attributes"]["MessageGroupId"] == TENANT_ID


def test_a_shard_of_the_stream_bears_the_pipe_and_the_reactions_and_no_third_reader() -> None:
    mappings = [
        name
        for name in FUNCTIONS
        for event in events(name, "DynamoDB")
        if event["Stream"] == STREAM
    ]
    pipes = [name for name, pipe in of_type("AWS::Pipes::Pipe").items() if pipe["Source"] == STREAM]

    assert (mappings, pipes) == (["ReactionsFunction"], ["JobsPipe"])
    assert not of_type("AWS::Lambda::EventSourceMapping")


def test_no_reaction_is_lost_on_its_way_from_the_stream() -> None:
    [letters, attribute] = MAPPING["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"]

    assert MAPPING["StartingPosition"] == "TRIM_HORIZON"
    assert 0 < MAPPING["MaximumRecordAgeInSeconds"] < 24 * 3600, "a stream keeps a day"
    assert MAPPING["DestinationConfig"]["OnFailure"]["Type"] == "SQS"
    assert (letters, attribute) == ("ReactionsDeadLetters", "Arn")
    # Lambda's dead letters have no message group, which a FIFO queue would demand.
    assert "FifoQueue" not in QUEUES[letters]


def test_a_poisoned_record_is_found_and_stops_no_shard() -> None:
    assert MAPPING["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert MAPPING["BisectBatchOnFunctionError"] is True
    assert 0 < MAPPING["MaximumRetryAttempts"] < 100


def test_reactions_run_side_by_side_and_have_time_for_a_whole_batch() -> None:
    assert MAPPING["BatchSize"] == 100
    assert MAPPING["ParallelizationFactor"] == 4
    assert FUNCTIONS["ReactionsFunction"]["Timeout"] == 120


def test_a_tenants_deliveries_are_attempted_one_by_one_and_nobody_elses_wait_for_them() -> None:
    [event] = events("DeliverFunction", "SQS")
    queue = QUEUES["DeliveriesQueue"]

    assert json.dumps(event["Queue"]) == arn("DeliveriesQueue")
    assert event["BatchSize"] == 1
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["ScalingConfig"] == {"MaximumConcurrency": 100}
    assert queue["FifoQueue"] is True
    # Else a FIFO queue takes 300 calls a second, of everybody together.
    assert queue["DeduplicationScope"] == "messageGroup"
    assert queue["FifoThroughputLimit"] == "perMessageGroupId"


def test_an_attempt_is_over_before_the_queue_hands_it_out_again() -> None:
    assert QUEUES["DeliveriesQueue"]["VisibilityTimeout"] > FUNCTIONS["DeliverFunction"]["Timeout"]
    assert FUNCTIONS["DeliverFunction"]["Timeout"] > 2 * 15 + 10, "a receiver has 15 s"
    mail = 2 * (2 + 5) + (2 + 20)
    assert FUNCTIONS["DeliverFunction"]["Timeout"] > 2 * mail + 10, "S3 is asked twice, SES once"


def test_a_delivery_that_breaks_the_function_is_set_aside_and_kept() -> None:
    redrive = QUEUES["DeliveriesQueue"]["RedrivePolicy"]

    assert redrive["maxReceiveCount"] == 5
    assert json.dumps(redrive["deadLetterTargetArn"]) == arn("DeliveriesDeadLetters")
    assert QUEUES["DeliveriesDeadLetters"]["FifoQueue"] is True


def test_the_local_cloud_plays_the_same_way_to_reactions_and_deliveries() -> None:
    [stream] = read(PATH, {}).stream_sources
    assert (stream.function, stream.table) == ("ReactionsFunction", "customer-vitals")
    assert (stream.batch_size, stream.bisects, stream.reports_failures) == (100, True, True)
    assert stream.dead_letters == "ReactionsDeadLetters"
    assert stream.lets_through(sample("reactions", "score_dropped"))

    [source] = [one for one in read(PATH, {}).event_sources if one.function == "DeliverFunction"]

    assert source.queue.arn.endswith(":local-deliveries.fifo")
    assert (source.queue.max_receives, source.concurrency) == (5, 100)
    assert source.reports_failures

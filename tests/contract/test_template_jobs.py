"""What template.yaml promises of jobs: none is lost, none holds up another tenant's."""

import json

import pytest
from local.template import read
from tests.contract.stack import FUNCTIONS, PATH, RESOURCES, arn, events, granted, of_type, role_of

QUEUES = of_type("AWS::SQS::Queue")
[PIPE] = of_type("AWS::Pipes::Pipe").values()
FORTNIGHT = 14 * 24 * 3600  # the longest that SQS keeps a message


def test_an_item_written_as_queued_becomes_a_message_of_its_tenant() -> None:
    source, target = PIPE["SourceParameters"], PIPE["TargetParameters"]
    [pattern] = source["FilterCriteria"]["Filters"]

    assert PIPE["Source"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    # What asks of `queue` itself asks nothing: to EventBridge, only a leaf is there or is not.
    assert json.loads(pattern["Pattern"]) == {
        "dynamodb": {"NewImage": {"state": {"S": ["queued"]}, "queue": {"S": [{"exists": False}]}}}
    }
    assert json.dumps(PIPE["Target"]) == arn("JobsQueue")
    assert target == {
        "SqsQueueParameters": {
            "MessageGroupId": "$.dynamodb.Keys.PK.S",
            "MessageDeduplicationId": "$.eventID",
        }
    }
    assert "Enrichment" not in PIPE


def test_no_job_is_lost_on_its_way_from_the_stream() -> None:
    stream = PIPE["SourceParameters"]["DynamoDBStreamParameters"]

    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["BatchSize"] <= 10, "SQS takes no more at once, and the default is 100"
    assert 0 < stream["MaximumRecordAgeInSeconds"] < 24 * 3600, "a stream keeps a day"
    assert json.dumps(stream["DeadLetterConfig"]["Arn"]) == arn("JobsPipeDeadLetters")
    # A pipe's dead letters have no message group, which a FIFO queue would demand.
    assert "FifoQueue" not in QUEUES["JobsPipeDeadLetters"]


def test_a_record_that_sqs_refuses_does_not_hold_up_other_tenants_for_ever() -> None:
    stream = PIPE["SourceParameters"]["DynamoDBStreamParameters"]

    assert stream["OnPartialBatchItemFailure"] == "AUTOMATIC_BISECT"
    assert 0 < stream["MaximumRetryAttempts"] < 100


def test_the_pipe_may_read_the_stream_and_send_and_nothing_else() -> None:
    role = role_of(PIPE, "RoleArn")
    [trust] = RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert granted(role) == {
        json.dumps({"Fn::GetAtt": ["Table", "StreamArn"]}): {
            f"dynamodb:{action}"
            for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
        },
        arn("JobsQueue"): {"sqs:SendMessage"},
        arn("JobsPipeDeadLetters"): {"sqs:SendMessage"},
    }
    assert trust["Principal"] == {"Service": "pipes.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_a_job_is_one_message_at_a_time_of_a_tenant_and_ten_at_most() -> None:
    [event] = events("JobsFunction", "SQS")

    assert json.dumps(event["Queue"]) == arn("JobsQueue")
    assert QUEUES["JobsQueue"]["FifoQueue"] is True
    assert event["BatchSize"] == 1
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["ScalingConfig"] == {"MaximumConcurrency": 10}


def test_a_job_has_its_time_before_the_queue_hands_it_out_again() -> None:
    assert QUEUES["JobsQueue"]["VisibilityTimeout"] > FUNCTIONS["JobsFunction"]["Timeout"] == 300


def test_a_job_that_nobody_can_run_is_set_aside_and_kept() -> None:
    redrive, letters = QUEUES["JobsQueue"]["RedrivePolicy"], QUEUES["JobsDeadLetters"]

    assert redrive["maxReceiveCount"] == 3
    assert json.dumps(redrive["deadLetterTargetArn"]) == arn("JobsDeadLetters")
    assert letters["FifoQueue"] is True, "the dead letters of a FIFO queue are one too"


@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_every_queue_is_encrypted_and_keeps_its_messages_as_long_as_it_can(queue: str) -> None:
    assert QUEUES[queue]["SqsManagedSseEnabled"] is True
    assert QUEUES[queue]["MessageRetentionPeriod"] == FORTNIGHT
    name = QUEUES[queue]["QueueName"]["Fn::Sub"]
    assert name.endswith(".fifo") == QUEUES[queue].get("FifoQueue", False)


def test_the_local_cloud_plays_the_same_way_to_jobs() -> None:
    found = read(PATH, {})

    [pipe] = found.pipes
    [source] = [one for one in found.event_sources if one.function == "JobsFunction"]
    assert pipe.table == "customer-vitals"
    assert pipe.queue == source.queue
    assert pipe.queue.arn.endswith(":local-jobs.fifo")

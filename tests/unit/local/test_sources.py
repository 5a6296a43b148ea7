"""Reading pipes, queues and event sources from a template."""

from pathlib import Path

import pytest
from local.console import LocalCloudError
from local.template import Template, read

TEMPLATE = """
Resources:
  JobsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/jobs
      Handler: jobs.handler
      Events:
        Job:
          Type: SQS
          Properties:
            Queue: !GetAtt JobsQueue.Arn
            BatchSize: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 10}
  JobsQueue:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: true
      RedrivePolicy: {deadLetterTargetArn: !GetAtt JobsDeadLetters.Arn, maxReceiveCount: 3}
  JobsDeadLetters:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true, QueueName: dead.fifo}
  LostRecords: {Type: AWS::SQS::Queue}
  JobsPipe:
    Type: AWS::Pipes::Pipe
    Properties:
      RoleArn: !GetAtt Elsewhere.Arn
      Source: !GetAtt Table.StreamArn
      SourceParameters:
        DynamoDBStreamParameters:
          StartingPosition: TRIM_HORIZON
          DeadLetterConfig: {Arn: !GetAtt LostRecords.Arn}
        FilterCriteria:
          Filters:
            - Pattern: '{"dynamodb": {"NewImage": {"state": {"S": ["queued"]}}}}'
      Target: !GetAtt JobsQueue.Arn
      TargetParameters:
        SqsQueueParameters:
          MessageGroupId: $.dynamodb.Keys.PK.S
          MessageDeduplicationId: $.eventID
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: customers
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
"""
STREAM = """
  ReactionsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/reactions
      Handler: reactions.handler
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 50
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 5
            MaximumRecordAgeInSeconds: 72000
            ParallelizationFactor: 2
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig:
              OnFailure: {Type: SQS, Destination: !GetAtt LostRecords.Arn}
            FilterCriteria:
              Filters:
                - Pattern: '{"dynamodb": {"Keys": {"PK": {"S": [{"prefix": "T#"}]}}}}'
"""
RECORD = {
    "eventID": "7",
    "dynamodb": {"Keys": {"PK": {"S": "T#a"}}, "NewImage": {"state": {"S": "queued"}}},
}


def template(folder: Path, text: str = TEMPLATE) -> Template:
    path = folder / "template.yaml"
    path.write_text(text)
    return read(path, {"AWS_REGION": "eu-west-1"})


def test_a_pipe_leads_from_a_tables_stream_to_a_queue(tmp_path: Path) -> None:
    [pipe] = template(tmp_path).pipes
    assert (pipe.name, pipe.table, pipe.queue.name) == ("JobsPipe", "customers", "JobsQueue")
    assert pipe.table_arn == "arn:aws:dynamodb:eu-west-1:123456789012:table/customers"
    assert (pipe.group(RECORD), pipe.deduplication(RECORD)) == ("T#a", "7")


def test_a_pipe_lets_through_what_one_of_its_filters_matches(tmp_path: Path) -> None:
    [pipe] = template(tmp_path).pipes
    assert pipe.lets_through(RECORD)
    assert not pipe.lets_through({**RECORD, "dynamodb": {"NewImage": {}}})


def test_a_pipe_without_a_filter_lets_everything_through(tmp_path: Path) -> None:
    head, _, rest = TEMPLATE.partition("        FilterCriteria:")
    [pipe] = template(tmp_path, head + rest[rest.index("      Target:") :]).pipes
    assert pipe.lets_through({})


def test_a_queue_invokes_a_function(tmp_path: Path) -> None:
    [source] = template(tmp_path).event_sources
    assert (source.function, source.queue.name) == ("JobsFunction", "JobsQueue")
    assert source.queue.arn == "arn:aws:sqs:eu-west-1:123456789012:JobsQueue.fifo"
    assert (source.concurrency, source.reports_failures) == (10, True)
    assert source.queue.max_receives == 3


def test_a_stream_invokes_a_function(tmp_path: Path) -> None:
    [source] = template(tmp_path, TEMPLATE + STREAM).stream_sources
    assert (source.name, source.function) == ("ReactionsFunction.Stream", "ReactionsFunction")
    assert (source.table, source.table_arn.rpartition(":")[2]) == ("customers", "table/customers")
    assert (source.batch_size, source.max_retries) == (50, 5)
    assert (source.bisects, source.reports_failures) == (True, True)
    assert source.dead_letters == "LostRecords"
    assert source.lets_through(RECORD)
    assert not source.lets_through({"dynamodb": {"Keys": {"PK": {"S": "X"}}}})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("StartingPosition: TRIM_HORIZON\n            B", "StartingPosition: LATEST\n            B",
         "play ReactionsFunction.Stream: a start elsewhere"),
        ("MaximumRetryAttempts: 5", "MaximumRetryAttempts: -1", "no MaximumRetryAttempts"),
        ("            MaximumRetryAttempts: 5\n", "", "no MaximumRetryAttempts"),
        ("BatchSize: 50", "TumblingWindowInSeconds: 5", "TumblingWindowInSeconds"),
        ("!GetAtt LostRecords.Arn}\n            F", "!GetAtt JobsQueue.Arn}\n            F",
         "no standard queue here"),
        ("OnFailure: {", "OnSuccess: {", "OnSuccess"),
        ('[{"prefix": "T#"}]', '[{"suffix": "#"}]', "prefixes and absence alone"),
    ],
)  # fmt: skip
def test_what_of_a_stream_it_cannot_play_is_named(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in STREAM
    with pytest.raises(LocalCloudError, match=said):
        template(tmp_path, TEMPLATE + STREAM.replace(old, new))


def test_a_template_of_requests_alone_has_none(tmp_path: Path) -> None:
    found = template(tmp_path, "Resources: {}")
    assert (found.pipes, found.event_sources, found.stream_sources) == ((), (), ())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("RoleArn:", "Enrichment: x\n      RoleArn:", "play JobsPipe: Enrichment"),
        ("RoleArn:", "DesiredState: STOPPED\n      RoleArn:", "play JobsPipe: DesiredState"),
        ("SqsQueueParameters:", "InputTemplate: x\n        SqsQueueParameters:", "InputTemplate"),
        ("StartingPosition: TRIM_HORIZON", "StartingPosition: LATEST", "elsewhere"),
        ("Source: !GetAtt Table.StreamArn", "Source: !GetAtt Table.Arn", "no stream of a table"),
        ("Target: !GetAtt JobsQueue.Arn", "Target: !GetAtt LostRecords.Arn", "no FIFO queue"),
        ("          MessageDeduplicationId: $.eventID\n", "", "group and deduplication id"),
        ('["queued"]', '[{"exists": true}]', "prefixes and absence alone"),
        ("$.eventID", "$.a[0]", r"cannot follow the path \$\.a\[0\]"),
        ("BatchSize: 1", "BatchSize: 10", "play JobsFunction: a BatchSize other than 1"),
        ("            BatchSize: 1\n", "", "play JobsFunction: a BatchSize other than 1"),
        ("BatchSize: 1", "BatchSize: 1\n            FilterCriteria: {}", "FilterCriteria"),
        ("Queue: !GetAtt JobsQueue.Arn", "Queue: !GetAtt LostRecords.Arn", "no FIFO queue"),
    ],
)
def test_what_it_cannot_play_is_named_when_the_template_is_read(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in TEMPLATE
    with pytest.raises(LocalCloudError, match=said):
        template(tmp_path, TEMPLATE.replace(old, new))

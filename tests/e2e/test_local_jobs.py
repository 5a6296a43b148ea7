"""Jobs in the local cloud: from an item that says it is queued to a function that handles it."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from local import dynamodb

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud

_TEMPLATE = """
Resources:
  JobsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/jobs
      Handler: jobs.handler
      Runtime: python3.13
      Timeout: 60
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
      RedrivePolicy: {deadLetterTargetArn: !GetAtt JobsDeadLetters.Arn, maxReceiveCount: 1}
  JobsDeadLetters:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true}
  JobsPipe:
    Type: AWS::Pipes::Pipe
    Properties:
      RoleArn: !GetAtt JobsPipeRole.Arn
      Source: !GetAtt Table.StreamArn
      SourceParameters:
        DynamoDBStreamParameters: {StartingPosition: TRIM_HORIZON}
        FilterCriteria:
          Filters: [{Pattern: '{"dynamodb": {"NewImage": {"state": {"S": ["queued"]}}}}'}]
      Target: !GetAtt JobsQueue.Arn
      TargetParameters:
        SqsQueueParameters:
          MessageGroupId: $.dynamodb.Keys.PK.S
          MessageDeduplicationId: $.eventID
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: jobs
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        [{AttributeName: PK, AttributeType: S}, {AttributeName: SK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}, {AttributeName: SK, KeyType: RANGE}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
"""
# Leaves begun.JOB.PID and done.JOB beside itself; waits while wait.JOB lies there.
_JOBS = """
import json, os, pathlib, time

HERE = pathlib.Path(__file__).parent

def handler(event, context):
    [record] = event["Records"]
    image = json.loads(record["body"])["dynamodb"]["NewImage"]
    job = image["SK"]["S"]
    (HERE / f"begun.{job}.{os.getpid()}").touch()
    while (HERE / f"wait.{job}").exists():
        time.sleep(0.01)
    if (HERE / f"fail.{job}").exists():
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    (HERE / f"done.{job}").write_text(json.dumps(record["attributes"]))
    return {"batchItemFailures": []}
"""


class JobCloud:
    """A local cloud with jobs, and the folder in which its function leaves its traces."""

    def __init__(self, cloud: "Cloud", root: Path) -> None:
        self.traces = root / "functions" / "jobs"
        self.traces.mkdir(parents=True)
        (self.traces / "jobs.py").write_text(_JOBS)
        (root / "template.yaml").write_text(_TEMPLATE)
        self.cloud = cloud
        self.cloud.template = root / "template.yaml"

    @property
    def database(self) -> str:
        state: dict[str, Any] = json.loads((self.cloud.folder / "running.json").read_text())
        return str(state["dynamodb"])

    def queue(self, tenant: str, job: str, url: str | None = None) -> None:
        """Write a job as queued, as a request's transaction does."""
        client: Any = botocore.session.get_session().create_client(
            "dynamodb",
            region_name="us-east-1",
            endpoint_url=url or self.database,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        item = {"PK": f"T#{tenant}#JOBS", "SK": job, "state": "queued"}
        client.put_item(TableName="jobs", Item={name: {"S": item[name]} for name in item})

    def trace(self, pattern: str, count: int = 1) -> list[Path]:
        """Return the traces so named once there are so many."""
        deadline = time.monotonic() + 10
        while len(found := list(self.traces.glob(pattern))) < count:
            assert time.monotonic() < deadline, self.cloud.output
            time.sleep(0.01)
        return found


@pytest.fixture
def jobs(new_cloud: "Callable[[], Cloud]", tmp_path: Path) -> JobCloud:
    made = JobCloud(new_cloud(), tmp_path)
    made.cloud.start()
    return made


def test_a_job_that_a_kill_cut_short_is_handled_after_the_restart(jobs: JobCloud) -> None:
    for name in ("wait.a1", "wait.a2"):
        (jobs.traces / name).touch()
    jobs.queue("a", "a1")
    jobs.queue("a", "a2")
    jobs.queue("b", "b1")
    [begun] = jobs.trace("begun.a1.*")
    jobs.trace("done.b1")  # another tenant does not wait
    jobs.queue("b", "b2")
    jobs.trace("begun.b2.*")  # so b1 is known to be done
    assert not list(jobs.traces.glob("begun.a2.*"))  # the same tenant does

    jobs.cloud.stop(signal.SIGKILL)
    os.kill(int(begun.suffix[1:]), signal.SIGKILL)
    (jobs.traces / "wait.a1").unlink()
    with dynamodb.embedded(jobs.cloud.folder / "log", jobs.cloud.folder / "data/dynamo.db") as db:
        jobs.queue("c", "c1", db.url)  # nobody listens
    jobs.cloud.start()

    jobs.trace("done.a1")
    jobs.trace("done.c1")
    jobs.trace("begun.a2.*")
    (jobs.traces / "wait.a2").unlink()
    jobs.trace("done.a2")
    assert len(jobs.trace("begun.a1.*")) == 2
    assert len(jobs.trace("begun.b1.*")) == 1  # what was done is not handed in again
    assert "Traceback" not in jobs.cloud.output


def test_an_interruption_ends_a_job_quietly_and_the_next_start_takes_it_up(jobs: JobCloud) -> None:
    (jobs.traces / "wait.a1").touch()
    jobs.queue("a", "a1")
    [begun] = jobs.trace("begun.a1.*")

    assert jobs.cloud.stop() == 0, "without waiting for the job, which waits for ever"

    assert jobs.cloud.output.splitlines()[-1] == "Stopped."
    assert "Traceback" not in jobs.cloud.output
    assert "attempt" not in jobs.cloud.output
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.suffix[1:]), 0)
    (jobs.traces / "wait.a1").unlink()
    jobs.cloud.start()
    [done] = jobs.trace("done.a1")
    assert json.loads(done.read_text())["ApproximateReceiveCount"] == "1"


def test_a_dead_letter_is_a_file_that_can_be_handed_in_again(jobs: JobCloud) -> None:
    (jobs.traces / "fail.a1").touch()
    jobs.queue("a", "a1")
    jobs.queue("a", "a2")
    jobs.trace("done.a2")  # the tenant goes on
    [letter] = (jobs.cloud.folder / "dead-letters").iterdir()
    assert f"given up after 1 attempts: the message is now {letter}" in jobs.cloud.output

    (jobs.traces / "fail.a1").unlink()
    done = jobs.cloud.invoke("jobs", letter.read_text())

    assert json.loads(done.stdout) == {"batchItemFailures": []}
    jobs.trace("done.a1")


def test_jobs_run_from_another_dynamodb_too(
    new_cloud: "Callable[[], Cloud]", tmp_path: Path
) -> None:
    jobs = JobCloud(new_cloud(), tmp_path)
    with dynamodb.embedded(tmp_path / "other.log") as other:
        jobs.cloud.environ = {"AWS_ENDPOINT_URL_DYNAMODB": other.url}
        jobs.cloud.start()
        jobs.queue("a", "a1")
        jobs.trace("done.a1")
        assert jobs.cloud.stop() == 0

"""Streams into functions in the local cloud: chains of consequences, kills, and a moved clock."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from local.control import hand
from local.dynamodb import ROOT
from local.folder import DataFolder

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud

_TEMPLATE = """
Globals:
  Function:
    Runtime: python3.13
    Timeout: 30
    Environment:
      Variables: {DELIVERIES_QUEUE_URL: !Ref DeliveriesQueue, SECRETS_KEY: !GetAtt SecretsKey.Arn}
Resources:
  ReactionsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/acts
      Handler: acts.react
      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 20
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig:
              OnFailure: {Type: SQS, Destination: !GetAtt ReactionsDeadLetters.Arn}
            FilterCriteria:
              Filters: [{Pattern: '{"dynamodb": {"Keys": {"PK": {"S": [{"prefix": "C#"}]}}}}'}]
  DeliverFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/acts
      Handler: acts.deliver
      Events:
        Delivery:
          Type: SQS
          Properties:
            Queue: !GetAtt DeliveriesQueue.Arn
            BatchSize: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 20}
  AlertsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/acts
      Handler: acts.look
      Events:
        Often:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: "cron(MINUTES * * * ? *)"
            Input: '{"time": "<aws.scheduler.scheduled-time>"}'
  DeliveriesQueue:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: true
      RedrivePolicy: {deadLetterTargetArn: !GetAtt DeliveriesDeadLetters.Arn, maxReceiveCount: 3}
  DeliveriesDeadLetters: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  ReactionsDeadLetters: {Type: AWS::SQS::Queue}
  SecretsKey: {Type: AWS::KMS::Key}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: acts
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
"""
# A write of C#name becomes a message, the message a write of D#name; C#name with `more` becomes,
# when it is delivered, another C#. An occurrence writes down how many D# there are, and a C# of its
# own. reacting.* holds the keys of each batch; `wait` holds a batch up; C#poison fails every batch.
_ACTS = """
import json, os, pathlib, time, uuid
import botocore.session

HERE = pathlib.Path(__file__).parent
SESSION = botocore.session.get_session()
dynamodb, sqs, kms, ses = (SESSION.create_client(each) for each in
                           ("dynamodb", "sqs", "kms", "sesv2"))

def put(key, **more):
    item = {"PK": key} | more
    dynamodb.put_item(TableName="acts", Item={name: {"S": item[name]} for name in item})

def react(event, context):
    keys = [record["dynamodb"]["Keys"]["PK"]["S"] for record in event["Records"]]
    HERE.joinpath(f"reacting.{time.time_ns()}.{os.getpid()}").write_text(json.dumps(keys))
    while (HERE / "wait").exists():
        time.sleep(0.01)
    if "C#poison" in keys:
        raise ValueError("poison")
    for key, record in zip(keys, event["Records"]):
        sealed = kms.encrypt(KeyId=os.environ["SECRETS_KEY"], Plaintext=key.encode(),
                             EncryptionContext={"tenant": key})
        body = {"key": key, "more": "more" in record["dynamodb"]["NewImage"],
                "secret": sealed["CiphertextBlob"].hex()}
        sqs.send_message(QueueUrl=os.environ["DELIVERIES_QUEUE_URL"], MessageBody=json.dumps(body),
                         MessageGroupId=key, MessageDeduplicationId=record["eventID"])
    return {"batchItemFailures": []}

def deliver(event, context):
    message = json.loads(event["Records"][0]["body"])
    name = message["key"].removeprefix("C#")
    opened = kms.decrypt(CiphertextBlob=bytes.fromhex(message["secret"]),
                         EncryptionContext={"tenant": message["key"]})
    time.sleep(0.05)
    ses.send_email(Content={"Raw": {"Data": b"Subject: " + opened["Plaintext"] + b"\\r\\n\\r\\n"}})
    put(f"D#{name}")
    with open(HERE / "delivered", "a") as file:
        file.write(f"{name}\\n")
    if message["more"]:
        put(f"C#{name}+")

def look(event, context):
    done = dynamodb.scan(TableName="acts", Select="SPECIFIC_ATTRIBUTES", AttributesToGet=["PK"],
                         Limit=1000)["Items"]
    put("C#" + event["time"], more="yes")
    return {"done": sum(item["PK"]["S"].startswith("D#") for item in done),
            "local": os.environ["VITALS_LOCAL"]}
"""


class Chain:
    """A local cloud in which one write leads to the next, and what its functions leave behind."""

    def __init__(self, cloud: "Cloud", root: Path) -> None:
        # Far from now, so that no occurrence comes between: only a tick gets there.
        self.minute = (datetime.now(UTC).minute + 30) % 60
        self.traces = root / "functions" / "acts"
        self.traces.mkdir(parents=True)
        (self.traces / "acts.py").write_text(_ACTS)
        minutes = ",".join(str((self.minute + more) % 60) for more in (0, 5, 10, 15))
        (root / "template.yaml").write_text(_TEMPLATE.replace("MINUTES", minutes))
        self.cloud = cloud
        self.cloud.template = root / "template.yaml"

    def put(self, *keys: str) -> None:
        state = json.loads((self.cloud.folder / "running.json").read_text())
        client: Any = botocore.session.get_session().create_client(
            "dynamodb",
            region_name="us-east-1",
            endpoint_url=state["dynamodb"],
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        for key in keys:
            client.put_item(TableName="acts", Item={"PK": {"S": key}})

    @property
    def delivered(self) -> list[str]:
        file = self.traces / "delivered"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def batches(self) -> list[list[str]]:
        """The keys of each batch that was handed in, in order."""
        return [json.loads(file.read_text()) for file in sorted(self.traces.glob("reacting.*"))]

    def settle(self) -> None:
        """Return once all that was put has had its consequences, and they are written down."""
        with hand(DataFolder(self.cloud.folder)) as clock:
            clock.move(datetime.now(UTC) + timedelta(minutes=1))

    def wait_until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 15
        while not holds():
            assert time.monotonic() < deadline, self.cloud.output
            time.sleep(0.01)


@pytest.fixture
def chain(new_cloud: "Callable[[], Cloud]", tmp_path: Path) -> Chain:
    made = Chain(new_cloud(), tmp_path)
    made.cloud.start()
    return made


def test_a_write_is_delivered_at_once_and_no_other_write_is(chain: Chain) -> None:
    chain.put("C#warm")
    chain.wait_until(lambda: chain.delivered)
    chain.put("X#a", "C#a", "C#b")
    chain.wait_until(lambda: len(chain.delivered) == 3)
    assert sorted(chain.delivered) == ["a", "b", "warm"]
    assert [key for batch in chain.batches for key in batch] == ["C#warm", "C#a", "C#b"]
    mails = [file.read_text() for file in (chain.cloud.folder / "mail").glob("*.eml")]
    assert sorted(mail.split()[1] for mail in mails) == ["C#a", "C#b", "C#warm"]


def test_a_batch_that_a_kill_cut_short_is_handed_in_again(chain: Chain) -> None:
    chain.put("C#before")
    chain.settle()
    (chain.traces / "wait").touch()
    chain.put("C#a")
    chain.wait_until(lambda: len(chain.batches) == 2)
    chain.put("C#b")
    chain.cloud.stop(signal.SIGKILL)
    for begun in sorted(chain.traces.glob("reacting.*"))[1:]:
        # Of another partition, the last one may have been handed in beside the first.
        os.kill(int(begun.suffix[1:]), signal.SIGKILL)
    (chain.traces / "wait").unlink()
    chain.cloud.start()
    chain.wait_until(lambda: len(chain.delivered) == 3)
    assert chain.batches[:2] == [["C#before"], ["C#a"]]
    again = [key for batch in chain.batches[2:] for key in batch]
    assert (again.count("C#a"), set(again)) == (1, {"C#a", "C#b"})
    assert sorted(chain.delivered) == ["a", "b", "before"]
    assert "Traceback" not in chain.cloud.output


def test_a_poisoned_record_becomes_a_file_and_stops_nobody(chain: Chain) -> None:
    (chain.traces / "wait").touch()
    chain.put("C#first")
    chain.wait_until(lambda: chain.batches)
    names = [f"{number:02}" for number in range(15)]
    chain.put(*(f"C#{name}" for name in names[:9]), "C#poison", *(f"C#{n}" for n in names[9:]))
    (chain.traces / "wait").unlink()
    chain.wait_until(lambda: len(chain.delivered) == 16)
    assert sorted(chain.delivered) == [*names, "first"]
    done = [key for batch in chain.batches[1:] if "C#poison" not in batch for key in batch]
    assert done == [f"C#{name}" for name in names], "in order, and none twice"
    [letter] = (chain.cloud.folder / "dead-letters").iterdir()
    assert letter.name.startswith("ReactionsDeadLetters-")
    [record] = json.loads(letter.read_text())["Records"]
    assert record["dynamodb"]["Keys"] == {"PK": {"S": "C#poison"}}
    assert (record["eventSource"], record["awsRegion"]) == ("aws:dynamodb", "us-east-1")


def test_a_tick_goes_on_when_all_is_done_that_followed_over_the_whole_chain(chain: Chain) -> None:
    """Each occurrence leads to a reaction, a delivery, a reaction to that, and a delivery."""
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    while start.minute != chain.minute:
        start += timedelta(minutes=1)
    for until in (start, start + timedelta(minutes=15)):
        ticked = subprocess.run(
            chain.cloud.command("tick", until.isoformat()),
            check=False,
            cwd=ROOT,
            env=chain.cloud.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (ticked.returncode, ticked.stderr) == (0, "")
    *lines, last = ticked.stdout.splitlines()
    counts = [json.loads(line.split("answered ")[1].split("; ")[0])["done"] for line in lines]
    assert counts == [counts[0], counts[0] + 2, counts[0] + 4], "two deliveries each, in time"
    assert all(line.endswith("messages handled: 2") for line in lines)
    assert last.endswith("AlertsFunction ran 3 times")
    assert len(chain.delivered) == counts[0] + 6, "and the last is done when the tick is"
    assert '"local": "1"' in lines[0]


def test_an_interruption_hands_a_batch_in_again_quietly(chain: Chain) -> None:
    (chain.traces / "wait").touch()
    chain.put("C#a")
    chain.wait_until(lambda: chain.batches)
    assert chain.cloud.stop() == 0
    assert chain.cloud.output.splitlines()[-1] == "Stopped."
    assert "attempt" not in chain.cloud.output
    (chain.traces / "wait").unlink()
    chain.cloud.start()
    chain.wait_until(lambda: chain.delivered == ["a"])
    assert chain.batches == [["C#a"], ["C#a"]]


def test_a_function_invoked_alone_sends_to_a_queue_that_the_next_start_empties(
    chain: Chain,
) -> None:
    chain.put("C#a")
    chain.settle()
    assert chain.cloud.stop() == 0
    record = {"eventID": "new", "dynamodb": {"Keys": {"PK": {"S": "C#b"}}, "NewImage": {}}}
    event = json.dumps({"Records": [record]})
    assert chain.cloud.invoke("ReactionsFunction", event).returncode == 0
    chain.cloud.start()
    chain.wait_until(lambda: chain.delivered == ["a", "b"])
    assert chain.cloud.invoke("ReactionsFunction", event.replace("C#b", "C#c")).returncode == 0
    assert chain.cloud.invoke("ReactionsFunction", event.replace("new", "newer")).returncode == 0
    chain.wait_until(lambda: chain.delivered == ["a", "b", "b"])

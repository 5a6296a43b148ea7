"""The services beside DynamoDB, called by botocore's own clients as functions call them."""

import contextlib
import http.client
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from local import services
from local.clock import LocalClock
from local.folder import DataFolder
from local.queues import Message, Queues
from local.sources import EventSource, Queue
from local.template import Template

QUEUE = Queue("Deliveries", "arn:aws:sqs:eu-west-1:123456789012:deliveries.fifo", 3)
BY_CONTENT = Queue("Contents", "arn:aws:sqs:eu-west-1:123456789012:contents.fifo", 3, True)
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-5333-8444-555555555555"
OTHER_KEY = KEY.replace("1111", "9999")
TEMPLATE = Template(
    functions={},
    routes=(),
    tables=(),
    event_sources=tuple(
        EventSource(queue, "Deliver", 20, reports_failures=True) for queue in (QUEUE, BY_CONTENT)
    ),
    keys=(KEY, OTHER_KEY),
)


class Services:
    """The services on a folder of their own, and clients of them."""

    def __init__(self, path: Path) -> None:
        self.folder = DataFolder(path)
        self.folder.database.parent.mkdir(parents=True, exist_ok=True)
        self.clock = LocalClock(self.folder.clock)
        self.queues = Queues(self.folder.queues, lambda: self.clock.now().timestamp())
        self.url = ""

    @contextlib.contextmanager
    def playing(self) -> Iterator["Services"]:
        """Start them, on what is there already."""
        with services.playing(TEMPLATE, self.queues, self.folder, self.clock) as self.url:
            yield self

    def client(self, service: str) -> Any:
        return botocore.session.get_session().create_client(
            service,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def received(self, queue: str = "Deliveries") -> list[Message]:
        """Receive and delete all there is; what is sent later can be received by another call."""
        found = []
        send_last = ("", str(uuid.uuid4()), "the last")
        self.queues.accept(queue, [send_last])
        while (message := self.queues.receive(queue)) is not None:
            self.queues.delete(message)
            if message.deduplication == send_last[1]:
                break
            found.append(message)
        return found


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    made = Services(tmp_path / "folder")
    with made.playing(), contextlib.closing(made.queues):
        for name, value in services.variables(made.url).items():
            monkeypatch.setenv(name, value)
        yield made


def send(played: Services, **options: str) -> Any:
    given = {"QueueUrl": QUEUE.url, "MessageBody": "é", "MessageGroupId": "T#a"}
    given["MessageDeduplicationId"] = "1"
    return played.client("sqs").send_message(**given | options)


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_a_message_is_queued_in_its_group(played: Services) -> None:
    answer = send(played)
    [message] = played.received()
    assert (message.group, message.deduplication, message.body) == ("T#a", "1", "é")
    assert answer["MessageId"] == message.id
    assert int(answer["SequenceNumber"]) == message.sequence


def test_a_second_message_of_the_same_id_is_dropped_and_answered_as_the_first(
    played: Services,
) -> None:
    assert send(played)["MessageId"] == send(played, MessageBody="other")["MessageId"]
    send(played, MessageDeduplicationId="2")
    assert [message.deduplication for message in played.received()] == ["1", "2"]
    played.clock.keep(now=played.clock.now() + timedelta(seconds=300))
    send(played)
    assert [message.deduplication for message in played.received()] == ["1"]


def test_a_queue_that_looks_at_the_content_needs_no_id(played: Services) -> None:
    sqs = played.client("sqs")
    for body in ("a", "a", "b"):
        sqs.send_message(QueueUrl=BY_CONTENT.url, MessageBody=body, MessageGroupId="g")
    assert [message.body for message in played.received("Contents")] == ["a", "b"]


def test_a_batch_is_queued_in_order_and_one_that_fails_fails_alone(played: Services) -> None:
    entries: list[dict[str, Any]] = [
        {"Id": f"e{n}", "MessageBody": str(n), "MessageGroupId": "g"}
        | {"MessageDeduplicationId": f"d{n}"}
        for n in range(4)
    ]
    del entries[2]["MessageDeduplicationId"]
    answer = played.client("sqs").send_message_batch(QueueUrl=QUEUE.url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["e0", "e1", "e3"]
    [failed] = answer["Failed"]
    assert (failed["Id"], failed["Code"]) == ("e2", "InvalidParameterValue")
    assert [message.body for message in played.received()] == ["0", "1", "3"]


def test_what_sqs_would_refuse_is_refused(played: Services) -> None:
    sqs = played.client("sqs")
    given = {"QueueUrl": QUEUE.url, "MessageBody": "x"}
    assert refused(sqs.send_message, **given).startswith("MissingParameter: ")
    assert refused(sqs.send_message, **given, MessageGroupId="g").startswith("InvalidParameterV")
    wrong = refused(sqs.send_message, **given | {"QueueUrl": QUEUE.url + "x"})
    assert wrong.startswith("AWS.SimpleQueueService.NonExistentQueue: The local cloud has no such")
    entry = {"Id": "1", "MessageBody": "x"}
    same = refused(sqs.send_message_batch, QueueUrl=QUEUE.url, Entries=[entry, entry])
    assert same.startswith("AWS.SimpleQueueService.BatchEntryIdsNotDistinct: ")
    many = [{**entry, "Id": str(n)} for n in range(11)]
    assert "TooManyEntries" in refused(sqs.send_message_batch, QueueUrl=QUEUE.url, Entries=many)
    assert played.received() == []


def test_what_was_encrypted_is_decrypted_in_its_context_alone_after_a_restart_too(
    played: Services,
) -> None:
    kms = played.client("kms")
    context = {"tenant": "a", "connection": "c"}
    sealed = kms.encrypt(KeyId=KEY, Plaintext=b"whsec_1", EncryptionContext=context)
    blob = sealed["CiphertextBlob"]
    assert sealed["KeyId"] == KEY
    assert b"whsec" not in blob
    assert (played.folder.keys.stat().st_mode & 0o777) == 0o600
    turned = dict(reversed(context.items()))
    with played.playing() as again, pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL_KMS", again.url)
        opened = again.client("kms").decrypt(CiphertextBlob=blob, EncryptionContext=turned)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"whsec_1", KEY)
    for wrong in (
        {"EncryptionContext": {"tenant": "b", "connection": "c"}},
        {},
        {"EncryptionContext": context, "CiphertextBlob": blob[:-1] + bytes([blob[-1] ^ 1])},
        {"EncryptionContext": context, "CiphertextBlob": b"short"},
    ):
        said = refused(kms.decrypt, **{"CiphertextBlob": blob} | wrong)
        assert said.startswith("InvalidCiphertextException: ")
    other = refused(kms.decrypt, CiphertextBlob=blob, EncryptionContext=context, KeyId=OTHER_KEY)
    assert other.startswith("IncorrectKeyException: ")


def test_a_key_that_the_template_does_not_have_is_not_found(played: Services) -> None:
    said = refused(played.client("kms").encrypt, KeyId=KEY[:-1] + "0", Plaintext=b"x")
    assert said.startswith("NotFoundException: ")


def test_a_mail_lands_as_a_file_as_it_was_sent(played: Services) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "vitals@example.com", "a@example.com", "Gefährdet"
    mail.set_content("Acme fell to 40.\n")
    ses = played.client("sesv2")
    at = datetime(2100, 12, 24, 9, tzinfo=UTC)
    played.clock.keep(now=at)
    answers = [ses.send_email(Content={"Raw": {"Data": mail.as_bytes()}}) for _ in range(2)]
    assert answers[0]["MessageId"] != answers[1]["MessageId"]
    first, second = sorted(played.folder.mail.iterdir())
    assert first.name.startswith("21001224T0900")
    assert (first.suffix, first.stat().st_mode & 0o077) == (".eml", 0)
    assert first.read_bytes() == second.read_bytes() == mail.as_bytes()
    assert message_from_bytes(first.read_bytes())["To"] == "a@example.com"


def test_a_mail_that_is_not_raw_is_refused(played: Services) -> None:
    said = refused(
        played.client("sesv2").send_email,
        Content={"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
    )
    assert said == "BadRequestException: The local cloud sends raw mails alone."


def test_another_call_is_said_not_to_be_played(played: Services) -> None:
    assert refused(played.client("sqs").receive_message, QueueUrl=QUEUE.url) == (
        "UnsupportedOperation: The local cloud does not play ReceiveMessage."
    )
    assert refused(played.client("kms").describe_key, KeyId=KEY) == (
        "UnsupportedOperationException: The local cloud does not play DescribeKey."
    )
    said = refused(played.client("sesv2").list_email_identities)
    assert said.startswith("BadRequestException: The local cloud does not play POST /v2/email/list")


def test_what_nobody_signed_is_refused(played: Services) -> None:
    address = played.url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(address)) as connection:
        body = json.dumps({"Content": {"Raw": {"Data": "eA=="}}})
        connection.request("POST", "/v2/email/outbound-emails", body)
        answer = connection.getresponse()
        assert (answer.status, b"not signed" in answer.read()) == (400, True)
    assert not played.folder.mail.exists()

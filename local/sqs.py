"""SQS as functions call it: SendMessage and SendMessageBatch onto the local queues."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from local.queues import Queues
from local.service_server import Service, ServiceError
from local.sources import Queue

_MAX_ENTRIES = 10
_MAX_BYTES = 1024 * 1024  # of a message, and of a batch together
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_PLAYED = {"Id", "QueueUrl", "MessageBody", "MessageGroupId", "MessageDeduplicationId"}
_QUERY = "AWS.SimpleQueueService."

Message = tuple[str, str, str]  # group, deduplication id, body


class Sqs:
    """The FIFO queues that invoke functions, as their senders see them."""

    def __init__(self, queues: Queues, known: Iterable[Queue]) -> None:
        self._queues = queues
        self._known = {queue.url: queue for queue in known}

    def service(self) -> Service:
        """Return what of SQS is played."""
        prefix = "AmazonSQS."
        operations = {
            f"{prefix}SendMessage": self.send_message,
            f"{prefix}SendMessageBatch": self.send_message_batch,
        }
        return Service(prefix, operations, "UnsupportedOperation")

    def send_message(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Queue one message; raise ServiceError where SQS would refuse it."""
        queue = self._queue(request)
        message = _message(queue, request)
        [(message_id, number)] = self._queues.accept(queue.name, [message])
        return _accepted(message, message_id, number)

    def send_message_batch(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Queue up to ten messages, each of which may fail alone."""
        queue, entries = self._queue(request), _entries(request)
        messages, failed = list[tuple[str, Message]](), list[dict[str, Any]]()
        for entry in entries:
            try:
                messages.append((entry["Id"], _message(queue, entry)))
            except ServiceError as error:
                failed.append(
                    {"Id": entry["Id"], "Code": error.code, "Message": error.message}
                    | {"SenderFault": True}
                )
        answers = self._queues.accept(queue.name, [message for _, message in messages])
        successful = [
            {"Id": id_, **_accepted(message, *answer)}
            for (id_, message), answer in zip(messages, answers, strict=True)
        ]
        return {"Successful": successful} | ({"Failed": failed} if failed else {})

    def _queue(self, request: Mapping[str, Any]) -> Queue:
        queue = self._known.get(str(request.get("QueueUrl")))
        if queue is None:
            raise ServiceError(
                "com.amazonaws.sqs#QueueDoesNotExist",
                "The local cloud has no such FIFO queue that invokes a function: "
                f"{request.get('QueueUrl')}.",
                _QUERY + "NonExistentQueue",
            )
        return queue


def _entries(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries: list[Mapping[str, Any]] = request.get("Entries") or []
    ids = [str(entry.get("Id")) for entry in entries]
    if not entries:
        raise _batch_error("EmptyBatchRequest", "There is no message in it.")
    if len(entries) > _MAX_ENTRIES:
        raise _batch_error("TooManyEntriesInBatchRequest", f"{len(entries)} messages; 10 may be.")
    if len(set(ids)) < len(ids):
        raise _batch_error("BatchEntryIdsNotDistinct", "Two messages have the same Id.")
    if not all(_ID.fullmatch(each) for each in ids):
        raise _batch_error("InvalidBatchEntryId", f"No Id of a message: {ids}.")
    if sum(len(str(entry.get("MessageBody")).encode()) for entry in entries) > _MAX_BYTES:
        raise _batch_error("BatchRequestTooLong", "The messages exceed 1,048,576 bytes together.")
    return entries


def _message(queue: Queue, request: Mapping[str, Any]) -> Message:
    for unknown in sorted(set(request) - _PLAYED):
        raise ServiceError("UnsupportedOperation", f"The local cloud does not play {unknown}.")
    body, group = request.get("MessageBody"), request.get("MessageGroupId")
    if not isinstance(body, str) or not body:
        raise _missing("MessageBody")
    if len(body.encode()) > _MAX_BYTES:
        raise _invalid("The message exceeds 1,048,576 bytes.")
    if group is None:
        raise _missing("MessageGroupId")
    deduplication = request.get("MessageDeduplicationId")
    if deduplication is None and queue.deduplicates_by_content:
        deduplication = hashlib.sha256(body.encode()).hexdigest()
    if deduplication is None:
        raise _invalid("The queue needs a MessageDeduplicationId: it does not look at the content.")
    for name, value in (("MessageGroupId", group), ("MessageDeduplicationId", deduplication)):
        if not _TOKEN.fullmatch(value):
            raise _invalid(f"{name} has to be 1 to 128 letters, digits and signs: {value!r}.")
    return group, deduplication, body


def _accepted(message: Message, message_id: str, number: int) -> dict[str, Any]:
    body = message[2].encode()
    return {
        "MessageId": message_id,
        "SequenceNumber": f"{number:020}",
        "MD5OfMessageBody": hashlib.md5(body, usedforsecurity=False).hexdigest(),
    }


def _batch_error(name: str, message: str) -> ServiceError:
    return ServiceError(f"com.amazonaws.sqs#{name}", message, f"{_QUERY}{name}")


def _missing(name: str) -> ServiceError:
    return ServiceError("MissingParameter", f"The request must contain the parameter {name}.")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)

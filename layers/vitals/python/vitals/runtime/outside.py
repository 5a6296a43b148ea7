"""AWS beside the table: the queue of deliveries, the key of secrets, mail. Made when first used."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from vitals.domain.connection import Connection, Secrets
from vitals.domain.delivery import Attempt
from vitals.domain.instants import iso
from vitals.runtime.settings import settings
from vitals.storage.reaction_ports import Files

_MOST = 10
"""SQS takes so many messages at once."""


@lru_cache(maxsize=4)
def client(service: str) -> Any:
    """Return botocore's client of *service*."""
    from botocore.config import Config  # noqa: PLC0415 - most requests need no other service
    from botocore.session import get_session  # noqa: PLC0415 - as above

    config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    if service == "sesv2":
        # A call is made once: one whose answer is late may have sent the mail.
        config = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1})
    if service == "s3":
        # Links are signed as every region takes them, for a host that none redirects from.
        config = config.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
    return get_session().create_client(service, config=config)


class KeyVault:
    """`reaction_ports.Vault` over KMS: what is sealed opens for its own connection alone."""

    def __init__(self, key: str) -> None:
        self._key = key

    def seal(self, tenant_id: str, connection_id: str, secrets: Secrets) -> str:
        """Return *secrets* encrypted: 1 call."""
        until = secrets.previous_until
        stored = asdict(secrets) | {"previous_until": iso(until) if until else None}
        answer = client("kms").encrypt(
            KeyId=self._key,
            Plaintext=json.dumps(stored).encode(),
            EncryptionContext={"tenant": tenant_id, "connection": connection_id},
        )
        return b64encode(answer["CiphertextBlob"]).decode()

    def open(self, tenant_id: str, connection_id: str, sealed: str) -> Secrets:
        """Return what was sealed: 1 call, none for what has no secrets."""
        if not sealed:
            return Secrets()
        stored = json.loads(_opened(tenant_id, connection_id, sealed))
        until = stored["previous_until"]
        return Secrets(
            **stored | {"previous_until": datetime.fromisoformat(until) if until else None}
        )


@lru_cache(maxsize=256)
def _opened(tenant_id: str, connection_id: str, sealed: str) -> bytes:
    # The text names its key: a table that was restored beside another key still opens.
    answer = client("kms").decrypt(
        CiphertextBlob=b64decode(sealed),
        EncryptionContext={"tenant": tenant_id, "connection": connection_id},
    )
    plaintext: bytes = answer["Plaintext"]
    return plaintext


class JobSender:
    """Takes report jobs to the function that does them, over SQS: a tenant's one after another."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, tenant_id: str, job_id: str, deduplication: str) -> None:
        """Send one job on its way: 1 call."""
        client("sqs").send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps({"tenant_id": tenant_id, "job_id": job_id}),
            MessageGroupId=tenant_id,
            MessageDeduplicationId=deduplication,
        )


class QueueSender:
    """`reaction_ports.Sender` over SQS: a tenant's deliveries follow one another."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, tenant_id: str, deliveries: Sequence[tuple[str, str]]) -> None:
        """Send each (delivery id, deduplication) on its way, in order: 1 call for ten.

        Raises RuntimeError if the queue took not all of them.
        """
        for start in range(0, len(deliveries), _MOST):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": json.dumps({"tenant_id": tenant_id, "delivery_id": delivery}),
                    "MessageGroupId": tenant_id,
                    "MessageDeduplicationId": deduplication,
                }
                for number, (delivery, deduplication) in enumerate(
                    deliveries[start : start + _MOST]
                )
            ]
            answer = client("sqs").send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                raise RuntimeError(f"the queue refused {len(answer['Failed'])} deliveries")


def attempt(
    files: Files, connection: Connection, secrets: Secrets, payload: Mapping[str, Any], at: datetime
) -> Attempt:
    """Make one attempt to send *payload* to *connection*, and return what came of it.

    *files* are where its attachment is, if it has one.
    """
    from vitals.delivery.send import send  # noqa: PLC0415 - few functions send

    return send(
        connection,
        secrets,
        payload,
        at,
        allow_local=settings().local,
        mail_from=settings().sender,
        ses=lambda: client("sesv2"),
        attached=files.get,
    )

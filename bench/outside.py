"""What is beside the table, played: the key of secrets, queues, the files, a receiver."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from vitals.domain.connection import Connection, Secrets
from vitals.domain.delivery import OK, RETRY, Attempt
from vitals.domain.instants import iso
from vitals.storage.reaction_ports import Files

_ADDED_BY_KMS = bytes(152)
"""A text that KMS sealed is longer by so much: it names its key, and holds another one."""


@dataclass
class Outside:
    """What left for elsewhere; the receiver takes everything, but for its next *failures*."""

    queue: list[dict[str, str]] = field(default_factory=list)
    reports: list[dict[str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    failures: int = 0

    def vault(self, _key: str) -> Outside:
        """Return the key of secrets."""
        return self

    def sender(self, _url: str) -> Outside:
        """Return the queue of deliveries."""
        return self

    def report_sender(self, _url: str) -> PlayedReports:
        """Return the queue of reports."""
        return PlayedReports(self)

    def bucket(self, _name: str) -> PlayedFiles:
        """Return the bucket of reports."""
        return PlayedFiles(self)

    def seal(self, _tenant_id: str, _connection_id: str, secrets: Secrets) -> str:
        """Return *secrets* as long as KMS would make them."""
        until = secrets.previous_until
        stored = asdict(secrets) | {"previous_until": iso(until) if until else None}
        return b64encode(_ADDED_BY_KMS + json.dumps(stored).encode()).decode()

    def open(self, _tenant_id: str, _connection_id: str, sealed: str) -> Secrets:
        """Return what was sealed."""
        if not sealed:
            return Secrets()
        stored = json.loads(b64decode(sealed)[len(_ADDED_BY_KMS) :])
        until = stored["previous_until"]
        instant = datetime.fromisoformat(until) if until else None
        return Secrets(**stored | {"previous_until": instant})

    def send(self, tenant_id: str, deliveries: Sequence[tuple[str, str]]) -> None:
        """Keep a message for each of *deliveries*."""
        self.queue += [
            {"tenant_id": tenant_id, "delivery_id": delivery} for delivery, _ in deliveries
        ]

    def attempt(
        self,
        _files: Files,
        _connection: Connection,
        _secrets: Secrets,
        _payload: Mapping[str, Any],
        at: datetime,
    ) -> Attempt:
        """Answer like a receiver that is well, or that is out of order."""
        if self.failures:
            self.failures -= 1
            return Attempt(at=at, verdict=RETRY, status=500, response="out of order")
        return Attempt(at=at, verdict=OK, status=200, response="ok")


@dataclass
class PlayedReports:
    """The queue of the reports function."""

    outside: Outside

    def send(self, tenant_id: str, job_id: str, _deduplication: str) -> None:
        """Keep a message for a job."""
        self.outside.reports.append({"tenant_id": tenant_id, "job_id": job_id})


@dataclass
class PlayedFiles:
    """The bucket of reports."""

    outside: Outside

    def put(self, key: str, content: bytes, _media_type: str, _filename: str) -> None:
        """Keep *content*."""
        self.outside.files[key] = content

    def get(self, key: str) -> bytes:
        """Return what is kept under *key*."""
        return self.outside.files[key]

    def link(self, key: str, seconds: int) -> str:
        """Return a URL that leads nowhere."""
        return f"https://files.example.com/{key}?expires={seconds}"

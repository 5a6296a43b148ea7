"""The audit: what was done beside the customers' own changes, by whom, from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One act of administration (IQ-193); *details* never hold a secret.

    *by* is the key that acted, *subject* the id of what was acted on, *source_ip* where from.
    """

    id: str
    at: datetime
    action: str
    by: str
    subject: str
    source_ip: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request that bore a good key (IQ-011): what was asked, what came of it, how long it took.

    *code* is the problem's, *action* None where none was named; nothing of what was sent.
    """

    trace_id: str
    at: datetime
    method: str
    path: str
    action: str | None
    status: int
    code: str | None
    duration_ms: float
    key_id: str
    source_ip: str

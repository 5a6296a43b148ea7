"""A connection: where messages go, and which events a webhook subscribes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SLACK, TEAMS, EMAIL, WEBHOOK = "slack", "teams", "email", "webhook"
KINDS = (SLACK, TEAMS, EMAIL, WEBHOOK)

GIVEN_UP_AFTER = timedelta(days=5)
"""An endpoint that fails for so long is disabled (Standard Webhooks)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A saved receiver, reusable by rules (IQ-124).

    *shown* is its address without what is secret in it, *sealed* the encrypted secrets: `url`, and
    of a webhook `secret`, and `previous` until `previous_until` while one rotates. *emails* are an
    e-mail's recipients. *events* are what a webhook subscribes to by itself and *condition* which
    customers' (the text of a condition; empty: everybody's). *owner* is an address that is told
    when it is disabled. *transient*: a 410 removes it (a REST hook), instead of disabling it.
    """

    id: str
    tenant_id: str
    name: str
    kind: str
    shown: str
    created_at: datetime
    updated_at: datetime
    created_by: str
    sealed: str = ""
    emails: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    condition: str = ""
    owner: str | None = None
    description: str | None = None
    transient: bool = False
    enabled: bool = True
    disabled_reason: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an endpoint does: since when it has failed without a success, and until when it rests."""

    failing_since: datetime | None = None
    resting_until: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What of a connection is secret, in the clear."""

    url: str = ""
    secret: str = ""
    previous: str = ""
    previous_until: datetime | None = None

    def signing(self, now: datetime) -> tuple[str, ...]:
        """Return the secrets that sign at *now*, the newest first."""
        rotating = self.previous and self.previous_until and now < self.previous_until
        return tuple(filter(None, (self.secret, self.previous if rotating else "")))

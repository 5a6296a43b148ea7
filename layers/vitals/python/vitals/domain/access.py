"""Who may do what: keys, their scopes, and the tenant that a key belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vitals.domain.numbers import Number

SCOPES = (
    "customers:read",
    "customers:write",
    "health:read",
    "health:write",
    "events:write",
    "users:write",
    "admin:*",
)
"""Every scope that a tenant's key may hold (LU-014); `admin:*` implies none of the others."""
PLATFORM = "platform:*"
"""The scope that tenants are created, suspended and deleted with; the first key has it."""
ALL_SCOPES = (*SCOPES, PLATFORM)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret: only the secret's hash is stored (AMB-15)."""

    id: str
    tenant_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    prefix: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    replaced_by: str | None = None

    @property
    def is_live(self) -> bool:
        """Tell a live key from a sandbox's."""
        return self.prefix.startswith("vt_live_")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant: its settings, and what its customers' MRR add up to.

    *shards* is fixed at creation; a limit is requests (records, events, batches of events) a
    minute, or imports an hour, None for the default.
    *revision* grows with every change of the settings. A sandbox, which `vt_test_` keys belong to,
    names the tenant that it is the *sandbox_of*. A suspended or deleted one takes no request.
    """

    id: str
    name: str
    created_at: datetime
    shards: int = 1
    model_version: int = 1
    limit_reads: int | None = None
    limit_writes: int | None = None
    limit_records: int | None = None
    limit_events: int | None = None
    limit_batches: int | None = None
    limit_imports: int | None = None
    sandbox_id: str | None = None
    sandbox_of: str | None = None
    suspended_at: datetime | None = None
    deleted_at: datetime | None = None
    revision: int = 0
    portfolio_mrr: Number = 0

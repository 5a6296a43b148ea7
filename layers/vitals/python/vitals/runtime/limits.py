"""Rate limits: requests of a tenant in the present minute (AMB-17, 18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vitals.domain.access import Tenant
from vitals.domain.errors import RateLimitedError
from vitals.runtime.settings import Settings
from vitals.storage.ports import StorageBusyError, Tenants

WINDOW = 60


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of a limit until *reset* (Unix seconds)."""

    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that every response bears (LU-076)."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


def untouched(settings: Settings, now: datetime) -> Window:
    """Return the window of a caller whom nobody knows: nothing was drawn from it."""
    return Window(settings.limit_reads, settings.limit_reads, _reset(now))


def draw(
    tenants: Tenants, tenant: Tenant, settings: Settings, now: datetime, drawn: Mapping[str, int]
) -> tuple[Window, RateLimitedError | None]:
    """Count *drawn* (`reads` or `writes` first, then `records`) and return what is left.

    The error, if there is one, says which limit is used up. A counter that the table cannot take
    just now lets the request pass: a limit protects the table, it must not stop its users.
    """
    limits = {
        name: getattr(tenant, f"limit_{name}") or most for name, most in settings.limits.items()
    }
    first = next(iter(drawn))
    try:
        stands = tenants.count(tenant.id, int(now.timestamp()) // WINDOW, drawn)
    except StorageBusyError:
        return Window(limits[first], limits[first], _reset(now)), None
    window = Window(limits[first], max(0, limits[first] - stands[first]), _reset(now))
    for name, count in stands.items():
        if count > limits[name]:
            wait = max(1, _reset(now) - int(now.timestamp()))
            return window, RateLimitedError(
                f"more than {limits[name]} {name} in this minute: wait {wait} s",
                extra={"limit": name, "retry_after": wait},
            )
    return window, None


def _reset(now: datetime) -> int:
    return (int(now.timestamp()) // WINDOW + 1) * WINDOW

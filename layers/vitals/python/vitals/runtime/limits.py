"""Rate limits: what a tenant does in the present minute, or hour (AMB-17, 18, LU-073)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from vitals.domain.access import Tenant
from vitals.domain.errors import RateLimitedError
from vitals.runtime.settings import Settings
from vitals.storage.ports import StorageBusyError, Tenants

WINDOW = 60
HOUR = 3600


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
    """Count *drawn* and return what is left of the first of them, `reads` or `writes` mostly.

    The error, if there is one, says which limit is used up: then that one's window is returned. A
    counter that the table cannot take just now lets the request pass: a limit protects the table,
    it must not stop its users.
    """
    limits = {
        name: getattr(tenant, f"limit_{name}") or most for name, most in settings.limits.items()
    }
    first = next(iter(drawn))
    stands: dict[str, int] = {}
    for seconds in dict.fromkeys(map(_window, drawn)):
        counters = {name: many for name, many in drawn.items() if _window(name) == seconds}
        number = int(now.timestamp()) // seconds
        with suppress(StorageBusyError):
            stands |= tenants.count(tenant.id, number, counters, seconds=seconds)
    left = max(0, limits[first] - stands.get(first, 0))
    window = Window(limits[first], left, _reset(now, _window(first)))
    for name, count in stands.items():
        if count > limits[name]:
            spent = Window(limits[name], 0, _reset(now, _window(name)))
            wait = max(1, spent.reset - int(now.timestamp()))
            unit = "minute" if _window(name) == WINDOW else "hour"
            return spent, RateLimitedError(
                f"more than {limits[name]} {name} in this {unit}: wait {wait} s",
                extra={"limit": name, "retry_after": wait},
            )
    return window, None


def _window(name: str) -> int:
    """Return how many seconds the limit called *name* is for."""
    return HOUR if name == "imports" else WINDOW


def _reset(now: datetime, seconds: int = WINDOW) -> int:
    return (int(now.timestamp()) // seconds + 1) * seconds

"""How a signal is computed from product events: its definition, as a model holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVENTS = "events"
"""The source of a computed value, and the owner of a signal that only computing may set."""

COUNT, USERS, DAYS, USER_DAYS = "count", "distinct_users", "distinct_days", "user_days"
SUM, LAST = "sum", "last"
AGGREGATES = (COUNT, USERS, DAYS, USER_DAYS, SUM, LAST)
OF_PROPERTY = (SUM, LAST)
"""Those that look at a property of the events."""
LONGEST_WINDOW = 90


@dataclass(frozen=True, slots=True)
class Computed:
    """A signal's definition: the *aggregate* of the *events* of the last *window_days*.

    Today is one of those days. No *events*: every event counts. *property_name* is what `sum`
    and `last` look at.
    """

    aggregate: str
    window_days: int
    events: tuple[str, ...] = ()
    property_name: str | None = None

    def counts(self, name: str) -> bool:
        """Tell whether events of that *name* count."""
        return not self.events or name in self.events

    @property
    def document(self) -> dict[str, Any]:
        """Return the definition as a model's document spells it."""
        written: dict[str, Any] = {"aggregate": self.aggregate, "events": list(self.events)}
        if self.property_name is not None:
            written["property"] = self.property_name
        return {**written, "window_days": self.window_days}


DEFAULTS: Mapping[str, Computed] = {
    "logins": Computed(USER_DAYS, 30),
    "active_days": Computed(DAYS, 30),
    "active_users": Computed(USERS, 30),
}
"""What `"computed": true` means on a signal of that name."""


def computed_of(name: str, given: Any) -> Computed | None:
    """Return the definition that a document gives the signal *name*, None if it gives none.

    Raises KeyError, TypeError or ValueError for what is no definition.
    """
    if given is None or given is False:
        return None
    if given is True:
        return DEFAULTS[name]
    return Computed(
        aggregate=str(given["aggregate"]),
        window_days=int(given["window_days"]),
        events=tuple(given.get("events") or ()),
        property_name=given.get("property"),
    )

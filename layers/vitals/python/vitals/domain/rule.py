"""A rule: what it looks for, of whose customers, and who is told when (IQ-112 to 132)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from vitals.domain.condition import Condition
from vitals.domain.model import AT_RISK_BANDS
from vitals.domain.numbers import Number
from vitals.domain.schedule import Schedule
from vitals.domain.standing import Standing

CRITICAL, WARNING, ATTENTION, OPPORTUNITY = "critical", "warning", "attention", "opportunity"
SEVERITIES = (CRITICAL, WARNING, ATTENTION, OPPORTUNITY)
CATEGORIES = (
    "health", "tickets", "engagement", "renewal", "quiet", "momentum", "sentiment", "expansion",
)  # fmt: skip

HEALTH_BELOW: Final = "health_below_threshold"
AT_RISK: Final = "account_at_risk"
RENEWAL: Final = "renewal_approaching"
NO_CONTACT: Final = "no_contact"
DETRACTOR: Final = "nps_detractor"
LIFECYCLE: Final = "lifecycle_change"
DROP: Final = "rapid_score_drop"
CONDITION: Final = "condition"

EVENTS = (HEALTH_BELOW, AT_RISK, RENEWAL, NO_CONTACT, DETRACTOR, LIFECYCLE, DROP)
"""The event types of an alert rule (IQ-112 to 118)."""
CADENCE, WINDOWS, QUIET = "cadence", "windows", "quiet"
"""Limits that the model knows: the tier's overdue days, the renewal windows, `quiet_after`."""
DEFAULT_LIMITS: Mapping[str, int] = {HEALTH_BELOW: 50, RENEWAL: 30, NO_CONTACT: 14, DROP: 15}
DETRACTOR_BELOW = 7
WINDOW_NAMES = (CRITICAL, WARNING, "upcoming")

Level = Any
"""What holds while a trigger holds: None while it does not; another value is another occurrence."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One thing that a rule looks for.

    *limit* is points, days, or what the model says (cadence, windows, quiet). *rearm* is the score
    from which on a score below the limit is news again (hysteresis). *stages* are the lifecycles
    that a change to is looked for. *category* and *severity* are those of its alerts, where the
    event itself does not tell.
    """

    event: str
    limit: int | str | None = None
    rearm: int | None = None
    stages: tuple[str, ...] = ("atrisk", "churned")
    condition: Condition | None = None
    category: str | None = None
    severity: str | None = None

    def level(self, standing: Standing) -> Level:
        """Return what holds of *standing*, or None (AMB-09)."""
        return _LEVELS[self.event](self, standing)

    def is_edge(self, before: Level, after: Level) -> bool:
        """Tell whether the event happened between the two levels."""
        if after is None or before == after:
            return False
        # From critical to at risk is an improvement.
        return not (self.event == AT_RISK and before == AT_RISK_BANDS[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One independent rule (IQ-121): *triggers* of *managers*' customers (none: everybody's).

    *connections* are told by *schedule*; *to_manager*: also the connections of the customer's
    manager. *cooldown* is how long after one alert of a customer the next is not raised.
    *escalate_to* is told of a critical alert that nobody acknowledged within *escalate_after*.
    What happened before *enabled_at* is ignored.
    """

    id: str
    tenant_id: str
    name: str
    triggers: tuple[Trigger, ...]
    enabled_at: datetime
    enabled: bool = True
    managers: frozenset[str] = frozenset()
    connections: tuple[str, ...] = ()
    to_manager: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    cooldown: timedelta | None = None
    severity: str | None = None
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()
    version: int = 1

    def is_for(self, manager: str | None) -> bool:
        """Tell whether customers of *manager* are in its scope (IQ-128)."""
        return not self.managers or (manager or "").casefold() in self.managers


def _below(trigger: Trigger, standing: Standing) -> Level:
    score, _ = standing.published
    return True if score is not None and score < _number(trigger) else None


def _at_risk(_trigger: Trigger, standing: Standing) -> Level:
    _, status = standing.published
    return status if status in AT_RISK_BANDS else None


def _renewal(trigger: Trigger, standing: Standing) -> Level:
    days = standing.renewal_in
    if days is None:
        return None
    renewal = standing.customer.renewal_date
    if trigger.limit == WINDOWS:
        within = (
            n for n, (window, _) in enumerate(standing.model.renewal_windows) if days <= window
        )
        name = next((WINDOW_NAMES[n] for n in within), None)
        return name and (name, renewal)
    return (trigger.limit, renewal) if days <= _number(trigger) else None


def _no_contact(trigger: Trigger, standing: Standing) -> Level:
    if trigger.limit == CADENCE:
        # What is due on a day is overdue from that day on (IQ-100).
        most = standing.model.cadence_of(standing.customer.tier).overdue - 1
    elif trigger.limit == QUIET:
        most = standing.model.quiet_after
    else:
        most = int(_number(trigger))
    return standing.contacted if standing.quiet_days > most else None


def _detractor(_trigger: Trigger, standing: Standing) -> Level:
    nps = standing.customer.signals.get("nps")
    if isinstance(nps, str):
        return True if nps == "detractor" else None
    return True if nps is not None and nps < DETRACTOR_BELOW else None


def _lifecycle(trigger: Trigger, standing: Standing) -> Level:
    stage = standing.customer.lifecycle
    return stage if stage in trigger.stages else None


def _drop(trigger: Trigger, standing: Standing) -> Level:
    drop = standing.drop
    return True if drop is not None and drop > _number(trigger) else None


def _condition(trigger: Trigger, standing: Standing) -> Level:
    return True if trigger.condition and trigger.condition.holds(standing) else None


def _falling(_trigger: Trigger, standing: Standing) -> Level:
    momentum = standing.momentum
    points = standing.model.momentum_points
    return True if momentum is not None and momentum <= -points else None


def _sentiment(_trigger: Trigger, standing: Standing) -> Level:
    return True if standing.customer.sentiment == "negative" else None


def _number(trigger: Trigger) -> Number:
    return trigger.limit if isinstance(trigger.limit, int) else DEFAULT_LIMITS[trigger.event]


FALLING: Final = "falling"
NEGATIVE: Final = "negative_sentiment"
_LEVELS: Mapping[str, Callable[[Trigger, Standing], Level]] = {
    HEALTH_BELOW: _below,
    AT_RISK: _at_risk,
    RENEWAL: _renewal,
    NO_CONTACT: _no_contact,
    DETRACTOR: _detractor,
    LIFECYCLE: _lifecycle,
    DROP: _drop,
    CONDITION: _condition,
    FALLING: _falling,
    NEGATIVE: _sentiment,
}

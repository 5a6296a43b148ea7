"""The rules that every tenant has from the start: its feed of alerts, of eight categories (IQ-105).

They tell nobody; a tenant can switch each off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from vitals.domain import condition_text
from vitals.domain.rule import (
    AT_RISK,
    CONDITION,
    DETRACTOR,
    FALLING,
    NEGATIVE,
    NO_CONTACT,
    OPPORTUNITY,
    QUIET,
    RENEWAL,
    WARNING,
    WINDOWS,
    Rule,
    Trigger,
)

NOTHING: Final[Mapping[str, Any]] = {}


def _when(text: str, category: str, severity: str | None = None) -> Trigger:
    condition = condition_text.parse(text)
    return Trigger(CONDITION, condition=condition, category=category, severity=severity)


BUILT_IN: dict[str, tuple[str, tuple[Trigger, ...]]] = {
    "builtin_health": ("Health at risk", (Trigger(AT_RISK),)),
    "builtin_tickets": (
        "Five open tickets or more",
        (_when("tickets >= 5", "tickets", WARNING),),
    ),
    "builtin_engagement": (
        "Hardly in use",
        (_when("logins < 3 OR adoption < 20", "engagement"),),
    ),
    "builtin_renewal": ("Renewal comes near", (Trigger(RENEWAL, WINDOWS),)),
    "builtin_quiet": ("Quiet account", (Trigger(NO_CONTACT, QUIET),)),
    "builtin_momentum": ("Losing momentum", (Trigger(FALLING),)),
    "builtin_sentiment": ("Unhappy", (Trigger(DETRACTOR), Trigger(NEGATIVE))),
    "builtin_expansion": (
        "Ready to expand",
        (_when("status = 'expansion'", "expansion", OPPORTUNITY),),
    ),
}


def built_in(
    tenant_id: str, since: datetime, switched: Mapping[str, Mapping[str, Any]] = NOTHING
) -> tuple[Rule, ...]:
    """Return the built-in rules of a tenant that exists *since*.

    *switched* are those that somebody switched, by id: whether each is `enabled`, and since when.
    """
    found = []
    for rule_id, (name, triggers) in BUILT_IN.items():
        own = switched.get(rule_id, NOTHING)
        enabled_at = own.get("enabled_at")
        found.append(
            Rule(
                id=rule_id,
                tenant_id=tenant_id,
                name=name,
                triggers=triggers,
                enabled_at=datetime.fromisoformat(enabled_at) if enabled_at else since,
                enabled=own.get("enabled", True),
            )
        )
    return tuple(found)

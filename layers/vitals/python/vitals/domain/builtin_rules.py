"""The rules that every tenant has from the start: its feed of alerts, of eight categories (IQ-105).

They tell nobody; a tenant can switch each off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

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


def built_in(tenant_id: str, since: datetime, switched_off: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Return the built-in rules of a tenant that exists *since*, but those *switched_off*."""
    off = frozenset(switched_off)
    return tuple(
        Rule(
            id=rule_id,
            tenant_id=tenant_id,
            name=name,
            triggers=triggers,
            enabled_at=since,
            enabled=rule_id not in off,
            created_by="vitals",
        )
        for rule_id, (name, triggers) in BUILT_IN.items()
    )

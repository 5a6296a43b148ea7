"""Rules, connections and managers as documents: how they are stored, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, time, timedelta
from typing import Any

from vitals.domain import condition_text
from vitals.domain.condition import Field
from vitals.domain.connection import Connection
from vitals.domain.instants import iso
from vitals.domain.rule import (
    CONDITION,
    DROP,
    HEALTH_BELOW,
    LIFECYCLE,
    NO_CONTACT,
    RENEWAL,
    Rule,
    Trigger,
)
from vitals.domain.schedule import REALTIME, WEEKDAYS, Schedule

Document = Mapping[str, Any]
LIMITS: Mapping[str, str] = {
    HEALTH_BELOW: "threshold",
    RENEWAL: "days",
    NO_CONTACT: "max_days",
    DROP: "points",
}
"""What the limit of an event type is called."""
_INSTANTS = ("created_at", "updated_at")


def rule_of(
    tenant_id: str, rule_id: str, version: int, document: Document, extra: Mapping[str, Field]
) -> Rule:
    """Return the rule that *document* describes; *extra* are the model's signals as fields."""
    escalation = document.get("escalation") or {}
    cooldown = document.get("cooldown_hours")
    minutes = escalation.get("after_minutes")
    return Rule(
        id=rule_id,
        tenant_id=tenant_id,
        name=document["name"],
        triggers=_triggers(document, extra),
        enabled_at=datetime.fromisoformat(document["enabled_at"]),
        enabled=document["enabled"],
        managers=frozenset(name.casefold() for name in document.get("managers", ())),
        connections=tuple(document.get("connections", ())),
        to_manager=document.get("to_manager", False),
        schedule=schedule_of(document.get("schedule") or {}),
        cooldown=timedelta(hours=int(cooldown)) if cooldown else None,
        severity=document.get("severity"),
        escalate_after=timedelta(minutes=int(minutes)) if minutes else None,
        escalate_to=tuple(escalation.get("connections", ())),
        version=version,
    )


def schedule_of(document: Document) -> Schedule:
    """Return the schedule that *document* describes."""
    on = document.get("on")
    return Schedule(
        kind=document.get("type", REALTIME),
        at=time.fromisoformat(document.get("at", "09:00")),
        weekday=WEEKDAYS.index(on) if isinstance(on, str) else 0,
        time_zone=document.get("time_zone"),
        day=on if isinstance(on, int) else 1,
    )


def connection_of(
    tenant_id: str, connection_id: str, version: int, document: Document
) -> Connection:
    """Return the connection that *document* describes."""
    stored = dict(document)
    for name in _INSTANTS:
        stored[name] = datetime.fromisoformat(stored[name])
    for name in ("emails", "events"):
        stored[name] = tuple(stored.get(name, ()))
    return Connection(id=connection_id, tenant_id=tenant_id, version=version, **stored)


def connection_document(connection: Connection) -> dict[str, Any]:
    """Return *connection* as it is stored."""
    document = {
        each.name: getattr(connection, each.name)
        for each in fields(connection)
        if each.name not in ("id", "tenant_id", "version")
    }
    document |= {name: iso(document[name]) for name in _INSTANTS}
    return {name: value for name, value in document.items() if value is not None}


def _triggers(document: Document, extra: Mapping[str, Field]) -> tuple[Trigger, ...]:
    if "when" in document:
        condition = condition_text.parse(document["when"], extra)
        category = document.get("category")
        return (Trigger(CONDITION, condition=condition, category=category),)
    return tuple(_trigger(given) for given in document["events"] if given.get("enabled", True))


def _trigger(given: Document) -> Trigger:
    event = given["type"]
    if event == LIFECYCLE:
        return Trigger(event, stages=tuple(given["to"]))
    limit = given.get(LIMITS[event]) if event in LIMITS else None
    return Trigger(event, limit, rearm=given.get("rearm"))

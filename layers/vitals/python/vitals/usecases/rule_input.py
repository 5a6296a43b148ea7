"""What a caller says of a rule, checked field by field, as the document that is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainValidator

from vitals.domain.model import LIFECYCLES
from vitals.domain.rule import (
    CADENCE,
    CATEGORIES,
    DEFAULT_LIMITS,
    EVENTS,
    HEALTH_BELOW,
    LIFECYCLE,
    NO_CONTACT,
    SEVERITIES,
)
from vitals.domain.rule_document import LIMITS
from vitals.usecases.administer import Administering
from vitals.usecases.fields import Flag, Name, Short, bounded, one_of, refuse, split, whole, word
from vitals.usecases.schedule_input import Timing

MAX_EVENTS = 20
MAX_NAMES = 100
"""So many managers, or connections, one rule may name."""
_LONGEST: Mapping[str, int] = {"threshold": 100, "points": 100, "days": 3650, "max_days": 3650}


def _events(raw: object) -> list[dict[str, Any]]:
    """Return event types with their limits: names, or objects like {type, threshold}."""
    given = split(raw) if isinstance(raw, str) else raw
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_EVENTS:
        refuse("out_of_range", f"must be a list of 1 to {MAX_EVENTS} event types")
    return [_event(each if isinstance(each, dict) else {"type": each}) for each in given]


def _event(given: Mapping[str, Any]) -> dict[str, Any]:
    event = word(given.get("type"), EVENTS)
    found: dict[str, Any] = {"type": event}
    known = {"type", "enabled"}
    if "enabled" in given and not isinstance(given["enabled"], bool):
        refuse("must_be_boolean", f"enabled of {event} must be true or false")
    if given.get("enabled") is False:
        found["enabled"] = False
    if event in LIMITS:
        name = LIMITS[event]
        known |= {name}
        found[name] = _limit(event, name, given.get(name))
    if event == HEALTH_BELOW:
        known |= {"rearm"}
        if given.get("rearm") is not None:
            found["rearm"] = _whole(given["rearm"], "rearm", found["threshold"], 100)
    if event == LIFECYCLE:
        known |= {"to"}
        stages = split(given.get("to", ["atrisk", "churned"]))
        found["to"] = [word(stage, LIFECYCLES) for stage in stages]
    for name in given.keys() - known:
        takes = ", ".join(sorted(known - {"type"})) or "nothing"
        refuse("unknown_field", f"{event} has no {name!r}; it takes {takes}")
    return found


def _limit(event: str, name: str, given: object) -> int | str:
    if given is None:
        return DEFAULT_LIMITS[event]
    if event == NO_CONTACT and given == CADENCE:
        return CADENCE
    return _whole(given, name, 0, _LONGEST[name])


def _whole(given: object, name: str, low: int, high: int) -> int:
    found = bounded(given, low, high)
    if not isinstance(found, int):
        refuse("must_be_whole", f"{name} must be a whole number from {low} to {high}")
    return found


def _names(raw: object) -> list[str]:
    found = list(dict.fromkeys(split(raw)))
    if len(found) > MAX_NAMES or any(len(each) > MAX_NAMES * 2 for each in found):
        refuse("too_long", f"must be at most {MAX_NAMES} names of 200 characters")
    return found


def _escalation(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict) or raw.keys() != {"after_minutes", "connections"}:
        refuse("must_be_object", 'must be like {"after_minutes": 60, "connections": ["…"]}')
    minutes = _whole(raw["after_minutes"], "after_minutes", 1, 10_080)
    connections = _names(raw["connections"])
    if not connections:
        refuse("required", "connections must name whom a critical alert goes up to")
    return {"after_minutes": minutes, "connections": connections}


Names = Annotated[list[str], PlainValidator(_names, json_schema_input_type=list[str] | str)]


class RuleReference(Administering):
    """Which rule, as of which version."""

    id: Short
    if_version: Annotated[int, whole(0, 2**53)] | None = None


class ToggleInput(RuleReference):
    """A rule to switch on or off; *notify_existing* tells once of all who match already."""

    enabled: Flag
    notify_existing: Flag = False


class RuleInput(Administering):
    """What every rule has. With an *id*, what was not sent stays as it is."""

    aliases: ClassVar[Mapping[str, str]] = {"delivery": "schedule", "scope": "managers"}

    id: Short | None = None
    if_version: Annotated[int, whole(0, 2**53)] | None = None
    name: Name | None = None
    enabled: Flag = True
    managers: Names | None = None
    connections: Names | None = None
    to_manager: Flag = False
    schedule: Timing | None = None
    cooldown_hours: Annotated[int, whole(0, 8760)] | None = None
    severity: Annotated[str, one_of(*SEVERITIES)] | None = None
    escalation: (
        Annotated[
            dict[str, Any], PlainValidator(_escalation, json_schema_input_type=dict[str, Any])
        ]
        | None
    ) = None
    notify_existing: Flag = False


class AlertRuleInput(RuleInput):
    """An alert rule: which *events* it looks for (IQ-112 to 121)."""

    events: (
        Annotated[
            list[dict[str, Any]],
            PlainValidator(_events, json_schema_input_type=list[dict[str, Any] | str]),
        ]
        | None
    ) = None


class CustomRuleInput(RuleInput):
    """A custom rule: *when* it holds, as text or as JSON (IQ-129 to 132)."""

    aliases: ClassVar[Mapping[str, str]] = {
        **RuleInput.aliases,
        "condition": "when",
        "conditions": "when",
    }

    when: Any = Field(default=None)
    category: Annotated[str, one_of(*CATEGORIES)] | None = None

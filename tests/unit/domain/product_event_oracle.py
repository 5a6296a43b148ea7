"""The slow and obvious reading of a definition: every event is looked at, again and again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from vitals.domain.computed import Computed
from vitals.domain.product_events import ProductEvent


def user_of(event: ProductEvent) -> tuple[str, str] | None:
    if event.user_email is not None:
        return "email", event.user_email
    return None if event.user_id is None else ("id", event.user_id)


def value_of(definition: Computed, event: ProductEvent) -> Any:
    found = event.properties.get(definition.property_name or "")
    plain = isinstance(found, int | Decimal | str) and not isinstance(found, bool)
    return found if plain else None


def counts(definition: Computed, event: ProductEvent) -> bool:
    if definition.events and event.name not in definition.events:
        return False
    if definition.aggregate in ("distinct_users", "user_days"):
        return user_of(event) is not None
    if definition.aggregate == "sum":
        return isinstance(value_of(definition, event), int | Decimal)
    return definition.aggregate != "last" or value_of(definition, event) is not None


def oracle(
    definition: Computed, events: Sequence[ProductEvent], today: date, where: tzinfo
) -> tuple[bool, Any]:
    """Return whether anything ever counted, and the value as of *today*; *events* as they came."""

    def day(event: ProductEvent) -> date:
        return event.at.astimezone(where).date()

    counted = [event for event in events if counts(definition, event) and day(event) <= today]
    seen = any(today - day(event) < timedelta(days=90) for event in counted)
    inside = [
        event for event in counted if today - day(event) < timedelta(days=definition.window_days)
    ]
    match definition.aggregate:
        case "count":
            return seen, len(inside)
        case "distinct_users":
            return seen, len({user_of(event) for event in inside})
        case "distinct_days":
            return seen, len({day(event) for event in inside})
        case "user_days":
            return seen, len({(user_of(event), day(event)) for event in inside})
        case "sum":
            return seen, sum(
                (Fraction(value_of(definition, event)) for event in inside), Fraction(0)
            )
        case _:
            latest = max((event.at for event in inside), default=None)
            last = [value_of(definition, event) for event in inside if event.at == latest]
            return seen, last[-1] if last else None

"""What people do about alerts: snooze, dismiss, wake, acknowledge, many at once (IQ-110)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from vitals.domain.alert import DISMISSED, OPEN, Alert
from vitals.domain.errors import FieldError, ValidationError
from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.usecases.alerts import shown
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag, Instant, refuse, split, whole
from vitals.usecases.inputs import Input, Warning_, read
from vitals.usecases.once import once
from vitals.usecases.paging import LONGEST_ID
from vitals.usecases.rulebook import rulebook

MAX_IDS = 200
SNOOZES = (1, 7, 30)
"""Days that the source offers; any other number up to a year will do."""


def _ids(raw: object) -> list[str]:
    found = list(dict.fromkeys(split(raw)))
    if not 1 <= len(found) <= MAX_IDS or any(len(each) > LONGEST_ID for each in found):
        refuse("out_of_range", f"must hold 1 to {MAX_IDS} ids of alerts")
    return found


class ActInput(Input):
    """Which alerts: one *id*, or *ids*."""

    aliases: ClassVar[Mapping[str, str]] = {"id": "ids", "alert_id": "ids", "alert_ids": "ids"}

    ids: Annotated[list[str], PlainValidator(_ids, json_schema_input_type=list[str] | str)]
    dry_run: Flag = False


class SnoozeInput(ActInput):
    """How long to hide alerts: *days* (1, 7, 30 …), or *until* an instant."""

    days: Annotated[int, whole(1, 366)] | None = None
    until: Instant | None = None


def snooze_alerts(context: Context, given: Mapping[str, Any]) -> Answer:
    """Hide open alerts for some days, or until an instant; a new crossing opens a new alert."""
    parsed, warnings, _ = read(SnoozeInput, given)
    if (parsed.days is None) == (parsed.until is None):
        message = f"say days ({', '.join(map(str, SNOOZES))} …) or until, one of them"
        raise ValidationError([FieldError("days", "required", message)])
    until = parsed.until or context.now + timedelta(days=parsed.days or 0)
    if until <= context.now:
        raise ValidationError([FieldError("until", "out_of_range", "must be in the future")])

    def change(alert: Alert) -> Alert:
        return replace(alert, snoozed_until=until) if alert.state == OPEN else alert

    return _done(context, "snooze_alerts", parsed, warnings, change)


def dismiss_alerts(context: Context, given: Mapping[str, Any]) -> Answer:
    """Close this occurrence of alerts; a new crossing opens a new alert (AMB-43)."""
    parsed, warnings, _ = read(ActInput, given)

    def change(alert: Alert) -> Alert:
        if alert.state != OPEN:
            return alert
        by = context.key.id
        return replace(alert, state=DISMISSED, closed_at=context.now, closed_by=by)

    return _done(context, "dismiss_alerts", parsed, warnings, change)


def wake_alerts(context: Context, given: Mapping[str, Any]) -> Answer:
    """Show snoozed alerts again, and open dismissed ones of what still holds."""
    from vitals.usecases.match_rule import holds  # noqa: PLC0415 - the other verbs need no rules

    parsed, warnings, _ = read(ActInput, given)
    book = cache(lambda: rulebook(context))

    def change(alert: Alert) -> Alert:
        if alert.state == OPEN:
            return replace(alert, snoozed_until=None)
        if alert.state != DISMISSED or not holds(context, book(), alert):
            return alert
        return replace(
            alert,
            state=OPEN,
            reopened_at=context.now,
            closed_at=None,
            closed_by=None,
            snoozed_until=None,
        )

    return _done(context, "wake_alerts", parsed, warnings, change)


def acknowledge_alerts(context: Context, given: Mapping[str, Any]) -> Answer:
    """Note that somebody took note of alerts: they go up to nobody any more (PLUS-18)."""
    parsed, warnings, _ = read(ActInput, given)

    def change(alert: Alert) -> Alert:
        if alert.state != OPEN or alert.acknowledged_at is not None:
            return alert
        return replace(alert, acknowledged_at=context.now, acknowledged_by=context.key.id)

    return _done(context, "acknowledge_alerts", parsed, warnings, change)


def _done(
    context: Context,
    action: str,
    parsed: ActInput,
    warnings: list[Warning_],
    change: Callable[[Alert], Alert],
) -> Answer:
    """Return what *change* made of each alert; one that there is not stops none of the others.

    A request repeated under its Idempotency-Key gets the first answer: a late retry must not undo
    what somebody did since.
    """
    if parsed.dry_run:
        return _answered(context, action, parsed, warnings, change)
    return once(context, lambda: _answered(context, action, parsed, warnings, change))


def _answered(
    context: Context,
    action: str,
    parsed: ActInput,
    warnings: list[Warning_],
    change: Callable[[Alert], Alert],
) -> Answer:
    rows = [_changed(context, alert_id, change, dry_run=parsed.dry_run) for alert_id in parsed.ids]
    return {
        "action": action,
        "changed": sum(row["result"] == "changed" for row in rows),
        "data": rows,
        **({"dry_run": True} if parsed.dry_run else {}),
        "warnings": warnings,
    }


def _changed(
    context: Context, alert_id: str, change: Callable[[Alert], Alert], *, dry_run: bool
) -> dict[str, Any]:
    for attempt in count():
        alert = context.outbound.alerts.get(context.tenant.id, alert_id)
        if alert is None:
            return {"id": alert_id, "result": "not_found"}
        after = change(alert)
        if after == alert:
            return {"id": alert_id, "result": "unchanged", "alert": shown(alert, context.now)}
        try:
            after = after if dry_run else context.outbound.alerts.save(after)
        except (WriteConflictError, StorageBusyError):
            # Somebody else changed it at this moment, or the table was busy: what it is now.
            context.pause(attempt)
            continue
        return {"id": alert_id, "result": "changed", "alert": shown(after, context.now)}
    raise AssertionError("count() is endless")

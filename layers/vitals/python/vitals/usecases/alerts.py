"""The feed of alerts: listed, counted, snoozed, dismissed, woken, acknowledged (IQ-105 to 110)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from operator import attrgetter
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from vitals.domain.alert import DISMISSED, OPEN, Alert
from vitals.domain.errors import AlertNotFoundError, FieldError, ValidationError
from vitals.domain.instants import iso
from vitals.domain.numbers import parse_number
from vitals.domain.rule import CATEGORIES, SEVERITIES
from vitals.storage.ports import StorageBusyError, WriteConflictError
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest
from vitals.usecases.fields import Flag, Instant, Short, any_of, one_of, refuse, split, whole
from vitals.usecases.inputs import Input, Warning_, read
from vitals.usecases.once import once
from vitals.usecases.paging import LONGEST_ID, STRIDE, Page, filled, paged, place
from vitals.usecases.rulebook import rulebook

MAX_IDS = 200
SNOOZES = (1, 7, 30)
"""Days that the source offers; any other number up to a year will do."""
SNOOZED, CLOSED = "snoozed", "closed"
SHOWN = (OPEN, SNOOZED, CLOSED)
NEWEST, PRIORITY, CUSTOMER = "newest", "priority", "customer"
SORTS = (NEWEST, PRIORITY, CUSTOMER)


def _ids(raw: object) -> list[str]:
    found = list(dict.fromkeys(split(raw)))
    if not 1 <= len(found) <= MAX_IDS or any(len(each) > LONGEST_ID for each in found):
        refuse("out_of_range", f"must hold 1 to {MAX_IDS} ids of alerts")
    return found


class AlertsInput(Page):
    """Which alerts, newest first: those that are open, unless *state* says otherwise.

    *sort* by `priority` (the most severe first, then by MRR) or by `customer` reads them all, and
    goes on at an *offset*. *summary* counts all that match by severity and category, with the MRR
    exposed.
    """

    aliases: ClassVar[Mapping[str, str]] = {"view": "state"}

    state: Annotated[str, one_of(*SHOWN)] = OPEN
    severity: Annotated[frozenset[str], any_of(*SEVERITIES)] = frozenset()
    category: Annotated[frozenset[str], any_of(*CATEGORIES)] = frozenset()
    customer_id: Short | None = None
    rule_id: Short | None = None
    manager: Short | None = None
    acknowledged: Flag | None = None
    sort: Annotated[str, one_of(*SORTS)] = NEWEST
    offset: Annotated[int, whole(0, 1_000_000)] = 0
    summary: Flag = False


class AlertInput(Input):
    """Which alert."""

    id: Short


class ActInput(Input):
    """Which alerts: one *id*, or *ids*."""

    aliases: ClassVar[Mapping[str, str]] = {"id": "ids", "alert_id": "ids", "alert_ids": "ids"}

    ids: Annotated[list[str], PlainValidator(_ids, json_schema_input_type=list[str] | str)]
    dry_run: Flag = False


class SnoozeInput(ActInput):
    """How long to hide alerts: *days* (1, 7, 30 …), or *until* an instant."""

    days: Annotated[int, whole(1, 366)] | None = None
    until: Instant | None = None


def list_alerts(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the feed, newest first, and its figures if they are asked for."""
    parsed, warnings, _ = read(AlertsInput, given)
    answer = (
        _newest(context, parsed, warnings)
        if parsed.sort == NEWEST
        else _sorted(context, parsed, warnings)
    )
    if parsed.summary and parsed.shape == "object":
        answer["summary"] = _summary(context, parsed)
    if not answer["data"] and parsed.state == OPEN and not (parsed.cursor or parsed.offset):
        answer["message"] = "All clear: no open alerts."
    return answer


def _newest(context: Context, parsed: AlertsInput, warnings: list[Warning_]) -> Answer:
    query = digest("alerts", *(getattr(parsed, name) for name in _FILTERS))
    if parsed.customer_id is not None:
        return _sorted(context, parsed, warnings)
    alerts = context.outbound.alerts.feed(
        context.tenant.id,
        is_open=parsed.state != CLOSED,
        after=place(parsed.cursor, query),
        # Filtered, most of what is read is passed over: then a page of the index takes more.
        page=parsed.limit + 1 if parsed.model_fields_set.isdisjoint(_FILTERS) else STRIDE,
    )
    page = filled(
        alerts,
        parsed.limit,
        lambda alert: shown(alert, context.now),
        lambda alert: _is_wanted(alert, parsed, context.now),
        context.has_time,
    )
    return paged(
        "list_alerts",
        parsed,
        warnings,
        page,
        lambda last: cursor(query, [iso(last.at), last.id]),
    )


def _sorted(context: Context, parsed: AlertsInput, warnings: list[Warning_]) -> Answer:
    """Return one page of all that match, in another order than that of the feed."""
    if parsed.cursor is not None:
        message = f"goes with sort={NEWEST} and no customer_id alone: go on at an offset"
        raise ValidationError([FieldError("cursor", "conflicting_fields", message)])
    found, complete = _all(context, parsed)
    if parsed.sort != NEWEST:
        found.sort(key=_ORDERS[parsed.sort])
    rest = found[parsed.offset :]
    page = filled(rest, parsed.limit, lambda alert: shown(alert, context.now))
    answer = paged("list_alerts", parsed, warnings, page, lambda _: "")
    about = {"next_cursor": None, "offset": parsed.offset, "total": len(found)}
    return answer | about | {"complete": complete}


def _all(context: Context, parsed: AlertsInput) -> tuple[list[Alert], bool]:
    """Return every alert that matches, newest first, and whether there was time for all of them."""
    tenant_id, is_open = context.tenant.id, parsed.state != CLOSED
    if parsed.customer_id is None:
        feed = context.outbound.alerts.feed(tenant_id, is_open=is_open)
    else:
        # One query of its own, whatever the others' alerts.
        own = context.outbound.alerts.of_customer(tenant_id, parsed.customer_id)
        newest = sorted(own, key=attrgetter("at", "id"), reverse=True)
        feed = (alert for alert in newest if (alert.state == OPEN) == is_open)
    found: list[Alert] = []
    for number, alert in enumerate(feed):
        if number % STRIDE == STRIDE - 1 and not context.has_time():
            return found, False
        if _is_wanted(alert, parsed, context.now):
            found.append(alert)
    return found, True


def _by_priority(alert: Alert) -> tuple[Any, ...]:
    return SEVERITIES.index(alert.severity), -(alert.mrr or 0), -alert.at.timestamp()


def _by_customer(alert: Alert) -> tuple[Any, ...]:
    return str(alert.customer["name"]).casefold(), alert.customer_id, *_by_priority(alert)


_ORDERS: Mapping[str, Callable[[Alert], tuple[Any, ...]]] = {
    PRIORITY: _by_priority,
    CUSTOMER: _by_customer,
}
_FILTERS = ("state", "severity", "category", "customer_id", "rule_id", "manager", "acknowledged")


def _is_wanted(alert: Alert, parsed: AlertsInput, now: datetime) -> bool:
    if parsed.state == OPEN and not alert.is_shown(now):
        return False
    if parsed.state == SNOOZED and not alert.is_snoozed(now):
        return False
    manager = str(alert.customer.get("manager") or "").casefold()
    return (
        (not parsed.severity or alert.severity in parsed.severity)
        and (not parsed.category or alert.category in parsed.category)
        and parsed.customer_id in (None, alert.customer_id)
        and parsed.rule_id in (None, alert.rule_id)
        and (parsed.manager is None or parsed.manager.casefold() == manager)
        and parsed.acknowledged in (None, alert.acknowledged_at is not None)
    )


def _summary(context: Context, parsed: AlertsInput) -> dict[str, Any]:
    """Return the counts of all that match, and the MRR of their customers, each counted once."""
    severities: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    mrr: dict[str, Any] = {}
    found, complete = _all(context, parsed)
    for alert in found:
        severities[alert.severity] += 1
        categories[alert.category] += 1
        # Newest first: what the customer pays by the latest of its alerts.
        mrr.setdefault(alert.customer_id, alert.mrr or 0)
    return {
        "complete": complete,
        "count": severities.total(),
        "customers": len(mrr),
        "mrr_exposed": parse_number(sum(mrr.values())),
        "by_severity": {name: severities[name] for name in SEVERITIES},
        "by_category": {name: categories[name] for name in CATEGORIES},
    }


def get_alert(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one alert, whatever became of it. Raises AlertNotFoundError."""
    parsed, warnings, _ = read(AlertInput, given)
    alert = _required(context, parsed.id)
    return {"action": "get_alert", "data": shown(alert, context.now), "warnings": warnings}


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


def _required(context: Context, alert_id: str) -> Alert:
    alert = context.outbound.alerts.get(context.tenant.id, alert_id)
    if alert is None:
        raise AlertNotFoundError(f"no alert has the id {alert_id}")
    return alert


def shown(alert: Alert, now: datetime) -> dict[str, Any]:
    """Return *alert* as answers show it at *now*: its state is open, snoozed or how it ended."""
    found: dict[str, Any] = {}
    for each in fields(alert):
        value = getattr(alert, each.name)
        found[each.name] = iso(value) if isinstance(value, datetime) else value
    found["state"] = SNOOZED if alert.is_snoozed(now) else alert.state
    return found | {"moved": list(alert.moved), "mrr_exposed": alert.mrr}

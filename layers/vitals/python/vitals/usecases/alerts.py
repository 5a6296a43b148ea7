"""The feed of alerts: listed, counted, and one by one (IQ-105 to 109)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, ClassVar

from vitals.domain.alert import OPEN, Alert
from vitals.domain.errors import AlertNotFoundError, FieldError, ValidationError
from vitals.domain.instants import iso
from vitals.domain.numbers import parse_number
from vitals.domain.rule import CATEGORIES, SEVERITIES
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest
from vitals.usecases.fields import Flag, Short, any_of, one_of, whole
from vitals.usecases.inputs import Input, Warning_, read
from vitals.usecases.paging import STRIDE, Page, filled, paged, place

SNOOZED, CLOSED = "snoozed", "closed"
SHOWN = (OPEN, SNOOZED, CLOSED)
NEWEST, PRIORITY, CUSTOMER = "newest", "priority", "customer"
SORTS = (NEWEST, PRIORITY, CUSTOMER)


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

"""Notices: the events that tell people of alerts, one by one or in a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from vitals.domain.alert import Alert, alert_view, short_hash
from vitals.domain.connection import Connection
from vitals.domain.events import Event
from vitals.domain.instants import iso
from vitals.domain.numbers import parse_number
from vitals.domain.rule import Rule

FIRED, ESCALATED, DIGEST = "alert.fired", "alert.escalated", "alert.digest"
DISABLED, TEST = "connection.disabled", "connection.test"
REPORT_READY = "report.ready"
MOST_LISTED = 100
"""A summary names so many alerts; it counts them all."""


def alert_fired(alerts: Sequence[Alert]) -> Event:
    """Return the one event for *alerts* of one rule and customer in one evaluation (AMB-10)."""
    key = short_hash(*sorted(alert.id for alert in alerts))
    return _of_customer(FIRED, key, alerts, alerts[0].at)


def alert_escalated(alert: Alert, at: datetime) -> Event:
    """Return the event for a critical *alert* that nobody acknowledged (PLUS-18)."""
    return _of_customer(ESCALATED, short_hash(alert.id), [alert], at)


def alert_digest(
    rule: Rule, reason: str, alerts: Sequence[Mapping[str, Any]], at: datetime, unique: str
) -> Event:
    """Return one event for all of a rule's *alerts* (`digest_line`), oldest first, as of *at*.

    Its id follows from rule, reason, *at* and *unique*.
    """
    mrr = {line["customer"]["id"]: line["customer"].get("mrr") or 0 for line in alerts}
    data = {
        "rule": {"id": rule.id, "name": rule.name},
        "reason": reason,
        "from": alerts[0]["at"] if alerts else None,
        "to": iso(at),
        "count": len(alerts),
        "mrr_exposed": parse_number(sum(mrr.values())),
        "alerts": list(alerts[:MOST_LISTED]),
    }
    key = short_hash(rule.id, reason, iso(at), unique)
    return _event(DIGEST, key, at, rule.tenant_id, data)


def digest_line(alert: Alert) -> dict[str, Any]:
    """Return what a summary says of *alert*."""
    brief = ("id", "name", "score", "status", "manager", "mrr")
    return alert_view(alert) | {"customer": {name: alert.customer.get(name) for name in brief}}


def connection_disabled(connection: Connection, reason: str, at: datetime) -> Event:
    """Return the event for a connection that nothing is sent to any more."""
    data = {"connection": connection_brief(connection), "reason": reason, "at": iso(at)}
    key = short_hash(connection.id, iso(at))
    return _event(DISABLED, key, at, connection.tenant_id, data)


def connection_test(connection: Connection, unique: str, at: datetime) -> Event:
    """Return the event that tries a connection."""
    data = {
        "connection": connection_brief(connection),
        "message": f"Vitals reaches {connection.name}: this is a test.",
    }
    return _event(TEST, unique, at, connection.tenant_id, data)


def report_ready(tenant_id: str, unique: str, at: datetime, data: Mapping[str, Any]) -> Event:
    """Return the event for a report that was made; its id follows from *unique* (IQ-147)."""
    return _event(REPORT_READY, short_hash(unique), at, tenant_id, data)


def connection_brief(connection: Connection) -> dict[str, Any]:
    """Return what a message says of a connection."""
    return {
        "id": connection.id,
        "name": connection.name,
        "kind": connection.kind,
        "shown": connection.shown,
    }


def _of_customer(kind: str, key: str, alerts: Sequence[Alert], at: datetime) -> Event:
    first = alerts[0]
    data = {
        "rule": {"id": first.rule_id, "name": first.rule_name},
        "customer": dict(first.customer),
        "alerts": [alert_view(alert) for alert in alerts],
        "moved": list(first.moved),
        "mrr_exposed": first.mrr,
        "at": iso(at),
    }
    event = _event(kind, key, at, first.tenant_id, data)
    return replace(event, customer_id=first.customer_id)


def _event(kind: str, key: str, at: datetime, tenant_id: str, data: Mapping[str, Any]) -> Event:
    unique = f"msg_{key}_{kind.replace('.', '_')}"
    return Event(id=unique, type=kind, at=at, tenant_id=tenant_id, data=data, customer_id=None)

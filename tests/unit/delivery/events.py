"""Stored events as the reactions make them."""

from __future__ import annotations

from typing import Any

AT = "2026-12-01T09:00:00.000Z"


def customer(name: str = "Acme Corp", **fields: Any) -> dict[str, Any]:
    return {
        "id": "01C", "name": name, "external_id": None, "score": 40, "status": "at_risk",
        "tier": "enterprise", "lifecycle": "atrisk", "manager": "Ann Lee", "mrr": 12000.5,
        "renewal_date": "2026-12-31", "days_until_renewal": 30, "last_contact_on": "2026-11-01",
        **fields,
    }  # fmt: skip


def alert(event: str = "health_below", severity: str = "critical", **fields: Any) -> dict[str, Any]:
    return {
        "id": "01A", "event": event, "severity": severity, "category": "health",
        "message": "The score fell from 76 to 40, below 50", "before": 76, "after": 40,
        "initial": False, **fields,
    }  # fmt: skip


def event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": "msg_01J", "type": kind, "timestamp": AT, "tenant_id": "acme", "data": data}


def fired(
    kind: str = "alert.fired", *, name: str = "Acme Corp", rule: str = "Below 50", **data: Any
) -> dict[str, Any]:
    return event(
        kind,
        {
            "rule": {"id": "01R", "name": rule},
            "customer": customer(name),
            "alerts": [alert()],
            "moved": [
                {"signal": "days", "before": "20.0000", "after": "5.7500", "delta": "-14.2500"}
            ],
            "mrr_exposed": 12000.5,
            "at": AT,
            **data,
        },
    )


def digest(
    listed: int = 2, count: int = 2, *, name: str = "Acme Corp", message: str = "Below 50", **d: Any
) -> dict[str, Any]:
    alerts = [{**alert(message=message), "customer": customer(name), "at": AT}] * listed
    rule = {"id": "01R", "name": d.pop("rule", "Below 50")}
    data = {
        "rule": rule, "reason": "daily", "from": "2026-11-30T09:00:00.000Z", "to": AT,
        "count": count, "mrr_exposed": 24001, "alerts": alerts, **d,
    }  # fmt: skip
    return event("alert.digest", data)


def disabled(name: str = "Our Slack") -> dict[str, Any]:
    connection = {"id": "01X", "name": name, "kind": "slack", "shown": "https://hooks.slack.com/…"}
    return event(
        "connection.disabled",
        {"connection": connection, "reason": "It failed for five days.", "at": AT},
    )


def greeting(name: str = "Our Slack") -> dict[str, Any]:
    connection = {"id": "01X", "name": name, "kind": "slack", "shown": "https://hooks.slack.com/…"}
    return event("connection.test", {"connection": connection, "message": "It works."})


def changed(name: str = "Acme Corp") -> dict[str, Any]:
    score = {
        "before": 76, "after": 40, "status_before": "healthy", "status_after": "at_risk",
        "moved": [{"signal": "nps", "before": None, "after": "3", "delta": "3"}],
    }  # fmt: skip
    return event("health.changed", {"customer": customer(name), "score": score})


def report(name: str = "Weekly Digest") -> dict[str, Any]:
    data = {
        "report": {"name": "weekly_digest", "title": name, "subject": name, "format": "pdf"},
        "schedule": {"id": "01P", "name": name},
        "test": False, "as_of": AT, "time_zone": "UTC", "period": None,
        "filters": {"manager": [name]}, "headlines": [name, name],
        "figures": [{"label": name, "value": name, "change": name}],
        "link": "https://api.example.com/reports?link=T.J.S", "link_until": AT,
        "unsubscribe": "https://api.example.com/unsubscribe?link=T.S.A.X",
    }  # fmt: skip
    return event("report.ready", data)


def every(name: str) -> list[dict[str, Any]]:
    """Every kind of event that people read, with *name* wherever a name stands."""
    alerts = [alert(message=name), alert("condition", "opportunity", message=name)]
    return [
        fired(name=name, rule=name, alerts=alerts, customer=customer(name, manager=name)),
        fired("alert.escalated", name=name, rule=name),
        digest(3, 250, name=name, message=name, rule=name),
        disabled(name),
        greeting(name),
        changed(name),
        report(name),
        event(name, {name: name, "customer": {"name": name}}),
    ]

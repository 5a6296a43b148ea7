"""An example of every event: what happens to one invented customer, told by the real builders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from vitals.domain import events, notice
from vitals.domain.alert import Alert, customer_brief
from vitals.domain.change import Change
from vitals.domain.connection import WEBHOOK, Connection
from vitals.domain.customer import Customer
from vitals.domain.events import Event, change_events, moved
from vitals.domain.instants import iso
from vitals.domain.model import CONTACT
from vitals.domain.model_document import DEFAULT_MODEL, model_from_document
from vitals.domain.mutation import Reason, settled
from vitals.domain.patch import Moment, Patch, merged
from vitals.domain.rule import HEALTH_BELOW, Rule, Trigger
from vitals.domain.standing import Standing
from vitals.domain.view import customer_view

TENANT: Final = "01KG5ZR0X0EXAMPLETENANT000"
_CUSTOMER: Final = "01KGDN5M80EXAMPLECUSTMR000"
_KEY: Final = "01KG5ZR0X0EXAMPLEKEY000000"
_MODEL: Final = model_from_document(1, DEFAULT_MODEL)
_PORTFOLIO_MRR: Final = 96_000
_START: Final = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
_CONTACT: Final = date(2026, 2, 27)
_RENEWAL: Final = date(2026, 6, 30)
_MANAGER: Final = "Mara Lindqvist"
_CAUSES: Final = {
    "log_contact": "contact",
    "delete_customer": "delete",
    "restore_customer": "restore",
}

Told = tuple[Customer, Change, Mapping[str, Event]]


def examples(tenant_id: str = TENANT) -> dict[str, Event]:
    """Return an example of every type of event, as if it had happened in *tenant_id*."""
    healthy, _, created = _told(None, _new(tenant_id), "upsert_account", 0)
    signals = {"logins": 6, "adoption": 41, "tickets": 4, "nps": 6}
    fall = _told(healthy, _merged(healthy, Patch(signals=signals), 24), "upsert_account", 24)
    talked = _merged(
        fall[0], Patch(fields={"last_contact_on": _CONTACT}, given=frozenset({CONTACT})), 25
    )
    contact = {"at": iso(_at(25)), "channel": "call", "who": _MANAGER, "note": "Demo on Tuesday"}
    called, _, contacted = _told(fall[0], talked, "log_contact", 25, contact)
    signals = {"logins": 17, "adoption": 63, "tickets": 1, "nps": 8}
    better = _merged(called, Patch(signals=signals), 30)
    better, _, improved = _told(called, better, "upsert_account", 30)
    trash, _, deleted = _told(better, replace(better, deleted_at=_at(40)), "delete_customer", 40)
    _, _, restored = _told(trash, replace(trash, deleted_at=None), "restore_customer", 41)
    return {
        events.CREATED: created[events.CREATED],
        events.UPDATED: contacted[events.UPDATED],
        events.DELETED: deleted[events.DELETED],
        events.RESTORED: restored[events.RESTORED],
        events.CONTACT_LOGGED: contacted[events.CONTACT_LOGGED],
        events.HEALTH_CHANGED: fall[2][events.HEALTH_CHANGED],
        events.HEALTH_DROPPED: fall[2][events.HEALTH_DROPPED],
        events.HEALTH_IMPROVED: improved[events.HEALTH_IMPROVED],
        events.LIFECYCLE_CHANGED: fall[2][events.LIFECYCLE_CHANGED],
        **_of_time(called),
        events.MODEL_CHANGED: _of_model(tenant_id),
        **_of_alerts(healthy, fall),
        **_of_connections(tenant_id),
        **_of_reports(tenant_id),
    }


def _new(tenant_id: str) -> Customer:
    return Customer(
        id=_CUSTOMER,
        tenant_id=tenant_id,
        name="Halden Freight",
        external_id="crm-4711",
        created_at=_START,
        updated_at=_START,
        signals={"logins": 22, "adoption": 75, "tickets": 1, "nps": 8},
        last_contact_on=date(2026, 1, 29),
        mrr=4200,
        arr=50_400,
        revenue_basis="mrr",
        tier="mid",
        manager=_MANAGER,
        tags=("logistics",),
        renewal_date=_RENEWAL,
    )


def _told(
    before: Customer | None,
    after: Customer,
    action: str,
    days: int,
    contact: Mapping[str, Any] | None = None,
) -> Told:
    """Return *after* as it is stored, the change that made it, and its events by type."""
    reason = Reason(action=action, cause=_CAUSES.get(action, "api"), contact=contact)
    after, change = settled(before, after, _MODEL, reason, _moment(days))
    if change is None:
        raise AssertionError(f"{action} changes nothing here")
    change = replace(change, id=f"01KG5ZR0X0EXAMPLECHANGE{change.version:03d}")
    told = change_events(after.tenant_id, before, after, change, _view(after, change.at))
    return after, change, {event.type: event for event in told}


def _merged(before: Customer, patch: Patch, days: int) -> Customer:
    return merged(before, replace(patch, given=patch.given | patch.signals.keys()), _moment(days))


def _moment(days: int) -> Moment:
    return Moment(_at(days), UTC, _KEY, "CRM sync")


def _at(days: int) -> datetime:
    return _START + timedelta(days=days)


def _view(customer: Customer, at: datetime) -> dict[str, Any]:
    return customer_view(customer, _MODEL, at, UTC, _PORTFOLIO_MRR, whole=False)


def _of_time(customer: Customer) -> dict[str, Event]:
    entered = datetime(2026, 4, 1, tzinfo=UTC)
    overdue = datetime(2026, 4, 13, tzinfo=UTC)
    return {
        events.RENEWAL_APPROACHING: events.renewal_approaching(
            customer.tenant_id,
            customer.id,
            _view(customer, entered),
            window_days=90,
            renewal_date=_RENEWAL,
            at=entered,
        ),
        events.CONTACT_OVERDUE: events.contact_overdue(
            customer.tenant_id, customer.id, _view(customer, overdue), _CONTACT, overdue
        ),
    }


def _of_model(tenant_id: str) -> Event:
    return events.model_changed(
        tenant_id,
        2,
        at=_at(50),
        by=_KEY,
        action="update_config",
        note="Logins tell us more",
        changed=["signals.logins.weight", "signals.adoption.weight"],
    )


def _of_alerts(before: Customer, dropped: Told) -> dict[str, Event]:
    after, change, _ = dropped
    rule = Rule(
        id="01KG5ZR0X0EXAMPLERULE00000",
        tenant_id=after.tenant_id,
        name="Below 50",
        triggers=(Trigger(HEALTH_BELOW, 50),),
        enabled_at=_START,
    )
    alert = Alert(
        id=f"{after.id}_EXAMPLEALERT00000000000000",
        tenant_id=after.tenant_id,
        customer_id=after.id,
        customer=customer_brief(Standing(after, _MODEL, change.at)),
        rule_id=rule.id,
        rule_name=rule.name,
        event=HEALTH_BELOW,
        trigger=HEALTH_BELOW,
        severity="warning",
        category="health",
        message=f"Score fell from {before.score} to {after.score}, below 50",
        before=before.score,
        after=after.score,
        initial=False,
        at=change.at,
        change_id=change.id,
        moved=tuple(moved(change)),
    )
    summed = change.at.replace(hour=8) + timedelta(days=1)
    urgent = replace(alert, severity="critical")
    return {
        notice.FIRED: notice.alert_fired([alert]),
        notice.ESCALATED: notice.alert_escalated(urgent, change.at + timedelta(hours=4)),
        notice.DIGEST: notice.alert_digest(rule, "daily", [notice.digest_line(alert)], summed, ""),
    }


def _of_connections(tenant_id: str) -> dict[str, Event]:
    connection = Connection(
        id="01KG5ZR0X0EXAMPLECONNECT00",
        tenant_id=tenant_id,
        name="Warehouse",
        kind=WEBHOOK,
        shown="https://hooks.example.com/…",
        created_at=_START,
        updated_at=_START,
        created_by=_KEY,
    )
    reason = "it has answered 410 Gone"
    return {
        notice.DISABLED: notice.connection_disabled(connection, reason, _at(45)),
        notice.TEST: notice.connection_test(connection, "01KG5ZR0X0EXAMPLETEST00000", _at(1)),
    }


def _of_reports(tenant_id: str) -> dict[str, Event]:
    at = _at(50)
    data = {
        "report": {
            "name": "weekly_digest",
            "title": "Weekly Digest",
            "subject": "My company",
            "format": "pdf",
        },
        "schedule": {"id": "01KG5ZR0X0EXAMPLESCHEDULE0", "name": "Monday's digest"},
        "test": False,
        "as_of": iso(at),
        "time_zone": "UTC",
        "period": {"from": str((at - timedelta(days=7)).date()), "to": str(at.date())},
        "filters": {"manager": ["sarah"]},
        "headlines": ["3 of 24 customers are at risk, with $4,200 of MRR."],
        "figures": [{"label": "Average score", "value": "68.4", "change": "+1.2"}],
        "link": "https://vitals.example.com/reports?link=…",
        "link_until": iso(at + timedelta(days=8)),
    }
    ready = notice.report_ready(tenant_id, "01KG5ZR0X0EXAMPLEREPORT000", at, data)
    return {notice.REPORT_READY: ready}

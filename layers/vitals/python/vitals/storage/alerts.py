"""Alerts in the table: a customer's together, a tenant's open ones by the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from vitals.domain.alert import OPEN, Alert
from vitals.domain.instants import iso
from vitals.domain.notice import digest_line
from vitals.domain.rule import NO_CONTACT, RENEWAL
from vitals.storage import codec, keys
from vitals.storage.deliveries import add_delivery, add_new
from vitals.storage.ports import Place, WriteConflictError
from vitals.storage.purges import erase_reactions
from vitals.storage.reaction_ports import Raised
from vitals.storage.table import INDEX, Found, Item, Table, Writes
from vitals.storage.wakes import wake_item

AT_ONCE = 5
"""Deliveries beside an alert: of a rule's twenty events, each with its lines, all else is full."""
KEPT_SHORT = timedelta(days=90)
"""An alert of one change is kept for so long once it is over."""
KEPT = timedelta(days=400)
"""One of a day that can come again is kept longer: last year's renewal is not told of again."""
LONGEST_WAIT = timedelta(days=30)
"""What waits for a summary is dropped after so long."""
_INSTANTS = ("at", "reopened_at", "closed_at", "snoozed_until", "acknowledged_at", "escalated_at")


class AlertTable:
    """`reaction_ports.Alerts` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def raise_all(self, tenant_id: str, raised: Raised) -> frozenset[str]:
        """Write *raised* in one transaction, or nothing; return the ids that exist already."""
        for wake in raised.summaries:
            # By itself: thousands of alerts share it, and transactions that meet fail. One that
            # finds nothing waiting does nothing.
            self._table.put(wake_item(self._item, wake))
        for delivery in raised.deliveries[AT_ONCE:]:
            # One transaction has room for so much. Ahead of it: what has come so far is there when
            # the same is raised again.
            add_new(self._table, delivery)
        writes = Writes()
        absent = self._item.PK.does_not_exist()
        for alert in raised.alerts:
            writes.put(alert.id, alert_item(self._item, alert), absent)
        for delivery in raised.deliveries[:AT_ONCE]:
            add_delivery(writes, self._item, delivery)
        for box, alert in raised.lines:
            writes.put("line", _line_item(self._item, tenant_id, box, alert), None)
        for wake in raised.wakes:
            writes.put("wake", wake_item(self._item, wake), None)
        try:
            self._table.transact(writes)
        except WriteConflictError as lost:
            return lost.on
        return frozenset()

    def of_customer(self, tenant_id: str, customer_id: str) -> list[Alert]:
        """Return every alert of the customer: 1 strongly consistent query."""
        place = keys.alerts_partition(tenant_id, customer_id)
        return [_alert_of(tenant_id, item) for item in self._table.query(place, consistent=True)]

    def get(self, tenant_id: str, alert_id: str) -> Alert | None:
        """Return the alert as last written: 1 read."""
        key = _key(tenant_id, alert_id)
        item = self._table.get(key) if key[1] else None
        return _alert_of(tenant_id, item) if item else None

    def save(self, alert: Alert) -> Alert:
        """Write *alert* as the version after the one it bears: 1 write."""
        after = replace(alert, version=alert.version + 1)
        self._table.put(alert_item(self._item, after), self._item.version == alert.version)
        return after

    def feed(
        self,
        tenant_id: str,
        *,
        is_open: bool,
        after: Place | None = None,
        page: int | None = None,
    ) -> Iterator[Alert]:
        """Yield the tenant's alerts from the index, newest first."""
        place = "#".join(after) if after else None
        condition = place > self._item.index_sk if place else None
        partition = keys.alerts_feed(tenant_id, is_open=is_open)
        for item in self._table.query(
            partition, condition, index=INDEX, descending=True, page=page
        ):
            yield _alert_of(tenant_id, item)

    def lines(
        self, tenant_id: str, box: str, until: datetime
    ) -> Mapping[str, Mapping[str, Any] | None]:
        """Return what waits in *box*, by place, oldest first: 1 strongly consistent query.

        And one read of each alert: a line names nobody, so that erasing an alert is enough.
        """
        place = keys.box_partition(tenant_id, box)
        until_then = iso(until) + keys.LAST > self._item.SK
        found = [item.SK for item in self._table.query(place, until_then, consistent=True)]
        ids = {line: line.partition("#")[2] for line in found}
        stored = self._table.get_many([_key(tenant_id, alert_id) for alert_id in ids.values()])
        alerts = {alert.id: alert for alert in (_alert_of(tenant_id, item) for item in stored)}
        there = {line: alerts.get(alert_id) for line, alert_id in ids.items()}
        return {line: digest_line(alert) if alert else None for line, alert in there.items()}

    def empty(self, tenant_id: str, box: str, places: Iterable[str]) -> None:
        """Take out of *box* what waited there at *places*."""
        place = keys.box_partition(tenant_id, box)
        self._table.delete_many([(place, line) for line in places])

    def erase(self, tenant_id: str, customer_id: str) -> None:
        """Erase the customer's alerts and the deliveries that tell of it."""
        erase_reactions(self._table, tenant_id, customer_id)


def alert_item(kind: type[Item], alert: Alert) -> Item:
    """Return the item of *alert*."""
    stored = {
        each.name: value
        for each in fields(alert)
        if each.name != "tenant_id" and (value := getattr(alert, each.name)) is not None
    }
    stored |= {name: iso(stored[name]) for name in _INSTANTS if name in stored}
    return kind(
        *_key(alert.tenant_id, alert.id),
        index_pk=keys.alerts_feed(alert.tenant_id, is_open=alert.state == OPEN),
        index_sk=f"{iso(alert.at)}#{alert.id}",
        version=alert.version,
        row=codec.encode(stored),
        expires_at=_kept_until(alert),
    )


def _kept_until(alert: Alert) -> datetime | None:
    if alert.closed_at is None:
        return None
    return alert.closed_at + (KEPT if alert.event in (RENEWAL, NO_CONTACT) else KEPT_SHORT)


def _key(tenant_id: str, alert_id: str) -> keys.Key:
    customer_id, _, rest = alert_id.partition("_")
    return keys.alerts_partition(tenant_id, customer_id), rest


def _line_item(kind: type[Item], tenant_id: str, box: str, alert: Alert) -> Item:
    return kind(
        keys.box_partition(tenant_id, box),
        f"{iso(alert.at)}#{alert.id}",
        expires_at=alert.at + LONGEST_WAIT,
    )


def _alert_of(tenant_id: str, item: Item | Found) -> Alert:
    stored = codec.decode(item.row or "{}")
    stored |= {name: datetime.fromisoformat(stored[name]) for name in _INSTANTS if name in stored}
    return Alert(**stored | {"tenant_id": tenant_id, "moved": tuple(stored.get("moved", ()))})

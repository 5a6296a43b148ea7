"""Product events as an integration sends them, through the use-cases over the test's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from tests.builders import a_key
from tests.integration.actions.api import Api

from vitals.domain.customer import Customer
from vitals.domain.instants import iso, zone
from vitals.domain.product_events import ledger_of
from vitals.runtime.wiring import wiring
from vitals.storage import codec, keys
from vitals.usecases.context import Context, Idempotency
from vitals.usecases.ingest_events import ingest_events
from vitals.usecases.list_events import list_events
from vitals.usecases.signals import list_signals

Answer = dict[str, Any]


@dataclass
class Product:
    """What sends a tenant's events, and asks for them."""

    api: Api
    name: str = "Product"
    seconds: float = 29
    replayed: bool = False

    def context(self, key: str | None = None, body: object = None) -> Context:
        """Return a request's context; *body* is what its fingerprint is of."""
        wired = wiring()
        tenant = wired.tenants.tenant(self.api.tenant.id, consistent=True)
        assert tenant is not None
        asked = None if key is None else Idempotency(key, repr(body))
        holder = a_key(tenant_id=tenant.id, name=self.name)
        return wired.context(
            holder, tenant, self.api.clock.now, lambda: self.seconds, idempotency=asked
        )

    def ingest(self, events: Sequence[object], key: str | None = None) -> Answer:
        """Send a batch, under an Idempotency-Key or none."""
        context = self.context(key, events)
        answer = ingest_events(context, {"events": list(events)})
        self.replayed = bool(context.replays)
        assert answer["accepted"] + answer["rejected"] == len(events)
        return answer

    def listed(self, **asked: object) -> list[Answer]:
        """Return every event that is asked for, page after page."""
        found: list[Answer] = []
        cursor: Mapping[str, object] = {}
        while True:
            page = list_events(self.context(), {**asked, **cursor})
            found += page["data"]
            if not page["has_more"]:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def signals(self, customer_id: str) -> dict[str, Answer]:
        """Return a customer's signals by name."""
        answer = list_signals(self.context(), {"id": customer_id})
        return {row["name"]: row for row in answer["data"]["signals"]}

    def customer(self, customer_id: str) -> Customer:
        """Return a customer as it is stored."""
        found = wiring().customers.get(self.api.tenant, customer_id)
        assert found is not None
        return found

    def items(self, customer_id: str) -> dict[str, Mapping[str, Any]]:
        """Return every item of a customer's events, by its sort key."""
        place = keys.events_partition(self.api.tenant.id, customer_id)
        found = self.api.table.item.query(place, consistent_read=True)
        return {item.SK: item.to_simple_dict() for item in found}

    def counted(self, customer_id: str) -> dict[tuple[date, str], int]:
        """Return how often each event is counted, by day and name."""
        return {
            (date.fromisoformat(sort[2:]), name): tally.count
            for sort, item in self.items(customer_id).items()
            if sort.startswith(keys.LEDGER)
            for name, tally in ledger_of(codec.decode(item["doc"])).tallies.items()
        }


def an_event(customer_id: str, name: str = "login", **fields: object) -> Answer:
    """Return an event of a customer's, as it is sent."""
    sent = {"customer_id": customer_id, "event_name": name, **fields}
    return {
        field: iso(value) if isinstance(value, datetime) else value for field, value in sent.items()
    }


def days_of(events: Sequence[Mapping[str, Any]], zone_name: str = "UTC") -> Iterator[date]:
    """Yield the local day of each event."""
    where = zone(zone_name)
    for event in events:
        yield datetime.fromisoformat(event["timestamp"]).astimezone(where).date()


def named(product: Product, name: str) -> Product:
    """Return *product* with a key of another name."""
    return replace(product, name=name)

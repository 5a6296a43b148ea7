"""A portfolio before its midnight: written straight into the table, and what that night moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import islice
from typing import Any

from bench.portfolio import MANAGERS, NOW, customer
from bench.workbench import Workbench

from vitals.domain.access import Tenant
from vitals.domain.customer import Customer
from vitals.domain.instants import iso
from vitals.domain.model_document import DEFAULT_MODEL, model_from_document
from vitals.domain.recent import Step as Moved
from vitals.runtime.wiring import wiring
from vitals.storage import codec, keys

MODEL = model_from_document(1, DEFAULT_MODEL)
DAY = timedelta(days=1)
_BATCH = 25
_LAST_DAYS = frozenset({0, *(days + 1 for days, _ in MODEL.renewal_windows)})
"""Days until a renewal after which it is in another window, or has passed."""


def ordinary(number: int) -> Customer:
    """Return customer *number* as the table holds it; of 18 scores one moves in a night."""
    found = customer(number)
    renewal = NOW.date() + timedelta(days=number * 29 % 365)
    return _published(
        replace(
            found,
            tenant_id="",
            updated_at=NOW + timedelta(milliseconds=number // 100),
            version=1 + number % 9,
            mrr=50 * (number * 17 % 400),
            manager=MANAGERS[number % 5],
            renewal_date=renewal if number % 4 else None,
            last_contact_on=found.last_contact_on if number % 50 else None,
        ),
        number,
    )


def quiet(number: int) -> Customer:
    """Return customer *number*, but of another day's contact and renewal: its night moves nothing.

    Neither its score nor anything that a built-in rule looks for.
    """
    found = ordinary(number)
    while not _is_still(found):
        contacted = found.last_contact_on
        found = replace(
            found,
            last_contact_on=contacted and contacted - DAY,
            renewal_date=found.renewal_date and found.renewal_date + DAY,
        )
        found = _published(found, number)
    return found


def _published(found: Customer, number: int) -> Customer:
    """Return *found* with its score as of now; that of every second has moved in the last days."""
    score, status = found.published_at(MODEL, NOW, UTC)
    recent: tuple[Moved, ...] = ()
    if number % 2 and score is not None:
        moved = ((20, score + 2), (9, score + 1), (3, score))
        recent = tuple(((NOW - days * DAY).date(), then, then) for days, then in moved)
    changed = NOW - (3 if recent else 40) * DAY
    return replace(
        found, score=score, status=status, recent=recent, score_changed_at=changed, cause="api"
    )


def _is_still(found: Customer) -> bool:
    """Tell whether the coming night moves neither a score nor an alert."""
    today, renewal, contacted = NOW.date(), found.renewal_date, found.last_contact_on
    if renewal is not None and (renewal - today).days in _LAST_DAYS:
        return False
    if contacted is not None and (today - contacted).days == MODEL.quiet_after:
        return False
    return found.published_at(MODEL, NOW + DAY, UTC) == (found.score, found.status)


def store(desk: Workbench, customers: Iterable[Customer]) -> None:
    """Give the tenant of *desk* the *customers*, without their changes and locks."""
    found = wiring().tenants.tenant(desk.send("whoami")["data"]["tenant_id"])
    if found is None:
        raise LookupError("the tenant is gone")
    name = desk.table.item.Meta.table_name
    items = _items(found, customers)
    while part := list(islice(items, _BATCH)):
        asked = {name: [{"PutRequest": {"Item": item}} for item in part]}
        left = desk.client.batch_write_item(RequestItems=asked)["UnprocessedItems"]
        if left:
            raise AssertionError("the engine did not take all")


def count_revenue(desk: Workbench, customers: Iterable[Customer]) -> None:
    """Have the tenant of *desk* know what the *customers* pay, of which priorities are shares."""
    tenant_id = desk.send("whoami")["data"]["tenant_id"]
    cents = sum(100 * (each.mrr or 0) for each in customers)
    desk.client.put_item(
        TableName=desk.table.item.Meta.table_name,
        Item={
            "PK": {"S": keys.tenant_partition(tenant_id)},
            "SK": {"S": keys.mrr_counter("0")},
            "cents": {"N": str(cents)},
        },
    )


def _items(tenant: Tenant, customers: Iterable[Customer]) -> Iterator[dict[str, Any]]:
    for each in customers:
        place, name = keys.customer(tenant, each.id)
        yield {
            "PK": {"S": place},
            "SK": {"S": name},
            "index_pk": {"S": place},
            "index_sk": {"S": f"{iso(each.updated_at)}#{each.id}"},
            "version": {"N": str(each.version)},
            "row": {"S": codec.customer_row(each)},
            "doc": {"S": codec.customer_doc(each)},
        }

"""Everything that the table holds of one tenant, and what must hold of it at any time."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from tests.integration.actions.api import Api
from tests.unit import oracle

from vitals.domain.access import Tenant
from vitals.domain.change import facts
from vitals.domain.customer import Customer
from vitals.domain.instants import iso
from vitals.domain.model_document import DEFAULT_MODEL
from vitals.storage import codec, keys
from vitals.storage.table import INDEX

Key = tuple[str, str]
_ULID = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")


@dataclass(frozen=True)
class Kept:
    """What is stored of a tenant."""

    tenant: Tenant
    items: Mapping[Key, Mapping[str, Any]]
    index: Mapping[Key, Mapping[str, Any]]

    @property
    def customers(self) -> dict[str, Customer]:
        """Live and trashed customers by id."""
        return {
            key[1][2:]: codec.customer_of(
                self.tenant.id, key[1][2:], item["index_sk"].split("#")[0], item["row"], item["doc"]
            )
            for key, item in self.items.items()
            if key[1].startswith("C#") and "row" in item
        }

    @property
    def tombstones(self) -> dict[str, Mapping[str, Any]]:
        """What is left of purged customers, by id."""
        return {
            key[1][2:]: item
            for key, item in self.items.items()
            if key[1].startswith("C#") and "row" not in item
        }

    def changes(self, customer_id: str) -> list[dict[str, Any]]:
        """The customer's change records, oldest first."""
        place = keys.history_partition(self.tenant, customer_id)
        versions = sorted(key for key in self.items if key[0] == place)
        return [json.loads(self.items[key]["row"]) for key in versions]

    @property
    def told(self) -> str:
        """All that matters of what is stored, ids left out: two stores that tell the same are."""
        told = [
            {
                "facts": facts(customer),
                "note": customer.note,
                "received": {name: iso(seen.at) for name, seen in customer.received.items()},
                "version": customer.version,
                "updated_at": iso(customer.updated_at),
                "created_at": iso(customer.created_at),
                "changes": self.changes(customer.id),
            }
            for customer in sorted(self.customers.values(), key=lambda each: each.name)
        ]
        gone = sorted(
            without_ids(codec.encode(self.changes(customer_id))) for customer_id in self.tombstones
        )
        answers = [
            json.loads(item["doc"])
            for key, item in sorted(self.items.items())
            if key[1] == "ANSWER"
        ]
        return without_ids(codec.encode([told, gone, self.revenue, answers]))

    @property
    def revenue(self) -> int:
        """What the MRR counters add up to, in cents."""
        return sum(
            int(item["cents"]) for key, item in self.items.items() if key[1].startswith("A#MRR#")
        )


def kept(api: Api) -> Kept:
    """Read all that is stored of the tenant of *api*, but what every request counts and logs."""
    items = {key: item for key, item in _read(api).items() if not key[0].endswith(("#R", "#LOG"))}
    return Kept(api.tenant, items, _read(api, IndexName=INDEX))


def _read(api: Api, **index: str) -> dict[Key, dict[str, Any]]:
    client: Any = api.table.connection.client  # pynamodb types but a part of it
    name, tenant = api.table.item.Meta.table_name, api.tenant.id
    own = {
        "FilterExpression": "PK = :tenant OR begins_with(PK, :inside)",
        "ExpressionAttributeValues": {
            ":tenant": {"S": f"T#{tenant}"},
            ":inside": {"S": f"T#{tenant}#"},
        },
    }
    found: dict[Key, dict[str, Any]] = {}
    for page in client.get_paginator("scan").paginate(TableName=name, Limit=5000, **own, **index):
        for raw in page["Items"]:
            item = {name: text for name, value in raw.items() for text in value.values()}
            found[item["PK"], item["SK"]] = item
    return found


def without_ids(text: str) -> str:
    """*text* with every ULID replaced by the place of its first mention."""
    seen: dict[str, str] = {}
    return _ULID.sub(lambda found: seen.setdefault(found[0], f"id-{len(seen)}"), text)


def check(stored: Kept, *, purging: bool = False, only: Collection[str] | None = None) -> None:
    """Assert every invariant; *purging*: a purge may have been cut short behind its first step.

    *only* names the customers whose histories are replayed; the rest is about all of them.
    """
    check_locks(stored, purging=purging)
    check_index(stored)
    check_revenue(stored)
    for customer in stored.customers.values():
        if only is None or customer.id in only:
            check_history(stored, customer)
    for customer_id in stored.tombstones:
        check_tombstone(stored, customer_id, purging=purging)


def check_locks(stored: Kept, *, purging: bool) -> None:
    """Every customer, in the trash or not, holds its names, and nobody holds anything else.

    The locks of a purge that is under way are held by nobody, and lead to its tombstone.
    """
    expected = {}
    for customer in stored.customers.values():
        expected[keys.lock(stored.tenant, "name", customer.name)] = customer.id
        for kind in ("external_id", "email_domain"):
            if (value := getattr(customer, kind)) is not None:
                expected[keys.lock(stored.tenant, kind, value)] = customer.id
    locks = {key: item for key, item in stored.items.items() if key[1] == "LOCK"}
    assert {key: item["row"] for key, item in locks.items() if "row" in item} == expected
    left = {key: item["doc"] for key, item in locks.items() if "row" not in item}
    assert left == {
        tuple(key): customer_id
        for customer_id, tombstone in stored.tombstones.items()
        for key in json.loads(tombstone["doc"]).get("held", ())
    }
    assert purging or not left


def check_index(stored: Kept) -> None:
    """The index has every item that is in it by its keys, as the table has it, and no other."""
    projected = ("PK", "SK", "index_pk", "index_sk", "row")
    expected = {
        key: {name: item[name] for name in projected}
        for key, item in stored.items.items()
        if "index_pk" in item
    }
    assert {key: dict(item) for key, item in stored.index.items()} == expected
    for customer in stored.customers.values():
        shard = keys.shard_of(stored.tenant, customer.id)
        key = keys.customer(stored.tenant, customer.id)
        assert key[0] == stored.items[key]["index_pk"] == f"T#{stored.tenant.id}#{shard}"


def check_revenue(stored: Kept) -> None:
    """The counters add up to the MRR of the live customers."""
    live = [each for each in stored.customers.values() if each.deleted_at is None]
    assert stored.revenue == sum(Fraction(each.mrr or 0) for each in live) * 100


def check_history(stored: Kept, customer: Customer) -> None:
    """The changes are the versions, without gaps, in order, and make the customer what it is."""
    changes = stored.changes(customer.id)
    assert [change["version"] for change in changes] == list(range(1, customer.version + 1))
    assert changes[-1]["id"] == customer.change_id
    assert changes[-1]["at"] == iso(customer.updated_at)
    instants = [change["at"] for change in changes]
    assert instants == sorted(set(instants))
    state: dict[str, Any] = {}
    for change in changes:
        for path, (old, new) in change["changed"].items():
            assert state.pop(path, None) == old, path
            if new is not None:
                state[path] = new
        check_score(state, change)
    assert state == json.loads(codec.encode(facts(customer)))


def check_score(state: Mapping[str, Any], change: Mapping[str, Any]) -> None:
    """The score of *change* is what the signals of *state* gave at its instant, or the override."""
    at = datetime.fromisoformat(change["at"])
    values = {path[8:]: value for path, value in state.items() if path.startswith("signals.")}
    if "last_contact_on" in state:
        contact = date.fromisoformat(state["last_contact_on"])
        values["days"] = max(0, (at.astimezone(UTC).date() - contact).days)
    exact = {
        name: value if isinstance(value, str) else Fraction(str(value))
        for name, value in values.items()
    }
    scored = oracle.score(DEFAULT_MODEL, None, exact)
    parts = {name: Fraction(part) for name, part in change["contributions"][1].items()}
    if scored.exact is not None:
        assert sum(parts.values()) == oracle.four_decimals(scored.exact)
    assert parts.keys() == scored.parts.keys()
    value, override = scored.value, state.get("override")
    if override is not None and (override["expires_at"] or "~") > change["at"]:
        value = override["value"]
    assert [state.get("score"), state["status"]] == [value, oracle.band(DEFAULT_MODEL, value)]
    assert [change["score"][1], change["status"][1]] == [state.get("score"), state["status"]]


def check_tombstone(stored: Kept, customer_id: str, *, purging: bool) -> None:
    """Of a purged customer nothing is left but that it was purged."""
    tombstone, changes = stored.tombstones[customer_id], stored.changes(customer_id)
    assert tombstone.keys() == {"PK", "SK", "version", "doc"}
    assert changes[-1]["version"] == int(tombstone["version"])
    assert changes[-1]["name"] == ""
    if not purging:
        assert len(changes) == 1

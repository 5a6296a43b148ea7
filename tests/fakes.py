"""Storage in plain dicts: what the ports promise, in the most obvious way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import Any

from vitals.domain.access import ApiKey, Tenant
from vitals.domain.change import Change
from vitals.domain.customer import Customer, normalised_name
from vitals.domain.instants import iso
from vitals.storage.ports import (
    Act,
    Commit,
    ModelVersion,
    Place,
    StoredAnswer,
    WriteConflictError,
)

Held = dict[tuple[str, str], str]
"""Who holds each (kind, value)."""


class FakeCustomers:
    """`ports.Customers` in memory; each attribute is by tenant id first. Threads may share one."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.customers: dict[str, dict[str, Customer]] = {}
        self.tombstones: dict[str, dict[str, int]] = {}
        self.held: dict[str, Held] = {}
        self.changes: dict[str, dict[tuple[str, int], Change]] = {}
        self.answers: dict[str, dict[str, StoredAnswer]] = {}

    def get(self, tenant: Tenant, customer_id: str) -> Customer | None:
        return self.customers.get(tenant.id, {}).get(customer_id)

    def get_many(self, tenant: Tenant, ids: Sequence[str]) -> dict[str, Customer]:
        return {each: found for each in ids if (found := self.get(tenant, each)) is not None}

    def holder(self, tenant: Tenant, kind: str, value: str) -> str | None:
        return self.held.get(tenant.id, {}).get(_token(kind, value))

    def holders(
        self, tenant: Tenant, wanted: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        found = {(kind, value): self.holder(tenant, kind, value) for kind, value in wanted}
        return {token: holder for token, holder in found.items() if holder is not None}

    def check(self, tenant: Tenant, customer: Customer) -> None:
        """Nothing is too large for a dict."""

    def commit(self, tenant: Tenant, commit: Commit) -> None:
        with self.lock:
            self._commit(tenant, commit)

    def _commit(self, tenant: Tenant, commit: Commit) -> None:
        failed = self._moved(tenant, commit.after.id, commit.before)
        if commit.change is not None:
            failed |= self._recorded(tenant, commit.change)
            failed |= self._taken(tenant, commit.before, commit.after)
        failed |= self._answered(tenant, commit.answer)
        if failed:
            raise WriteConflictError(frozenset(failed))
        self.customers.setdefault(tenant.id, {})[commit.after.id] = commit.after
        if commit.change is not None:
            self._record(tenant, commit.change)
            self._hold(tenant, commit.before, commit.after)
        self._answer(tenant, commit.answer)

    def purge(
        self,
        tenant: Tenant,
        customer: Customer,
        change: Change,
        answer: StoredAnswer | None = None,
    ) -> None:
        failed = self._moved(tenant, customer.id, customer) | self._recorded(tenant, change)
        failed |= self._taken(tenant, customer, None) | self._answered(tenant, answer)
        if failed:
            raise WriteConflictError(frozenset(failed))
        del self.customers[tenant.id][customer.id]
        self.tombstones.setdefault(tenant.id, {})[customer.id] = change.version
        self._record(tenant, change)
        self._hold(tenant, customer, None)
        self._answer(tenant, answer)

    def purge_history(self, tenant: Tenant, customer_id: str) -> None:
        last = self.tombstones[tenant.id][customer_id]
        self.changes[tenant.id] = {
            (owner, version): change
            for (owner, version), change in self.changes[tenant.id].items()
            if owner != customer_id or version >= last
        }

    def is_purged(self, tenant: Tenant, customer_id: str) -> bool:
        return customer_id in self.tombstones.get(tenant.id, {})

    def roster(
        self,
        tenant: Tenant,
        *,
        since: datetime | None = None,
        after: Place | None = None,
        descending: bool = True,
        page: int | None = None,  # noqa: ARG002 - says how much to read, not what is there
    ) -> Iterator[Customer]:
        found = {
            (iso(customer.updated_at), customer.id): _indexed(customer)
            for customer in self.customers.get(tenant.id, {}).values()
            if since is None or customer.updated_at >= since
        }
        for place in sorted(found, reverse=descending):
            if _is_behind(place, after, descending=descending):
                yield found[place]

    def history(
        self,
        tenant: Tenant,
        customer_id: str,
        *,
        before_version: int | None = None,
        page: int | None = None,  # noqa: ARG002 - as above
    ) -> Iterator[Change]:
        recorded = self.changes.get(tenant.id, {})
        for owner, version in sorted(recorded, reverse=True):
            if owner == customer_id and (before_version is None or version < before_version):
                yield recorded[owner, version]

    def feed(
        self,
        tenant: Tenant,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: Place | None = None,
        descending: bool = True,
        page: int | None = None,  # noqa: ARG002 - as above
    ) -> Iterator[Change]:
        found = {
            (iso(change.at), change.id): change
            for change in self.changes.get(tenant.id, {}).values()
            if (since is None or change.at >= since) and (until is None or change.at <= until)
        }
        for place in sorted(found, reverse=descending):
            if _is_behind(place, after, descending=descending):
                yield found[place]

    def claim(self, tenant: Tenant, answer: StoredAnswer) -> None:
        if not self._answered(tenant, answer):
            self._answer(tenant, answer)

    def answer(self, tenant: Tenant, key: str, now: datetime) -> StoredAnswer | None:
        stored = self.answers.get(tenant.id, {}).get(key)
        return stored if stored is not None and stored.expires_at > now else None

    def _moved(self, tenant: Tenant, customer_id: str, before: Customer | None) -> set[str]:
        """What fails unless the customer is still as *before*; a tombstone stands for one too."""
        stored = self.get(tenant, customer_id)
        if before is None:
            gone = stored is None and not self.is_purged(tenant, customer_id)
        else:
            gone = stored is not None and stored.version == before.version
        return set() if gone else {"version"}

    def _recorded(self, tenant: Tenant, change: Change) -> set[str]:
        """What fails if the version has a change already."""
        place = (change.customer_id, change.version)
        return {"version"} if place in self.changes.get(tenant.id, {}) else set()

    def _taken(self, tenant: Tenant, before: Customer | None, after: Customer | None) -> set[str]:
        """The kinds of which *after* wants what another holds, or *before* holds nothing."""
        held, old, new = self.held.get(tenant.id, {}), _tokens(before), _tokens(after)
        failed = {token[0] for token in new if token not in old and token in held}
        owner = before.id if before else None
        return failed | {token[0] for token in old if token not in new and held.get(token) != owner}

    def _answered(self, tenant: Tenant, answer: StoredAnswer | None) -> set[str]:
        """What fails if the answer's key has one already."""
        given = answer and self.answer(tenant, answer.key, answer.at)
        return {"answer"} if given is not None else set()

    def _answer(self, tenant: Tenant, answer: StoredAnswer | None) -> None:
        if answer is not None:
            self.answers.setdefault(tenant.id, {})[answer.key] = answer

    def _record(self, tenant: Tenant, change: Change) -> None:
        self.changes.setdefault(tenant.id, {})[change.customer_id, change.version] = change

    def _hold(self, tenant: Tenant, before: Customer | None, after: Customer | None) -> None:
        held = self.held.setdefault(tenant.id, {})
        for token in _tokens(before):
            held.pop(token, None)
        if after is not None:
            held.update(dict.fromkeys(_tokens(after), after.id))


class FakeTenants:
    """`ports.Tenants` in memory; the portfolio is added up from the customers themselves."""

    def __init__(self, customers: FakeCustomers) -> None:
        self.customers = customers
        self.tenants: dict[str, Tenant] = {}
        self.documents: dict[tuple[str, int], ModelVersion] = {}
        self.keys: dict[str, ApiKey] = {}
        self.counters: dict[tuple[str, int], dict[str, int]] = {}

    def key(self, digest: str) -> ApiKey | None:
        return self.keys.get(digest)

    def tenant(self, tenant_id: str, *, consistent: bool = False) -> Tenant | None:  # noqa: ARG002 - a dict is
        found = self.tenants.get(tenant_id)
        mrr = sum(
            customer.mrr or 0
            for customer in self.customers.customers.get(tenant_id, {}).values()
            if customer.deleted_at is None
        )
        return replace(found, portfolio_mrr=mrr) if found else None

    def model_document(
        self,
        tenant_id: str,
        version: int,
        *,
        consistent: bool = False,  # noqa: ARG002 - as above
    ) -> Mapping[str, Any] | None:
        found = self.documents.get((tenant_id, version))
        return found.document if found else None

    def models(
        self,
        tenant_id: str,
        *,
        before: int | None = None,
        page: int | None = None,  # noqa: ARG002 - says how much to read, not what is there
    ) -> Iterator[ModelVersion]:
        for owner, version in sorted(self.documents, reverse=True):
            if owner == tenant_id and (before is None or version < before):
                yield self.documents[owner, version]

    def all_tenants(
        self,
        *,
        after: Place | None = None,
        page: int | None = None,  # noqa: ARG002 - as above
    ) -> Iterator[Tenant]:
        found = {(iso(each.created_at), each.id): each for each in self.tenants.values()}
        for place in sorted(found, reverse=True):
            if _is_behind(place, after, descending=True):
                yield found[place]

    def any_tenant(self) -> bool:
        return bool(self.tenants)

    def commit(self, tenant: Tenant, act: Act) -> None:  # noqa: ARG002 - whose audit it is
        moved = [c for c in act.tenants if self.tenants.get(c.after.id) != c.before]
        moved_keys = [c for c in act.keys if self.keys.get(c.digest) != c.before]
        made = [m for m in act.models if (m.tenant_id, m.version) in self.documents]
        if moved or moved_keys or made:
            raise WriteConflictError(frozenset({"version"}))
        self.tenants |= {each.after.id: each.after for each in act.tenants}
        self.keys |= {each.digest: each.after for each in act.keys}
        self.documents |= {(each.tenant_id, each.version): each for each in act.models}

    def erase(self, tenant: Tenant, has_time: Callable[[], bool]) -> int | None:
        raise NotImplementedError

    def count(
        self, tenant_id: str, number: int, counters: Mapping[str, int], *, seconds: int = 60
    ) -> dict[str, int]:
        stands = self.counters.setdefault((tenant_id, number * seconds), {})
        for name, amount in counters.items():
            stands[name] = stands.get(name, 0) + amount
        return {name: stands[name] for name in counters}


def _token(kind: str, value: str) -> tuple[str, str]:
    return kind, normalised_name(value) if kind == "name" else value


def _tokens(customer: Customer | None) -> list[tuple[str, str]]:
    """What *customer* alone may hold."""
    if customer is None:
        return []
    held = [_token("name", customer.name)]
    own = [(kind, getattr(customer, kind)) for kind in ("external_id", "email_domain")]
    return held + [(kind, value) for kind, value in own if value is not None]


def _indexed(customer: Customer) -> Customer:
    """What a list shows of *customer*: all but what only a whole read holds."""
    override = customer.override and replace(customer.override, reason=None)
    return replace(
        customer,
        custom_fields={},
        contacts={},
        note=None,
        received={},
        override=override,
        change_id="",
        cause="",
    )


def _is_behind(place: Place, after: Place | None, *, descending: bool) -> bool:
    return after is None or (place < after if descending else place > after)

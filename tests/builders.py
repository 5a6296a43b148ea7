"""Builders of what tests speak of: models, customers, moments and requests."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import count
from typing import Any, cast

from vitals.domain.access import SCOPES, ApiKey, Tenant
from vitals.domain.audit import AuditEvent
from vitals.domain.change import Change
from vitals.domain.curves import Curve
from vitals.domain.customer import Customer
from vitals.domain.model import ScoringModel
from vitals.domain.model_document import DEFAULT_MODEL, model_from_document
from vitals.domain.patch import Moment
from vitals.storage.event_ports import Events
from vitals.storage.ports import (
    Act,
    Administration,
    Commit,
    Customers,
    Jobs,
    KeyChange,
    ModelVersion,
    Snapshots,
    StoredAnswer,
    TenantChange,
    Tenants,
)
from vitals.storage.reaction_ports import Outbound
from vitals.usecases.context import Context

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ID = "01KJQ8ZJ9W3B0C6V4S7T2R5XYZ"
TENANT_ID = "01KJQ8ZJ9W0000000000000000"


def a_document(**changes: Any) -> dict[str, Any]:
    """Return the default model's document with *changes* to its top level."""
    return {**copy.deepcopy(dict(DEFAULT_MODEL)), **changes}


def a_model(version: int = 1, **changes: Any) -> ScoringModel:
    """Return the default model with *changes* to the top level of its document."""
    return model_from_document(version, a_document(**changes))


def with_signals(**signals: Mapping[str, Any]) -> dict[str, Any]:
    """Return the default model's signals, those of *signals* changed or added."""
    default: Mapping[str, Mapping[str, Any]] = DEFAULT_MODEL["signals"]
    changed = {name: {**default.get(name, {}), **given} for name, given in signals.items()}
    return {**default, **changed}


def a_curve(given: Mapping[str, Any]) -> Curve:
    """Return the curve that *given* describes, as a model's only signal has it."""
    [signal] = a_model(signals={"only": {"weight": 100, "curve": given}}).signals
    return signal.curve


def a_customer(**fields: Any) -> Customer:
    """Return a stored customer at version 1, created a month ago."""
    created = datetime(2026, 2, 1, 9, 30, tzinfo=UTC)
    given = {
        "id": ID,
        "tenant_id": TENANT_ID,
        "name": "Acme Corp",
        "created_at": created,
        "updated_at": created,
        "version": 1,
    }
    return Customer(**{**given, **fields})


def a_moment(now: datetime = NOW, where: tzinfo = UTC) -> Moment:
    """Return *now* in *where*, with a key behind it."""
    return Moment(now, where, "key-1", "CRM sync")


def a_tenant(**fields: Any) -> Tenant:
    """Return a tenant in UTC with one shard."""
    return Tenant(**{"id": TENANT_ID, "name": "My company", "created_at": NOW, **fields})


def a_key(**fields: Any) -> ApiKey:
    """Return an API key with every scope."""
    given = {
        "id": "key-1",
        "tenant_id": TENANT_ID,
        "name": "CRM sync",
        "scopes": SCOPES,
        "created_at": NOW,
        "prefix": "vt_live_abcd",
    }
    return ApiKey(**{**given, **fields})


def _unforeseen(error: Exception) -> None:
    raise error


def a_context(
    model: ScoringModel | None = None, *, now: datetime = NOW, time_zone: str = "UTC"
) -> Context:
    """Return a request that reads no table: for what reads its input alone."""
    used = model or a_model(time_zone=time_zone)

    def no_wait(attempt: int) -> None:
        raise AssertionError(f"nothing is written here, try {attempt}")

    return Context(
        tenant=a_tenant(),
        key=a_key(),
        now=now,
        customers=cast("Customers", None),
        tenants=cast("Tenants", None),
        administration=cast("Administration", None),
        jobs=cast("Jobs", None),
        snapshots=cast("Snapshots", None),
        reach=lambda: cast("Outbound", None),
        reach_events=lambda: cast("Events", None),
        model_of=lambda _: used,
        clock=lambda: now,
        new_id=lambda _: ID,
        new_key=lambda _: ("secret", "digest"),
        pause=no_wait,
        sleep=lambda _: None,
        has_time=lambda: True,
        report=_unforeseen,
        forget=lambda _: None,
        limits={"reads": 1000, "writes": 300, "records": 10_000},
    )


def founding(tenant: Tenant, document: Mapping[str, Any] = DEFAULT_MODEL) -> Act:
    """Return the act that stores a new *tenant* with its model."""
    model = ModelVersion(tenant_id=tenant.id, version=tenant.model_version, document=document)
    return Act(event=an_event(tenant.id), tenants=[TenantChange(None, tenant)], models=[model])


def giving(key: ApiKey, digest: str) -> Act:
    """Return the act that stores a new *key* under the hash of its secret."""
    return Act(event=an_event(key.id), keys=[KeyChange(None, key, digest)])


def an_event(subject: str, **fields: Any) -> AuditEvent:
    """Return an audit event, made at NOW, with an id of its own."""
    given = {"id": f"E{next(_EVENTS)}", "at": NOW, "action": "found", "by": "key-1"}
    return AuditEvent(**{**given, "subject": subject, **fields})


_EVENTS = count(1)


def an_id(number: int) -> str:
    """Return an id of a ULID's form; greater numbers have greater ids."""
    return f"01{number:024d}"


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def customer_number(number: int, **fields: Any) -> Customer:
    """Return version 1, made at NOW, of a customer whose id and name follow from *number*."""
    given = {
        "id": an_id(number),
        "name": f"Customer {number}",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return a_customer(**{**given, **fields})


def next_version(customer: Customer, **fields: Any) -> Customer:
    """Return the version after *customer*, a second later, with *fields* changed."""
    given: dict[str, Any] = {
        "version": customer.version + 1,
        "updated_at": customer.updated_at + timedelta(seconds=1),
    }
    return replace(customer, **{**given, **fields})


def a_change(customer: Customer, **fields: Any) -> Change:
    """Return the change that made *customer* what it is."""
    given: dict[str, Any] = {
        "id": f"{customer.id}-{customer.version:03d}",
        "customer_id": customer.id,
        "name": customer.name,
        "version": customer.version,
        "at": customer.updated_at,
        "action": "upsert_account",
        "cause": "api",
        "by": "key-1",
        "model_version": 1,
        "changed": {"mrr": (None, customer.mrr)},
        "score_before": None,
        "status_before": None,
        "score_after": customer.score,
        "status_after": customer.status,
        "contributions_before": {},
        "contributions_after": {"logins": "73.3333"},
    }
    return Change(**{**given, **fields})


def a_commit(before: Customer | None, after: Customer, **fields: Any) -> Commit:
    """Return the commit that brings *after* about, with its change."""
    given: dict[str, Any] = {"before": before, "after": after, "change": a_change(after)}
    return Commit(**{**given, **fields})


def an_answer(key: str = "key", **fields: Any) -> StoredAnswer:
    """Return an answer given at NOW and kept for a day."""
    given: dict[str, Any] = {
        "key": key,
        "fingerprint": "f",
        "body": {"score": 76, "score_exact": 75.5, "data": {"name": "Acme"}},
        "at": NOW,
        "expires_at": at(86_400),
    }
    return StoredAnswer(**{**given, **fields})

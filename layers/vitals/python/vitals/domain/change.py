"""A change: the one record of a mutation, for audit, history, feed and replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from vitals.domain.contact import contact_fields
from vitals.domain.customer import Customer, override_fields
from vitals.domain.instants import iso

FACTS = (
    "name", "external_id", "email_domain", "last_contact_on", "mrr", "arr", "revenue_basis", "tier",
    "lifecycle", "lifecycle_auto", "churned_on", "manager", "tags", "renewal_date", "next_touch",
    "since", "sentiment", "note", "scoring_profile", "model_version", "score", "status",
    "score_changed_at", "deleted_at",
)  # fmt: skip
"""Attributes of a customer that are facts by their own names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One version of one customer: who made it, when, why, and every path before and after.

    *action* is the verb that was called, *cause* why the customer changed (api, contact, rescore,
    decay, import …). *score_before* and *status_before* are what was published until then;
    *contributions_before* explain the score as it was last published.
    """

    id: str
    customer_id: str
    name: str
    version: int
    at: datetime
    action: str
    cause: str
    by: str
    model_version: int
    changed: Mapping[str, tuple[Any, Any]]
    automatic: tuple[str, ...] = ()
    score_before: int | None
    status_before: str | None
    score_after: int | None
    status_after: str
    contributions_before: Mapping[str, str]
    contributions_after: Mapping[str, str]
    contact: Mapping[str, Any] | None = None


def is_visible(change: Change) -> bool:
    """Tell whether anybody who reads the customer can see *change* (AMB-05).

    One of the model's version alone moves no score, no band and no stage.
    """
    return change.changed.keys() != {"model_version"} or change.contact is not None


def facts(customer: Customer | None) -> dict[str, Any]:
    """Return every stored fact of *customer* by path, as JSON values; absent ones left out.

    Signals are `signals.<name>`, custom fields `custom_fields.<key>`, contacts `contacts.<id>`.
    """
    if customer is None:
        return {}
    flat = {path: _plain(getattr(customer, path)) for path in FACTS}
    flat["override"] = override_fields(customer.override)
    flat |= {f"signals.{name}": value for name, value in customer.signals.items()}
    flat |= {f"contacts.{each}": contact_fields(value) for each, value in customer.contacts.items()}
    absent = {"tags": [], "lifecycle_auto": False}
    flat = {path: value for path, value in flat.items() if value not in (None, absent.get(path))}
    return flat | {f"custom_fields.{key}": value for key, value in customer.custom_fields.items()}


def differences(before: Customer | None, after: Customer) -> dict[str, tuple[Any, Any]]:
    """Return each path whose fact differs, as (before, after); None stands for absent."""
    old, new = facts(before), facts(after)
    return {
        path: (old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if not _same(old.get(path), new.get(path))
    }


def replayed(changes: Iterable[Change]) -> dict[str, Any]:
    """Return the facts after *changes*, oldest first: the customer as it stood then (PLUS-03)."""
    state: dict[str, Any] = {}
    for change in changes:
        for path, (_, value) in change.changed.items():
            if value is None:
                state.pop(path, None)
            else:
                state[path] = value
    return state


def _same(old: Any, new: Any) -> bool:
    """Tell whether two facts are one JSON value: to Python, 0 is False and 1 is True."""
    if type(old) is not type(new) or old != new:
        return False
    if isinstance(old, dict):
        return all(_same(old[key], new[key]) for key in old)
    return not isinstance(old, list) or all(map(_same, old, new))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value

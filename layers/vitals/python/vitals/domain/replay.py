"""Replay: every version of a customer, rebuilt from its change records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from vitals.domain.change import FACTS, Change, is_visible
from vitals.domain.contact import contact_of
from vitals.domain.customer import Customer, Override
from vitals.domain.edges import ModelOf
from vitals.domain.mutation import recent_with

Version = tuple[Customer | None, Customer, Change]
"""A customer before a change and after it."""

_SIGNALS, _CUSTOM, _CONTACTS = "signals.", "custom_fields.", "contacts."
_FIRST: Mapping[str, Any] = {"lifecycle_auto": False, "tags": []}
"""What a fact is that no record names, if it is not None."""


def versions(tenant_id: str, changes: Iterable[Change], model_of: ModelOf) -> Iterator[Version]:
    """Yield what each of *changes*, all of one customer's, the oldest first, made of what was.

    Each version is as it was stored, but for when its signals arrived, which no record tells.
    *model_of* gives the model of a version.
    """
    before: Customer | None = None
    state: dict[str, Any] = {}
    for change in changes:
        for path, (_, value) in change.changed.items():
            if value is None:
                state.pop(path, None)
            else:
                state[path] = value
        after = _stored(tenant_id, before, state, change, model_of)
        yield before, after, change
        before = after


def _stored(
    tenant_id: str,
    before: Customer | None,
    state: Mapping[str, Any],
    change: Change,
    model_of: ModelOf,
) -> Customer:
    override = state.get("override")
    after = Customer(
        id=change.customer_id,
        tenant_id=tenant_id,
        created_at=before.created_at if before else change.at,
        # What nobody can see moves no instant that readers ask by (AMB-05).
        updated_at=before.updated_at if before and not is_visible(change) else change.at,
        version=change.version,
        signals=_under(_SIGNALS, state),
        custom_fields=_under(_CUSTOM, state),
        contacts={each: contact_of(fact) for each, fact in _under(_CONTACTS, state).items()},
        override=_override(override) if override else None,
        recent=before.recent if before else (),
        change_id=change.id,
        cause=change.cause,
        **{name: _attribute(name, state.get(name, _FIRST.get(name))) for name in FACTS},
    )
    if before is None or (before.score, before.status) != (after.score, after.status):
        model = model_of(after.model_version)
        return replace(after, recent=recent_with(before, after, model, change.at))
    return after


def _under(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts whose paths begin with *prefix*, by what follows it."""
    return {
        path.removeprefix(prefix): value for path, value in state.items() if path.startswith(prefix)
    }


def _attribute(name: str, fact: Any) -> Any:
    read = _READ.get(name)
    return fact if fact is None or read is None else read(fact)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "tags": tuple,
    **dict.fromkeys(
        ("last_contact_on", "churned_on", "renewal_date", "next_touch", "since"), date.fromisoformat
    ),
    **dict.fromkeys(("score_changed_at", "deleted_at"), datetime.fromisoformat),
}
"""How what JSON cannot hold is had from the fact that stands for it."""


def _override(fields: Mapping[str, Any]) -> Override:
    expires_at = fields["expires_at"]
    return Override(
        value=fields["value"],
        set_by=fields["set_by"],
        set_at=datetime.fromisoformat(fields["set_at"]),
        reason=fields["reason"],
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        sticky=fields["sticky"],
    )


def undone(customer: Customer, change: Change) -> Customer | None:
    """Return *customer*, which *change* made what it is, as it stood before; None: not at all.

    Its facts are as they were; when it was last written, and its last days, no record tells.
    """
    if change.version == 1:
        return None
    fields: dict[str, Any] = {}
    signals, custom = dict(customer.signals), dict(customer.custom_fields)
    contacts = dict(customer.contacts)
    for path, (value, _) in change.changed.items():
        if path == "override":
            fields[path] = _override(value) if value else None
            continue
        if path.startswith(_CONTACTS):
            contacts.pop(path.removeprefix(_CONTACTS), None)
            if value is not None:
                contacts[path.removeprefix(_CONTACTS)] = contact_of(value)
            continue
        within = next((each for each in (_SIGNALS, _CUSTOM) if path.startswith(each)), None)
        if within is None:
            fields[path] = _attribute(path, _FIRST.get(path) if value is None else value)
            continue
        held = signals if within == _SIGNALS else custom
        if value is None:
            held.pop(path.removeprefix(within), None)
        else:
            held[path.removeprefix(within)] = value
    return replace(
        customer,
        version=change.version - 1,
        signals=signals,
        custom_fields=custom,
        contacts=contacts,
        **fields,
    )

"""Events: what is told outside of what happened, and which of them follow from a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from vitals.domain.change import Change, is_visible
from vitals.domain.customer import Customer
from vitals.domain.instants import iso
from vitals.domain.model import BANDS, UNSCORED

CREATED: Final = "customer.created"
UPDATED: Final = "customer.updated"
DELETED: Final = "customer.deleted"
RESTORED: Final = "customer.restored"
CONTACT_LOGGED: Final = "contact.logged"
HEALTH_CHANGED: Final = "health.changed"
HEALTH_DROPPED: Final = "health.dropped"
HEALTH_IMPROVED: Final = "health.improved"
LIFECYCLE_CHANGED: Final = "lifecycle.changed"
RENEWAL_APPROACHING: Final = "renewal.approaching"
CONTACT_OVERDUE: Final = "contact.overdue"
MODEL_CHANGED: Final = "model.changed"

_SCORE = frozenset({"score", "status", "score_changed_at", "model_version"})
_TRASH = "deleted_at"
_NONE = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, as a webhook tells it.

    *id* is `msg_…_<type>` without a dot, the same whenever the same act is told (`webhook-id`).
    *customer_id* is whom it tells of, if one customer alone.
    """

    id: str
    type: str
    at: datetime
    tenant_id: str
    data: Mapping[str, Any]
    customer_id: str | None = None

    def payload(self) -> dict[str, Any]:
        """Return the body that is sent, in the shape of Standard Webhooks."""
        return {
            "id": self.id,
            "type": self.type,
            "timestamp": iso(self.at),
            "tenant_id": self.tenant_id,
            "data": dict(self.data),
        }


def event_id(unique: str, kind: str) -> str:
    """Return the id of the event of type *kind* that *unique* gives rise to."""
    # A dot would end the id within what is signed.
    return f"msg_{unique}_{kind.replace('.', '_')}"


def change_events(
    tenant_id: str,
    before: Customer | None,
    after: Customer,
    change: Change,
    view: Mapping[str, Any],
) -> list[Event]:
    """Return the events that follow from *change*, which made *after* of *before*.

    *view* is *after* as answers show it. The same change always gives the same events under the
    same ids; one that nobody can see gives none (AMB-05).
    """
    if not is_visible(change):
        return []
    data = {"customer": dict(view), "change": _change(change), "score": _score(change)}
    return [
        Event(
            id=event_id(change.id, kind),
            type=kind,
            at=change.at,
            tenant_id=tenant_id,
            data=data,
            customer_id=after.id,
        )
        for kind, happened in _facts(before, after, change)
        if happened
    ]


def moved(change: Change) -> list[dict[str, str | None]]:
    """Return the signals whose part of the score *change* moved, the greatest move first.

    All numbers are decimal strings, as in the change record; None is a signal without a part. The
    deltas sum to the difference of the computed scores.
    """
    old, new = change.contributions_before, change.contributions_after
    rows = [
        (_delta(old.get(signal), new.get(signal)), signal)
        for signal in sorted(old.keys() | new.keys())
        if not _same(old.get(signal), new.get(signal))
    ]
    rows.sort(key=lambda row: -abs(row[0]))
    return [
        {
            "signal": signal,
            "before": old.get(signal),
            "after": new.get(signal),
            # Without an exponent and without zeros that nobody needs.
            "delta": f"{delta.normalize():f}",
        }
        for delta, signal in rows
    ]


def model_changed(
    tenant_id: str,
    model_version: int,
    *,
    at: datetime,
    by: str,
    action: str,
    note: str | None,
    changed: Iterable[str],
) -> Event:
    """Return the event for a new version of the model; *changed* are the paths that differ."""
    model = {"version": model_version, "action": action, "by": by, "at": iso(at), "note": note}
    return Event(
        id=event_id(f"{tenant_id}_{model_version}", MODEL_CHANGED),
        type=MODEL_CHANGED,
        at=at,
        tenant_id=tenant_id,
        data={"model": model, "changed": sorted(changed)},
    )


def renewal_approaching(
    tenant_id: str,
    customer_id: str,
    view: Mapping[str, Any],
    *,
    window_days: int,
    renewal_date: date,
    at: datetime,
) -> Event:
    """Return the event for a renewal that entered a window; once for each window and date."""
    day = renewal_date.isoformat()
    return Event(
        id=event_id(f"{customer_id}_{window_days}_{day}", RENEWAL_APPROACHING),
        type=RENEWAL_APPROACHING,
        at=at,
        tenant_id=tenant_id,
        data={"customer": dict(view), "renewal_date": day, "window_days": window_days},
        customer_id=customer_id,
    )


def contact_overdue(
    tenant_id: str, customer_id: str, view: Mapping[str, Any], since_day: date, at: datetime
) -> Event:
    """Return the event for a customer whose cadence is overdue; once for each day of contact.

    *since_day* is the day of the last contact, of a customer never contacted that of its creation.
    """
    day = since_day.isoformat()
    return Event(
        id=event_id(f"{customer_id}_{day}", CONTACT_OVERDUE),
        type=CONTACT_OVERDUE,
        at=at,
        tenant_id=tenant_id,
        data={"customer": dict(view), "since": day},
        customer_id=customer_id,
    )


def _facts(
    before: Customer | None, after: Customer, change: Change
) -> tuple[tuple[str, bool], ...]:
    """Return each type of event with whether it happened."""
    created = before is None
    was_deleted = before is not None and before.deleted_at is not None
    is_deleted = after.deleted_at is not None
    old, new = change.status_before or UNSCORED, change.status_after
    banded = old in BANDS and new in BANDS
    rise = BANDS.index(new) - BANDS.index(old) if banded else 0
    return (
        (CREATED, created),
        (DELETED, is_deleted and not was_deleted),
        (RESTORED, was_deleted and not is_deleted),
        (UPDATED, not created and not change.changed.keys() <= _SCORE | {_TRASH}),
        (CONTACT_LOGGED, change.contact is not None),
        (HEALTH_CHANGED, old != new or change.score_before != change.score_after),
        (HEALTH_DROPPED, rise < 0),
        (HEALTH_IMPROVED, rise > 0),
        (LIFECYCLE_CHANGED, not created and "lifecycle" in change.changed),
    )


def _change(change: Change) -> dict[str, Any]:
    # By the names that a customer shows; when the score moved is `at`.
    changed = {
        path.removeprefix("signals."): {"before": before, "after": after}
        for path, (before, after) in _told(change)
        if path != "score_changed_at"
    }
    return {
        "id": change.id,
        "version": change.version,
        "action": change.action,
        "cause": change.cause,
        "by": change.by,
        "at": iso(change.at),
        "model_version": change.model_version,
        "changed": changed,
        "contact": dict(change.contact) if change.contact is not None else None,
    }


def _told(change: Change) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield what *change* changed; of a contact its id alone: no more leaves about a person."""
    for path, (before, after) in change.changed.items():
        kind, _, contact_id = path.partition(".")
        if kind != "contacts":
            yield path, (before, after)
        else:
            yield path, (before and {"id": contact_id}, after and {"id": contact_id})


def _score(change: Change) -> dict[str, Any]:
    return {
        "before": change.score_before,
        "after": change.score_after,
        "status_before": change.status_before,
        "status_after": change.status_after,
        "moved": moved(change),
    }


def _same(old: str | None, new: str | None) -> bool:
    if old is None or new is None:
        return old is new
    return Decimal(old) == Decimal(new)


def _delta(old: str | None, new: str | None) -> Decimal:
    before = _NONE if old is None else Decimal(old)
    return (_NONE if new is None else Decimal(new)) - before

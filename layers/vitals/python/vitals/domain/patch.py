"""What a caller asks to change of a customer, and the merge that does it field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import Any

from vitals.domain.curves import Value
from vitals.domain.customer import Customer, Override, Received
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.instants import local_day
from vitals.domain.model import CHURNED
from vitals.domain.numbers import cents

MAX_TAGS = 50
"""A customer has at most so many tags (AMB-35)."""


@dataclass(frozen=True, slots=True)
class OverrideRequest:
    """A score to set by hand (AMB-02)."""

    value: int
    reason: str | None = None
    expires_at: datetime | None = None
    sticky: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """The fields that a caller sent, and only those; None clears (AMB-21).

    *fields* are plain attributes of a customer by name; *signals* exclude `days`, which arrives
    as fields["last_contact_on"]; *given* names every signal that the request bore, `days` too.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    signals: Mapping[str, Value | None] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    custom_fields: Mapping[str, Any] | None = None
    override: OverrideRequest | None = None
    clear_override: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """When, where and by whom something is done.

    *where* is the tenant's time zone; *source* names the integration behind the key.
    """

    now: datetime
    where: tzinfo
    by: str
    source: str

    @property
    def today(self) -> date:
        """Return the tenant's day."""
        return local_day(self.now, self.where)


def merged(customer: Customer, patch: Patch, moment: Moment) -> Customer:
    """Return *customer* with every field of *patch* set and no other touched (AMB-60).

    The score stays as it was published: `settled` publishes the new one. Raises ValidationError
    for tags that would be too many.
    """
    fields = dict(patch.fields)
    fields |= _revenue(customer, fields)
    if "lifecycle" in fields:
        # Null returns to the stage that a customer starts in; either way it is set by hand.
        stage = fields["lifecycle"] or "active"
        fields |= {"lifecycle": stage, "lifecycle_auto": False}
        fields["churned_on"] = (customer.churned_on or moment.today) if stage == CHURNED else None
    tags = fields["tags"] or () if "tags" in fields else customer.tags
    fields["tags"] = _tags(tags, patch.add_tags, patch.remove_tags)
    if patch.custom_fields is not None:
        fields["custom_fields"] = merge_patch(customer.custom_fields, patch.custom_fields)
    given = {**customer.signals, **patch.signals}
    signals = {name: value for name, value in given.items() if value is not None}
    contact = fields.get("last_contact_on", customer.last_contact_on)
    moved = (signals, contact) != (dict(customer.signals), customer.last_contact_on)
    arrived = {name: Received(moment.now, moment.source) for name in patch.given}
    return replace(
        customer,
        **fields,
        signals=signals,
        received={**customer.received, **arrived},
        override=_override(customer, patch, moment, signals_moved=moved),
    )


def merge_patch(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return *target* merged with *patch* as RFC 7396 says: null removes, objects merge deep."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            inner = result.get(key)
            result[key] = merge_patch(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def _revenue(customer: Customer, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the amounts and their basis: one given derives the other, x 12 (IQ-099, AMB-22)."""
    given = {name: fields[name] for name in ("mrr", "arr") if name in fields}
    values = {name: value for name, value in given.items() if value is not None}
    if values.keys() == {"mrr", "arr"}:
        return {"revenue_basis": "both"}
    if len(given) == 1 and all(getattr(customer, name) == value for name, value in given.items()):
        return {}
    if "mrr" in values:
        return {"arr": cents(values["mrr"] * 12), "revenue_basis": "mrr"}
    if "arr" in values:
        return {"mrr": cents(values["arr"], 12), "revenue_basis": "arr"}
    if len(given) == 1 and customer.revenue_basis == "both":
        return {"revenue_basis": "arr" if "mrr" in given else "mrr"}
    return {"mrr": None, "arr": None, "revenue_basis": None} if given else {}


def _tags(
    tags: tuple[str, ...], added: tuple[str, ...], removed: tuple[str, ...]
) -> tuple[str, ...]:
    """Return *tags* with the deltas, the first spelling of each kept (AMB-35)."""
    gone = {tag.casefold() for tag in removed}
    unique: dict[str, str] = {}
    for tag in (*tags, *added):
        unique.setdefault(tag.casefold(), tag)
    kept = tuple(tag for key, tag in unique.items() if key not in gone)
    if len(kept) > MAX_TAGS:
        message = f"would make {len(kept)} tags; a customer has at most {MAX_TAGS}"
        raise ValidationError([FieldError("add_tags", "too_long", message)])
    return kept


def _override(
    customer: Customer, patch: Patch, moment: Moment, *, signals_moved: bool
) -> Override | None:
    """Return the override after *patch*: a score wins, a signal's move clears what is not sticky.

    A sync that repeats what is known must not lose a score that somebody set (PLUS-11).
    """
    asked, stands = patch.override, customer.override
    if asked is not None:
        same = stands and (stands.value, stands.reason, stands.expires_at, stands.sticky)
        if same == (asked.value, asked.reason, asked.expires_at, asked.sticky):
            return stands
        return Override(
            asked.value, moment.by, moment.now, asked.reason, asked.expires_at, asked.sticky
        )
    if (
        stands is None
        or patch.clear_override
        or (patch.given and signals_moved and not stands.sticky)
    ):
        return None
    if stands.expires_at is not None and stands.expires_at <= moment.now:
        return None
    return stands

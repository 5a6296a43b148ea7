"""A customer: what is stored of one, and what follows from it at an instant."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from vitals.domain.contact import Contact
from vitals.domain.curves import Value
from vitals.domain.instants import iso, local_day
from vitals.domain.model import CONTACT, ScoringModel
from vitals.domain.numbers import Number
from vitals.domain.recent import Step, highest, score_on
from vitals.domain.scoring import Score, score

TRASH_DAYS = 30
"""A soft-deleted customer can be restored for so long (AMB-13)."""


@dataclass(frozen=True, slots=True)
class Override:
    """A score set by hand beside the computed one (AMB-02, PLUS-11)."""

    value: int
    set_by: str
    set_at: datetime
    reason: str | None = None
    expires_at: datetime | None = None
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """When a signal last arrived, changed or not, and from whom (AMB-60)."""

    at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The stored facts of one customer, as of one version.

    *score*, *status* are what was last published; `published_at` gives them at any later instant.
    *signals* hold every signal but `days`, which follows from *last_contact_on*. Amounts are in
    whole cents. *lifecycle_auto* tells that the at-risk stage was not set by hand (AMB-33);
    *churned_on* is the tenant's day on which the stage became churned, while it is.
    *contacts* are by their ids. *recent* are the last days' published scores; *events_until* is the
    tenant's day of the latest product event that was counted.
    """

    id: str
    tenant_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    version: int = 0
    external_id: str | None = None
    email_domain: str | None = None
    signals: Mapping[str, Value] = field(default_factory=dict)
    last_contact_on: date | None = None
    mrr: Number | None = None
    arr: Number | None = None
    revenue_basis: str | None = None
    tier: str | None = None
    lifecycle: str = "active"
    lifecycle_auto: bool = False
    churned_on: date | None = None
    manager: str | None = None
    tags: tuple[str, ...] = ()
    renewal_date: date | None = None
    next_touch: date | None = None
    since: date | None = None
    sentiment: str | None = None
    note: str | None = None
    scoring_profile: str | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    override: Override | None = None
    model_version: int = 1
    score: int | None = None
    status: str = "unscored"
    score_changed_at: datetime | None = None
    recent: tuple[Step, ...] = ()
    events_until: date | None = None
    deleted_at: datetime | None = None
    change_id: str = ""
    cause: str = ""
    received: Mapping[str, Received] = field(default_factory=dict)

    def values(self, today: date) -> Mapping[str, Value]:
        """Return the value of every signal that has one, as of *today* in the tenant's zone.

        A contact after *today* counts as no time passed.
        """
        if self.last_contact_on is None:
            return self.signals
        return {**self.signals, CONTACT: max(0, (today - self.last_contact_on).days)}

    def taken(self, model: ScoringModel, today: date) -> Mapping[str, Value]:
        """Return the values as of *today* that *model* can take."""
        return model.taken(self.values(today))

    def profile(self, model: ScoringModel) -> str | None:
        """Return the profile by whose weights *model* scores the customer, None for its own."""
        return model.profile_for(self.scoring_profile, self.tier, self.tags, self.lifecycle)

    def computed(self, model: ScoringModel, today: date) -> Score:
        """Return the score that the signals give as of *today*, whatever the override."""
        return score(model, self.profile(model), self.taken(model, today))

    def steps(self, where: tzinfo) -> tuple[Step, ...]:
        """Return the last days' published scores; one that never moved since is one step."""
        if self.recent or self.score is None:
            return self.recent
        return (
            (local_day(self.score_changed_at or self.updated_at, where), self.score, self.score),
        )

    def momentum(self, score: int | None, today: date, where: tzinfo, days: int) -> int | None:
        """Return by how many points *score* is above that of *days* ago (IQ-094), or None."""
        then = score_on(self.steps(where), today - timedelta(days=days))
        return None if score is None or then is None else score - then

    def drop(self, score: int | None, today: date, where: tzinfo, days: int) -> int | None:
        """Return by how many points *score* is below the highest of the last *days* (AMB-09)."""
        top = highest(self.steps(where), today - timedelta(days=days))
        return None if score is None or top is None else top - score

    def active_override(self, now: datetime) -> Override | None:
        """Return the override if it stands at *now*."""
        override = self.override
        if override is None or (override.expires_at is not None and override.expires_at <= now):
            return None
        return override

    def published_at(
        self, model: ScoringModel, now: datetime, where: tzinfo
    ) -> tuple[int | None, str]:
        """Return (score, status) as published at *now*: the override's, else the computed."""
        override = self.active_override(now)
        if override is not None:
            return override.value, model.band(override.value)
        computed = self.computed(model, local_day(now, where))
        return computed.value, computed.band


def normalised_name(name: str) -> str:
    """Return what makes two names the same: NFKC, single spaces, case folded (AMB-11)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def override_fields(override: Override | None) -> dict[str, Any] | None:
    """Return *override* as answers and change records show it."""
    if override is None:
        return None
    return {
        "value": override.value,
        "reason": override.reason,
        "set_by": override.set_by,
        "set_at": iso(override.set_at),
        "expires_at": iso(override.expires_at) if override.expires_at else None,
        "sticky": override.sticky,
    }

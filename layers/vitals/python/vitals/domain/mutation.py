"""A mutation: from the customer before and the facts after to a version and its change record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from vitals.domain.change import Change, differences, is_visible
from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, zone
from vitals.domain.model import AT_RISK_BANDS, ScoringModel
from vitals.domain.patch import Moment
from vitals.domain.recent import KEPT, Step, recorded
from vitals.domain.scoring import contributions

_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a customer changes: the *action* called, the *cause*, the *contact* it reports."""

    action: str
    cause: str = "api"
    contact: Mapping[str, Any] | None = None
    lifecycle_given: bool = False


def settled(
    before: Customer | None,
    after: Customer,
    model: ScoringModel,
    reason: Reason,
    moment: Moment,
    *,
    before_model: ScoringModel | None = None,
) -> tuple[Customer, Change | None]:
    """Return *after* scored under *model* and published as the next version, with its change.

    The change's id is empty until the write gives it one. A mutation that changes nothing returns
    *after* under its old version, and None; a reported contact is a change of its own.
    *before_model* is what *before* was published under, if not *model*. A change that nobody can
    see, of the model's version alone, leaves updated_at where it was (AMB-05).
    """
    # As of the version's own instant, which a clock that stepped back does not share.
    version, at = after_version(before, moment.now)
    after, automatic = rescored(before, after, model, at, staged=not reason.lifecycle_given)
    if before is None or (before.score, before.status) != (after.score, after.status):
        after = replace(after, score_changed_at=at, recent=recent_with(before, after, model, at))
    changed = differences(before, after)
    if before is not None and not changed and reason.contact is None:
        return after, None
    change = Change(
        id="",
        customer_id=after.id,
        name=after.name,
        version=version,
        at=at,
        action=reason.action,
        cause=reason.cause,
        by=moment.by,
        model_version=model.version,
        changed=changed,
        automatic=automatic,
        score_before=before.score if before else None,
        status_before=before.status if before else None,
        score_after=after.score,
        status_after=after.status,
        # As it was published: else time alone would seem to have moved nothing.
        contributions_before=_explained(
            before, before_model or model, before.updated_at if before else at
        ),
        contributions_after=_explained(after, model, at),
        contact=reason.contact,
    )
    after = replace(
        after,
        version=version,
        created_at=before.created_at if before else at,
        updated_at=before.updated_at if before and not is_visible(change) else at,
        cause=reason.cause,
    )
    return after, change


def rescored(
    before: Customer | None, after: Customer, model: ScoringModel, at: datetime, *, staged: bool
) -> tuple[Customer, tuple[str, ...]]:
    """Return *after* as *model* scores it at *at*, and what of it changed by itself.

    If *staged*, the band's edge since *before* moves the stage (AMB-33).
    """
    after = _published(replace(after, model_version=model.version), model, at)
    stage = _automatic_stage(before, after, model) if staged else None
    if stage is None:
        return after, ()
    after = replace(after, lifecycle=stage, lifecycle_auto=stage == "atrisk")
    # Another stage may have another profile; the stage it leads to is not asked again.
    return _published(after, model, at), ("lifecycle",)


def recent_with(
    before: Customer | None, after: Customer, model: ScoringModel, at: datetime
) -> tuple[Step, ...]:
    """Return the last days' scores with that of *after*, which was published at *at*."""
    where = zone(model.time_zone)
    shift = 0
    if before is not None and before.score is not None and before.model_version != model.version:
        # What the newer model alone makes of the same facts is no drop of the customer's.
        anew, _ = before.published_at(model, at, where)
        shift = 0 if anew is None else anew - before.score
    steps = before.steps(where) if before else ()
    kept = max(KEPT, model.momentum_days + 1)
    found = recorded(steps, local_day(at, where), after.score, shift, kept)
    # One score alone is what `Customer.steps` makes of it: most customers need not carry it.
    return () if len(found) == 1 and found[0][1] == found[0][2] else found


def _published(customer: Customer, model: ScoringModel, at: datetime) -> Customer:
    value, status = customer.published_at(model, at, zone(model.time_zone))
    return replace(customer, score=value, status=status)


def _automatic_stage(before: Customer | None, after: Customer, model: ScoringModel) -> str | None:
    """Return the stage that the band's edge leads to, or None (IQ-020, AMB-33)."""
    if not model.auto_lifecycle:
        return None
    was_at_risk = before is not None and before.status in AT_RISK_BANDS
    is_at_risk = after.status in AT_RISK_BANDS
    if after.lifecycle == "active" and is_at_risk and not was_at_risk:
        return "atrisk"
    recovered = not is_at_risk and after.score is not None
    return "active" if after.lifecycle == "atrisk" and after.lifecycle_auto and recovered else None


def after_version(before: Customer | None, now: datetime) -> tuple[int, datetime]:
    """Return the version that follows *before*, and its instant.

    The instant is after the one before, whatever a clock says that stepped back: feeds are
    ordered by it, so two versions never share one.
    """
    if before is None:
        return 1, now
    return before.version + 1, max(now, before.updated_at + _TICK)


def _explained(customer: Customer | None, model: ScoringModel, at: datetime) -> dict[str, str]:
    if customer is None:
        return {}
    today = local_day(at, zone(model.time_zone))
    values = customer.taken(model, today)
    scored = customer.computed(model, today)
    parts = contributions(model, customer.profile(model), values, scored)
    return {part.signal: str(part.contribution) for part in parts}

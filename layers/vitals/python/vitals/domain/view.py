"""A customer as answers show it: the stored facts and all that follows from them at an instant."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from vitals.domain.customer import TRASH_DAYS, Customer, override_fields
from vitals.domain.instants import days_after, iso, local_day, start_of
from vitals.domain.model import ScoringModel
from vitals.domain.numbers import Number, parse_number, published_ratio
from vitals.domain.operations import (
    cadence_status,
    days_until_renewal,
    direction,
    expansion_estimate,
    priority,
)
from vitals.domain.outlook import days_until_band_change, path_to_next_band
from vitals.domain.scoring import Score, contributions, missing


def customer_view(
    customer: Customer,
    model: ScoringModel,
    now: datetime,
    where: tzinfo,
    portfolio_mrr: Number,
    *,
    whole: bool = True,
) -> dict[str, Any]:
    """Return *customer* as of *now*, as JSON values.

    Every answer about a customer has this shape. *whole* adds what only a whole read holds (custom
    fields, note, when each signal arrived) and the path to the next band; a list leaves them out.
    """
    today = local_day(now, where)
    values = customer.values(today)
    computed = customer.computed(model, today)
    score, status = customer.published_at(model, now, where)
    rank = priority(customer, model, score, portfolio_mrr, today)
    contacted = customer.last_contact_on or local_day(customer.created_at, where)
    moved = customer.momentum(score, today, where, model.momentum_days)
    view = {
        "id": customer.id,
        "tenant_id": customer.tenant_id,
        "external_id": customer.external_id,
        "email_domain": customer.email_domain,
        "name": customer.name,
        "score": score,
        "status": status,
        **_scores(customer, model, now, computed),
        **{signal.name: values.get(signal.name) for signal in model.signals},
        "last_contact_on": _day(customer.last_contact_on),
        "mrr": customer.mrr,
        "arr": customer.arr,
        "revenue_basis": customer.revenue_basis,
        "tier": customer.tier,
        "lifecycle": customer.lifecycle,
        "lifecycle_auto": customer.lifecycle_auto,
        "churned_on": _day(customer.churned_on),
        "manager": customer.manager,
        "tags": list(customer.tags),
        "renewal_date": _day(customer.renewal_date),
        "next_touch": _day(customer.next_touch),
        "since": _day(customer.since),
        "sentiment": customer.sentiment,
        "scoring_profile": customer.scoring_profile,
        "effective_profile": customer.profile(model),
        **_explanation(customer, model, computed, now, where),
        **_next_band_change(customer, model, computed, now, where),
        "expansion_estimate": expansion_estimate(customer, model, status),
        "priority_score": rank["score"] if rank else None,
        "priority": rank,
        "momentum": moved,
        "momentum_direction": direction(moved, model.momentum_points),
        "cadence_status": cadence_status(customer, model, contacted, today),
        "days_until_renewal": days_until_renewal(customer, today),
        "renewal_overdue": bool(customer.renewal_date and customer.renewal_date < today),
        "created_at": iso(customer.created_at),
        "updated_at": iso(customer.updated_at),
        "score_changed_at": iso(customer.score_changed_at) if customer.score_changed_at else None,
        "evaluated_at": iso(now),
        "version": customer.version,
        "dedupe_id": f"{customer.id}:{customer.version}",
        **_trash(customer),
    }
    return view | _whole(customer, model, computed, now, where) if whole else view


def _scores(
    customer: Customer, model: ScoringModel, now: datetime, computed: Score
) -> dict[str, Any]:
    override = customer.active_override(now)
    exact = published_ratio(*computed.exact) if computed.exact else None
    return {
        "score_exact": override.value if override else exact,
        "computed_score": computed.value,
        "computed_score_exact": exact,
        "computed_status": computed.band,
        "override": override_fields(override),
        "coverage": computed.coverage,
        "low_confidence": computed.present < model.low_confidence_below * computed.total,
        "model_version": model.version,
    }


def _explanation(
    customer: Customer, model: ScoringModel, computed: Score, now: datetime, where: tzinfo
) -> dict[str, Any]:
    """Return the parts of score_exact: contributions, and what an override adds to them."""
    values = customer.taken(model, local_day(now, where))
    profile = customer.profile(model)
    parts = contributions(model, profile, values, computed)
    override = customer.active_override(now)
    adjustments = []
    if override is not None:
        exact = published_ratio(*computed.exact) if computed.exact else 0
        adjustments = [{"kind": "override", "contribution": parse_number(override.value - exact)}]
    return {
        "contributions": [
            {
                "signal": part.signal,
                "value": part.value,
                "points": part.points,
                "weight": part.weight,
                "contribution": part.contribution,
            }
            for part in parts
        ],
        "adjustments": adjustments,
        "missing": missing(model, profile, values, customer.signals),
    }


def _next_band_change(
    customer: Customer, model: ScoringModel, computed: Score, now: datetime, where: tzinfo
) -> dict[str, Any]:
    """Return when and to which band the customer goes if nobody calls (PLUS-09)."""
    override = customer.active_override(now)
    if override is not None:
        return _after_override(customer, model, override.expires_at, where, override.value)
    values = customer.taken(model, local_day(now, where))
    turn = days_until_band_change(model, customer.profile(model), values, computed)
    day = (
        days_after(customer.last_contact_on, turn[0]) if turn and customer.last_contact_on else None
    )
    if turn is None or day is None:
        return {"next_band_change_at": None, "next_band_change_to": None}
    return {"next_band_change_at": iso(start_of(day, where)), "next_band_change_to": turn[1]}


def _after_override(
    customer: Customer,
    model: ScoringModel,
    expires_at: datetime | None,
    where: tzinfo,
    value: int,
) -> dict[str, Any]:
    """Return the first change after an override ends: at its end, or the decay that follows."""
    if expires_at is None:
        return {"next_band_change_at": None, "next_band_change_to": None}
    computed = customer.computed(model, local_day(expires_at, where))
    if computed.band != model.band(value):
        return {"next_band_change_at": iso(expires_at), "next_band_change_to": computed.band}
    return _next_band_change(customer, model, computed, expires_at, where)


def _whole(
    customer: Customer, model: ScoringModel, computed: Score, now: datetime, where: tzinfo
) -> dict[str, Any]:
    values = customer.taken(model, local_day(now, where))
    path = None
    if customer.active_override(now) is None:
        path = path_to_next_band(model, customer.profile(model), values, computed)
    return {
        "custom_fields": dict(customer.custom_fields),
        "note": customer.note,
        "signals_received": {
            name: {"at": iso(received.at), "source": received.source}
            for name, received in customer.received.items()
        },
        "path_to_next_band": path
        and {
            "band": path.band,
            "score": path.score,
            "cheapest": path.lifts[0].signal if path.lifts else None,
            "options": [
                {"signal": lift.signal, "from": lift.value, "to": lift.to, "effort": lift.effort}
                for lift in path.lifts
            ],
        },
    }


def _trash(customer: Customer) -> dict[str, Any]:
    if customer.deleted_at is None:
        return {"deleted_at": None, "purge_at": None}
    purge_at = customer.deleted_at + timedelta(days=TRASH_DAYS)
    return {"deleted_at": iso(customer.deleted_at), "purge_at": iso(purge_at)}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None

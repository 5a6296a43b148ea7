"""get_health, recalculate_health: one customer's health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from vitals.domain.customer import Customer
from vitals.domain.dimensions import dimensions
from vitals.domain.health import losses, word_of
from vitals.domain.instants import local_day, start_of, zone
from vitals.domain.model import ScoringModel
from vitals.domain.mutation import Reason
from vitals.domain.scoring import Contribution
from vitals.usecases.computing import computed_now
from vitals.usecases.context import Answer, Context
from vitals.usecases.find import require, require_live
from vitals.usecases.identity import in_trash
from vitals.usecases.inputs import Reference, WriteReference, read
from vitals.usecases.write import Draft, write

SHARED = (
    "tenant_id", "score", "score_exact", "missing", "adjustments", "override", "coverage",
    "low_confidence", "next_band_change_at", "next_band_change_to", "path_to_next_band",
    "model_version", "model_current", "score_changed_at", "updated_at", "evaluated_at",
)  # fmt: skip
"""What a customer's health says in the customer's own words."""
READ_AHEAD = 100


class HealthInput(Reference):
    """Whose health."""

    aliases: ClassVar[Mapping[str, str]] = {"customer_id": "id"}


class RecalculateInput(WriteReference):
    """Whose score to compute anew."""

    aliases: ClassVar[Mapping[str, str]] = {"customer_id": "id"}


def get_health(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the customer's score as of now, all that made it, its risk and where it is going.

    The facts that get_customer shows too are the same to the last digit (LU-042, PE-009, PE-011).
    1 strongly consistent read, and 1 query of the changes of the last 30 days if the score moved
    in them. Raises CustomerNotFoundError.
    """
    parsed, warnings, _ = read(HealthInput, given)
    shown = health_view(context, require_live(context, parsed))
    return {"action": "get_health", "data": shown, "warnings": warnings}


def health_view(context: Context, customer: Customer) -> dict[str, Any]:
    """Return the health of *customer* as answers show it, as of now."""
    model = context.model_of(customer.model_version)
    where = zone(model.time_zone)
    today = local_day(context.now, where)
    shown = context.view(customer)
    profile = customer.profile(model)
    values = customer.taken(model, today)
    parts = [Contribution(**part) for part in shown["contributions"]]
    score = shown["score"]
    return {
        "customer_id": customer.id,
        "status": word_of(score),
        "band": shown["status"],
        **{name: shown[name] for name in SHARED},
        "dimensions": {
            each.name: {name: part for name, part in asdict(each).items() if name != "name"}
            | {"signals": list(each.signals)}
            for each in dimensions(model, profile, values, parts)
        },
        "signals": [_signal(model, part, shown["signals_received"]) for part in parts],
        "risk": {
            "risk_index": None if score is None else 100 - score,
            "calibrated": False,
            # None until it is calibrated on recorded outcomes (AMB-49).
            "churn_probability": None,
            "reasons": [
                asdict(loss)
                for loss in losses(model, profile, values, customer.computed(model, today))
            ],
        },
        "trend": {
            "change_7d": customer.momentum(score, today, where, 7),
            "change_30d": _moved_since(context, customer, score, start_of(today, where)),
            "direction": shown["momentum_direction"],
        },
    }


def _signal(
    model: ScoringModel, part: Contribution, received: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    arrived = received.get(part.signal, {})
    return {
        **asdict(part),
        "dimension": model.by_name[part.signal].dimension,
        "received_at": arrived.get("at"),
        "source": arrived.get("source"),
    }


def _moved_since(
    context: Context, customer: Customer, score: int | None, midnight: datetime
) -> int | None:
    """Return the score less the one published as the day 30 days ago ended; None without either."""
    ended = midnight - timedelta(days=29)
    if score is None or customer.created_at >= ended:
        return None
    then = customer.score
    if customer.score_changed_at is None or customer.score_changed_at >= ended:
        then = None
        for change in context.customers.history(
            context.tenant,
            customer.id,
            before_version=customer.version + 1,
            page=READ_AHEAD,
        ):
            if change.at < ended:
                then = change.score_after
                break
    return None if then is None else score - then


def recalculate_health(context: Context, given: Mapping[str, Any]) -> Answer:
    """Publish the score that the stored facts give as of now under the newest model (LU-045).

    Computed signals are as of now too; unlike score_customer it leaves a score set by hand. The
    answer's data are the customer's health, and whether it was `unchanged`. Raises what any write
    does.
    """
    parsed, warnings, _ = read(RecalculateInput, given)

    def decide(context: Context, _: int) -> Draft:
        before = require(context, parsed)
        if before.deleted_at is not None:
            raise in_trash(context, before)
        reason = Reason(action="recalculate_health", cause="rescore")
        after, head = computed_now(context, before)
        # A copy even of what stands still: the score is published anew.
        return Draft(
            before=before, after=replace(after), reason=reason, show=health_view, head=head
        )

    return write(context, parsed, warnings, decide)

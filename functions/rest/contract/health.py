"""Health: its shapes, and what is said of the operations on it (LU-042 to 045, PE-009 to 013)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from contract.customers import OWNER, Band, CustomerSummary, HealthStatus
from contract.shape import (
    CURSOR,
    Count,
    Day,
    Described,
    Exact,
    Id,
    Instant,
    Link,
    Page,
    Query,
    Score,
    Shape,
    Share,
    limit,
)

Points = Annotated[float, Field(ge=0, le=100, examples=[73.3333])]
Change = Annotated[float, Field(examples=[-7.1429], description="To four decimals, exactly")]
Moved = Annotated[int | None, Field(ge=-100, le=100, examples=[-4])]
SignalName = Annotated[str, Field(examples=["logins"])]
DimensionName = Annotated[str, Field(examples=["usage"])]
Value = Annotated[float | str | None, Field(examples=[22])]
Direction = Literal["rising", "falling", "steady", "unknown"]
Granularity = Literal["daily", "weekly"]
PartKind = Literal["signal", "coverage", "decay", "profile", "model", "override", "first_score"]
DayOrInstant = Annotated[date | datetime, Field(examples=["2026-08-23"])]
_DIMENSIONS = {
    "usage": {
        "value": 65, "weight": 0.4, "contribution": 26, "model_weight": 0.4, "coverage": 1,
        "signals": ["logins", "adoption"],
    },
    "engagement": {
        "value": 40, "weight": 0.3, "contribution": 12, "model_weight": 0.3, "coverage": 1,
        "signals": ["days"],
    },
    "support": {
        "value": 50, "weight": 0.2, "contribution": 10, "model_weight": 0.2, "coverage": 1,
        "signals": ["tickets"],
    },
    "sentiment": {
        "value": 50, "weight": 0.1, "contribution": 5, "model_weight": 0.1, "coverage": 1,
        "signals": ["nps"],
    },
}  # fmt: skip


class Dimension(Shape):
    """What the signals of one dimension make of the score."""

    value: Annotated[
        Points | None, Field(description="The mean of its signals' points; null if none counts")
    ]
    weight: Annotated[
        Share, Field(description="Its share of what the score was divided by; they add up to 1")
    ]
    contribution: Annotated[
        Points, Field(description="With the adjustments they add up to score_exact")
    ]
    model_weight: Annotated[Share, Field(description="Its share of the model's own weights")]
    coverage: Annotated[Share, Field(description="The share of its weight that has a value")]
    signals: Annotated[list[str], Field(examples=[["logins", "adoption"]])]


class HealthSignal(Shape):
    """A signal that counts in the score."""

    signal: SignalName
    dimension: DimensionName
    value: Value
    points: Points
    weight: Annotated[float, Field(ge=0, le=100, examples=[25], description="In percent")]
    contribution: Points
    received_at: Annotated[Instant | None, Field(description="When it last came, changed or not")]
    source: Annotated[str | None, Field(examples=["CRM sync"], description="Whose key sent it")]


class MissingSignal(Shape):
    """A signal that weighs something and has no value."""

    signal: Annotated[str, Field(examples=["nps"])]
    reason: Annotated[str, Field(examples=["never_supplied_or_cleared"])]
    policy: Annotated[str, Field(examples=["exclude"], description="What stands for it")]


class Adjustment(Shape):
    """What is added to the contributions."""

    kind: Annotated[str, Field(examples=["override"])]
    contribution: Change


class Loss(Shape):
    """What a signal keeps the score from 100."""

    signal: SignalName
    lost: Points


class Risk(Shape):
    """How far the score is from 100, and what costs it most."""

    risk_index: Annotated[Score | None, Field(description="100 less the score")]
    calibrated: Annotated[bool, Field(examples=[False])]
    churn_probability: Annotated[
        float | None,
        Field(ge=0, le=1, examples=[None], description="Null until calibrated on real outcomes"),
    ]
    reasons: Annotated[list[Loss], Field(max_length=3)]


class Trend(Shape):
    """Where the score is going."""

    change_7d: Annotated[Moved, Field(description="What a new model alone moved is left out of it")]
    change_30d: Annotated[Moved, Field(description="Against what was published then")]
    direction: Direction


class Health(Shape):
    """A customer's health as of now, and all that made it."""

    customer_id: Id
    tenant_id: Id
    score: Annotated[Score | None, Field(examples=[53], description="Null until a signal is known")]
    status: Annotated[
        HealthStatus,
        Field(examples=["neutral"], description="at_risk to 49, neutral to 64, healthy"),
    ]
    band: Annotated[Band, Field(examples=["watch"])]
    score_exact: Annotated[Exact | None, Field(examples=[53])]
    dimensions: Annotated[dict[str, Dimension], Field(examples=[_DIMENSIONS])]
    signals: list[HealthSignal]
    missing: list[MissingSignal]
    adjustments: list[Adjustment]
    override: Annotated[dict[str, Any] | None, Field(examples=[None])]
    coverage: Share
    low_confidence: Annotated[bool, Field(examples=[False])]
    risk: Risk
    trend: Trend
    next_band_change_at: Annotated[
        Instant | None, Field(description="When the band changes if nobody writes or calls")
    ]
    next_band_change_to: Band | None
    path_to_next_band: Annotated[dict[str, Any] | None, Field(examples=[None])]
    model_version: Annotated[int, Field(ge=1, examples=[1])]
    model_current: Annotated[bool, Field(examples=[True])]
    score_changed_at: Annotated[
        Instant | None, Field(description="When another score was last published")
    ]
    updated_at: Annotated[Instant, Field(description="When the customer was last written")]
    evaluated_at: Instant


class RecalculatedHealth(Health):
    """The health after it was computed anew."""

    unchanged: Annotated[bool, Field(examples=[True])]


class HealthPoint(Shape):
    """What was published at the end of a day."""

    date: Day
    score: Annotated[Score | None, Field(description="Null before the first")]
    status: HealthStatus
    band: Band | None
    changes: Annotated[Count, Field(description="How often the score moved in the day or week")]


class HealthHistory(Shape):
    """A score by day or week."""

    customer_id: Id
    from_: Annotated[Day, Field(alias="from")]
    to: Day
    granularity: Granularity
    time_zone: Annotated[str, Field(examples=["UTC"], description="Where a day turns")]
    points: list[HealthPoint]


class ScoreThen(Shape):
    """The score as a read at that instant showed it."""

    at: Instant
    score: Score | None
    status: HealthStatus
    score_exact: Exact | None
    model_version: Annotated[int | None, Field(ge=1, examples=[1])]


class ScorePart(Shape):
    """What one thing added to the score or took from it."""

    kind: PartKind
    signal: SignalName | None
    dimension: DimensionName | None
    before: Value
    after: Value
    change: Change


class ScoreCause(Shape):
    """A change that moved the score; `time` is what none has published yet."""

    change_id: Id | None
    at: Instant
    cause: Annotated[str, Field(examples=["api"])]
    action: Annotated[str | None, Field(examples=["upsert_account"])]
    by: Annotated[str | None, Field(examples=["01KJQ8ZJ9W3B0C6V4S7T2R5XYA"])]
    score_before: Score | None
    score_after: Score | None
    change: Change


class ScoreExplanation(Shape):
    """What moved a score; the parts add up to the change, and so do the causes."""

    customer_id: Id
    from_: Annotated[ScoreThen, Field(alias="from")]
    to: ScoreThen
    change: Change
    parts: list[ScorePart]
    causes: Annotated[list[ScoreCause], Field(max_length=500)]
    causes_omitted: Annotated[Count, Field(description="So many older ones are left out")]


_SPREAD = {"customers": 3, "share": 1, "mrr": 81000, "mrr_share": 1}


class Spread(Shape):
    """Who is in one band or has one status."""

    customers: Count
    share: Share
    mrr: Annotated[float, Field(ge=0, examples=[12000])]
    mrr_share: Share


class HealthSummary(Shape):
    """How all scores spread."""

    as_of: Instant
    customers: Count
    scored: Count
    unscored: Count
    average_score: Annotated[Points | None, Field(description="To one decimal")]
    median_score: Points | None
    coverage: Annotated[Share | None, Field(description="The mean of all customers'")]
    mrr: Annotated[float, Field(ge=0, examples=[81000])]
    statuses: Annotated[dict[str, Spread], Field(examples=[{"healthy": _SPREAD}])]
    bands: Annotated[dict[str, Spread], Field(examples=[{"expansion": _SPREAD}])]


class AtRisk(CustomerSummary):
    """A customer under the threshold."""

    crossed_at: Annotated[
        Instant | None, Field(description="With `since`: when it last fell under the threshold")
    ]
    score_before: Annotated[Score | None, Field(description="With `since`: from where it fell")]


class AtRiskPage(Page):
    """One page of customers under the threshold, the lowest score first."""

    as_of: Instant
    threshold: Annotated[int, Field(ge=1, le=100, examples=[50])]
    data: list[AtRisk]


_SPAN = (
    Query("from", DayOrInstant, "From this day, or instant, on; at most 400 days before `to`"),
    Query("to", DayOrInstant, "Until this day, or instant; now, if left out",
          example="2026-11-20"),
)  # fmt: skip
DESCRIBED = {
    "getHealth": Described(
        summary="A customer's health",
        tag="Health",
        description="The score as of now with its dimensions and signals, which add up to it, its"
        " risk and where it is going.",
        answers={200: Health},
        links={
            "explainScore": Link("explainScore", {"customer_id": "$response.body#/customer_id"}),
            "getHealthHistory": Link(
                "getHealthHistory", {"customer_id": "$response.body#/customer_id"}
            ),
        },
    ),
    "getHealthHistory": Described(
        summary="A customer's score by day or week",
        tag="Health",
        description="What was published at the end of each day in the tenant's zone; today, what"
        " stands now. The last 90 days if nothing else is asked for; a week ends on Sunday.",
        query=(*_SPAN, Query("granularity", Granularity, "A point a day or a week")),
        answers={200: HealthHistory},
    ),
    "explainScore": Described(
        summary="What moved a score",
        tag="Health",
        description="Between two instants, the last 30 days if nothing else is asked for: signals,"
        " coverage, decay, model, profile and override, whose parts add up to the change exactly.",
        query=_SPAN,
        answers={200: ScoreExplanation},
    ),
    "recalculateHealth": Described(
        summary="Compute a score anew",
        tag="Health",
        description="As of now under the newest model, with the computed signals; a score that was"
        " set by hand stays.",
        answers={200: RecalculatedHealth},
    ),
    "getHealthSummary": Described(
        summary="How all scores spread",
        tag="Health",
        description="Over the statuses and the bands, with their revenue; shares add up to 1.",
        answers={200: HealthSummary},
    ),
    "listAtRisk": Described(
        summary="List customers at risk",
        tag="Health",
        description="Whose score is under the threshold, the lowest first. With `since`, those who"
        " fell under it since then.",
        query=(
            Query(
                "threshold",
                Annotated[int, Field(ge=1, le=100, json_schema_extra={"default": 50})],
                "Under which score; 50 if left out",
                example=50,
            ),
            Query("since", DayOrInstant, "Only those who fell since this day or instant"),
            OWNER,
            limit(),
            CURSOR,
        ),
        answers={200: AtRiskPage},
    ),
}

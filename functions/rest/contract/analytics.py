"""The portfolio in figures (LU-065 to 067)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contract.customers import OWNER, TIERS, Band
from contract.shape import Count, Day, Described, Instant, Query, Shape, word, words

_Amount = Annotated[float, Field(ge=0, examples=[1250000])]
_Figure = Annotated[dict[str, Any], Field(examples=[{"value": 42, "previous": 40, "change": 2}])]


class Figures(Shape):
    """What every answer about the portfolio says of itself."""

    as_of: Instant
    time_zone: Annotated[str, Field(examples=["UTC"])]
    model_version: Annotated[int, Field(ge=1, examples=[1])]
    filters: Annotated[dict[str, Any], Field(examples=[{}])]
    compared_with: Annotated[Day | None, Field(description="The day that changes are since")]


class BandFigures(Shape):
    """Who is in one band."""

    band: Band
    customers: Count
    percent: Annotated[float | None, Field(examples=[12.5])]
    mrr: _Amount


class Portfolio(Figures):
    """How the portfolio stands, and whom to call first."""

    total_arr: _Amount
    customers_by_status: Annotated[
        dict[str, int],
        Field(examples=[{"active": 180, "trial": 12, "paused": 3, "churned": 5}]),
    ]
    health_distribution: list[BandFigures]
    top_risks: Annotated[
        list[dict[str, Any]], Field(examples=[[{"name": "Acme Corp", "score": 31}]])
    ]
    totals: dict[str, _Figure]
    scored: Count
    unscored: Count
    churned: Count
    tiers: Annotated[list[dict[str, Any]], Field(examples=[[{"tier": "mid", "customers": 80}]])]
    renewals: Annotated[dict[str, Any], Field(examples=[{"pipeline": []}])]
    expansion: Annotated[dict[str, Any], Field(examples=[{"customers": 4, "mrr": 1200}])]
    biggest_drops: Annotated[list[dict[str, Any]], Field(examples=[[]])]


class RenewalMonth(Shape):
    """What renews in one month."""

    month: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}$", examples=["2027-01"])]
    renewals: Count
    mrr: _Amount
    categories: Annotated[
        dict[str, dict[str, float]],
        Field(examples=[{"commit": {"renewals": 3, "mrr": 900}}]),
    ]


class Renewals(Figures):
    """What renews by month, and what of it is at risk."""

    total: Annotated[dict[str, Any], Field(examples=[{"renewals": 40, "mrr": 81000}])]
    overdue: Annotated[dict[str, Any], Field(examples=[{"renewals": 1, "mrr": 500}])]
    months: list[RenewalMonth]
    accounts: Annotated[
        list[dict[str, Any]],
        Field(examples=[[{"name": "Acme Corp", "renewal_date": "2027-01-15"}]]),
    ]
    accounts_listed: Count


class Cohort(Shape):
    """Those who came in one period."""

    cohort: Day
    size: Count
    retained: Annotated[
        list[Any],
        Field(
            examples=[[{"offset": 0, "size": 10, "count": 9, "percent": 90}]],
            description="By months since: how many were on record, and how many of them stayed",
        ),
    ]
    current: Annotated[dict[str, Any], Field(examples=[{"count": 9, "percent": 90}])]


class Cohorts(Figures):
    """How many stayed of those who came together."""

    period: Literal["month", "quarter"]
    months_out: Annotated[int, Field(ge=1, le=60, examples=[12])]
    customers: Count
    unknown: Count
    observed_from: Annotated[Day | None, Field(description="The day of the first record")]
    late: Annotated[Count, Field(description="Of those, who came before they were on record")]
    cohorts: list[Cohort]
    overall: Annotated[list[Any], Field(examples=[[]])]


_WHOM = (OWNER, Query("tier", words(*TIERS), "Of these tiers"))
DESCRIBED = {
    "getPortfolio": Described(
        summary="The portfolio",
        tag="Analytics",
        description="Revenue, customers by state and band, what renews, and whom to call first.",
        query=(
            *_WHOM,
            Query(
                "days",
                Annotated[int, Field(ge=1, le=400)],
                "Compared with so many days ago",
                example=30,
            ),
        ),
        answers={200: Portfolio},
    ),
    "getRenewals": Described(
        summary="Renewals by month",
        tag="Analytics",
        query=(
            *_WHOM,
            Query("from", Day, "Renewing on that day or later"),
            Query("to", Day, "Renewing on that day or earlier"),
            Query(
                "forecast_category",
                word("commit", "best_case", "at_risk", "unknown"),
                "Of this category alone",
            ),
        ),
        answers={200: Renewals},
    ),
    "getCohorts": Described(
        summary="Retention by cohort",
        tag="Analytics",
        query=(
            *_WHOM,
            Query("cohort_period", word("month", "quarter"), "Who came in the same period"),
            Query(
                "months_out", Annotated[int, Field(ge=1, le=60)], "How many months on", example=12
            ),
        ),
        answers={200: Cohorts},
    ),
}

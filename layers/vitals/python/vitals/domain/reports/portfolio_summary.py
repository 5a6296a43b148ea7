"""Portfolio Summary: how the whole book stands, and what moved it (IQ-134)."""

from __future__ import annotations

from vitals.domain.model import STATUSES
from vitals.domain.reports.accounts import percent
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import (
    AVERAGE,
    BAND,
    BARS,
    COUNT,
    MONEY,
    PERCENT,
    STACKED,
    TEXT,
    UP,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Line,
    Series,
    Table,
)
from vitals.domain.reports.framing import WITHOUT_CHURNED, report
from vitals.domain.reports.groups import BAND_LABELS
from vitals.domain.reports.headlines import (
    at_risk_headline,
    call_headline,
    mover_headline,
    standing_headline,
)
from vitals.domain.reports.movement import movement_chart, movers
from vitals.domain.reports.sections import (
    KPIS,
    MRR,
    TIER,
    call_table,
    came_and_went,
    kpis,
    mover_table,
)
from vitals.domain.reports.tally import WINDOWS, Tally, tally

DROPS = 5
"""So many accounts that fell most are named: those whose histories the book has."""
LABELS = ("Overdue", "0 to 30 days", "31 to 60 days", "61 to 90 days")
"""The windows of the renewal pipeline in words."""


def build(book: Book) -> Document:
    """Return the Portfolio Summary of *book*: figures, bands, tiers, movement, renewals, calls."""
    found = tally(book)
    drops, _ = movers(book, DROPS)
    headlines = [
        standing_headline(book),
        at_risk_headline(book),
        mover_headline(book, "{} fell most, from {} to {}", drops[0]) if drops else None,
        call_headline(book),
    ]
    return report(
        book,
        "portfolio_summary",
        headlines=[line for line in headlines if line is not None],
        sections=[
            _figures(book, found),
            _band_chart(found),
            _band_table(found),
            _tier_table(found),
            _heatmap(found),
            movement_chart(book),
            _pipeline_chart(found),
            _pipeline_table(found),
            mover_table(book, "biggest_drops", "Fell most", drops),
            call_table(book),
        ],
        reading=(WITHOUT_CHURNED,),
        table="tiers",
    )


def _figures(book: Book, found: Tally) -> Figures:
    upcoming = found.upcoming
    return Figures(
        name="kpis",
        title="Key figures",
        figures=(
            *kpis(book, *(name for name, *_ in KPIS)),
            *(each for each in came_and_went(book) if each.name != "joined_mrr"),
            Figure(
                name="upcoming_renewals",
                label="Renewals in 90 days",
                kind=COUNT,
                value=upcoming.customers,
            ),
            Figure(
                name="upcoming_mrr", label="MRR to renew in 90 days", kind=MONEY, value=upcoming.mrr
            ),
            Figure(
                name="expansion",
                label="Expansion opportunity",
                kind=MONEY,
                value=found.expansion,
                better=UP,
                note="MRR that accounts ready to expand may add",
            ),
        ),
    )


def _band_chart(found: Tally) -> Chart:
    bands = found.bands
    largest = max(bands, key=lambda band: bands[band].customers)
    everybody = sum(bucket.customers for bucket in bands.values())
    return Chart(
        name="band_chart",
        title="Customers by band",
        chart=BARS,
        labels=STATUSES,
        label_kind=BAND,
        kind=COUNT,
        series=(
            Series(
                name="customers",
                label="Customers",
                values=tuple(bucket.customers for bucket in bands.values()),
            ),
        ),
        says=Line(
            "The largest band is {}, with {} of {}.",
            ((BAND, largest), (COUNT, bands[largest].customers), (COUNT, everybody)),
        )
        if everybody
        else Line("There are no customers."),
        bands=STATUSES,
    )


def _band_table(found: Tally) -> Table:
    bands = found.bands
    everybody = sum(bucket.customers for bucket in bands.values())
    return Table(
        name="bands",
        title="Bands",
        columns=(
            Column("status", "Band", BAND),
            Column("customers", "Customers", COUNT),
            Column("percent", "Of all", PERCENT),
            MRR,
        ),
        rows=tuple(
            (band, bucket.customers, percent(bucket.customers, everybody), bucket.mrr)
            for band, bucket in bands.items()
        ),
    )


def _tier_table(found: Tally) -> Table:
    return Table(
        name="tiers",
        title="Tiers",
        columns=(
            TIER,
            Column("customers", "Customers", COUNT),
            MRR,
            Column("average_score", "Average score", AVERAGE),
            Column("at_risk", "At risk", COUNT),
            Column("at_risk_mrr", "MRR at risk", MONEY),
        ),
        rows=tuple(
            (
                tier or None,
                bucket.customers,
                bucket.mrr,
                bucket.average,
                bucket.at_risk,
                bucket.at_risk_mrr,
            )
            for tier, bucket in found.tiers.items()
        ),
    )


def _heatmap(found: Tally) -> Table:
    return Table(
        name="heatmap",
        title="Tiers by band",
        columns=(
            TIER,
            *(Column(band, label, COUNT) for band, label in BAND_LABELS.items()),
        ),
        rows=tuple(
            (
                tier or None,
                *(
                    found.heat[tier, band].customers if (tier, band) in found.heat else 0
                    for band in STATUSES
                ),
            )
            for tier in found.tiers
        ),
    )


def _pipeline_chart(found: Tally) -> Chart:
    buckets = [found.renewals[window] for window in WINDOWS]
    upcoming = found.upcoming
    return Chart(
        name="renewal_chart",
        title="MRR to renew",
        chart=STACKED,
        labels=LABELS,
        label_kind=TEXT,
        kind=MONEY,
        series=(
            Series(
                name="safe",
                label="Not at risk",
                values=tuple(each.mrr - each.at_risk_mrr for each in buckets),
                band="healthy",
            ),
            Series(
                name="at_risk",
                label="At risk",
                values=tuple(each.at_risk_mrr for each in buckets),
                band="at_risk",
            ),
        ),
        says=Line(
            "{} MRR renews within 90 days, {} of it at risk; {} is overdue.",
            (
                (MONEY, upcoming.mrr),
                (MONEY, upcoming.at_risk_mrr),
                (MONEY, found.renewals[WINDOWS[0]].mrr),
            ),
        ),
    )


def _pipeline_table(found: Tally) -> Table:
    return Table(
        name="renewals",
        title="Renewal pipeline",
        columns=(
            Column("window", "Renews in", TEXT),
            Column("customers", "Renewals", COUNT),
            MRR,
            Column("at_risk", "At risk", COUNT),
            Column("at_risk_mrr", "MRR at risk", MONEY),
        ),
        rows=tuple(
            (label, each.customers, each.mrr, each.at_risk, each.at_risk_mrr)
            for label, each in zip(
                LABELS, (found.renewals[window] for window in WINDOWS), strict=True
            )
        ),
    )

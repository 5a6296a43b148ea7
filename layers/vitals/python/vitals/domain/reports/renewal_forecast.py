"""Renewal Forecast: what renews when, and what of it is at risk (IQ-136)."""

from __future__ import annotations

from typing import Final

from vitals.domain.model import ScoringModel
from vitals.domain.reports.accounts import percent
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import (
    COUNT,
    DAY,
    DOWN,
    MONEY,
    MONTH,
    NUMBER,
    PERCENT,
    STACKED,
    TEXT,
    UP,
    WORD,
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
from vitals.domain.reports.headlines import call_headline, noun
from vitals.domain.reports.renewals import (
    BEST_CASE,
    CATEGORIES,
    COMMIT,
    RISKY,
    UNKNOWN,
    Pipeline,
    Renewing,
    pipeline,
)
from vitals.domain.reports.sections import (
    ACCOUNT,
    HEALTH,
    MANAGER,
    MRR,
    RENEWS_IN,
    RENEWS_ON,
    STATUS,
    TIER,
    call_table,
)

LABELS: Final = {
    COMMIT: ("Commit", "healthy"),
    BEST_CASE: ("Best case", "watch"),
    RISKY: ("At risk", "at_risk"),
    UNKNOWN: ("Unknown", "unscored"),
}
"""Each category in words, and the band that colours it."""
_CATEGORY_COLUMNS = tuple(Column(name, LABELS[name][0], MONEY) for name in CATEGORIES)


def build(book: Book) -> Document:
    """Return the Renewal Forecast of *book*: twelve calendar months, each renewal's risks."""
    found = pipeline(book)
    renewing = [each.account for each in found.renewals]
    headlines = [
        _renews(found),
        _forecast(found.total),
        _overdue(found.overdue),
        call_headline(book, renewing),
    ]
    return report(
        book,
        "renewal_forecast",
        headlines=[line for line in headlines if line is not None],
        sections=[
            _figures(found),
            _chart(found),
            _month_table(found),
            _accounts(found),
            call_table(book, renewing),
        ],
        reading=(
            Line(
                "Commit are renewals of healthy and expanding customers, best case those in "
                "Watch, at risk those in Critical and At risk, unknown those without a score: "
                "bands as of today, not odds."
            ),
            _risks(book.model),
            _beyond(found),
            WITHOUT_CHURNED,
        ),
        table="accounts",
        period=(found.first, found.last),
        compares=False,
    )


def _beyond(found: Pipeline) -> Line:
    """Return how far the forecast goes, and how many it leaves out."""
    verb = noun(found.later.count, "renews", "renew")
    text = (
        "The forecast goes to the end of the twelfth calendar month, this one included. A renewal "
        f"whose day has passed is overdue and counts in no month. {{}} {verb} later than {{}}"
    )
    values = ((COUNT, found.later.count), (DAY, found.last))
    if not found.undated.count:
        return Line(text + ".", values)
    return Line(text + "; of {} no date is known.", (*values, (COUNT, found.undated.count)))


def _risks(model: ScoringModel) -> Line:
    """Return what the words on a renewal's risks mean."""
    return Line(
        "Risks: falling is a score that fell by {} points or more in {} days; contact overdue, "
        "past the cadence of its tier; quiet, no contact for more than {} days; low confidence, "
        "signals known of less than {} of the weight.",
        (
            (NUMBER, model.momentum_points),
            (COUNT, model.momentum_days),
            (COUNT, model.quiet_after),
            (
                PERCENT,
                percent(
                    model.low_confidence_below.numerator, model.low_confidence_below.denominator
                ),
            ),
        ),
    )


def _renews(found: Pipeline) -> Line:
    total = found.total
    return Line(
        f"{{}} {noun(total.count, 'renewal', 'renewals')} with {{}} MRR from {{}} to {{}}.",
        ((COUNT, total.count), (MONEY, total.mrr), (DAY, found.first), (DAY, found.last)),
    )


def _forecast(total: Renewing) -> Line:
    mrrs = total.mrrs
    share = percent(mrrs[RISKY], total.mrr)
    if share is None:
        return Line("No revenue comes up for renewal in that time.")
    return Line(
        "{} MRR of it is commit, {} best case and {} at risk, {} of all; {} is unknown.",
        (
            (MONEY, mrrs[COMMIT]),
            (MONEY, mrrs[BEST_CASE]),
            (MONEY, mrrs[RISKY]),
            (PERCENT, share),
            (MONEY, mrrs[UNKNOWN]),
        ),
    )


def _overdue(overdue: Renewing) -> Line | None:
    if not overdue.count:
        return None
    verb = noun(overdue.count, "renewal is", "renewals are")
    return Line(
        f"{{}} {verb} overdue, with {{}} MRR.", ((COUNT, overdue.count), (MONEY, overdue.mrr))
    )


def _figures(found: Pipeline) -> Figures:
    total = found.total
    better = {COMMIT: UP, BEST_CASE: None, RISKY: DOWN, UNKNOWN: DOWN}
    return Figures(
        name="kpis",
        title="Key figures",
        figures=(
            Figure(name="renewals", label="Renewals", kind=COUNT, value=total.count),
            Figure(name="mrr", label="MRR to renew", kind=MONEY, value=total.mrr),
            *(
                Figure(
                    name=name,
                    label=f"{LABELS[name][0]} MRR",
                    kind=MONEY,
                    value=total.mrrs[name],
                    better=better[name],
                )
                for name in CATEGORIES
            ),
            Figure(
                name="overdue",
                label="Overdue renewals",
                kind=COUNT,
                value=found.overdue.count,
                better=DOWN,
            ),
            Figure(
                name="overdue_mrr",
                label="Overdue MRR",
                kind=MONEY,
                value=found.overdue.mrr,
                better=DOWN,
            ),
        ),
    )


def _chart(found: Pipeline) -> Chart:
    months = found.months
    largest = max(months, key=lambda month: months[month].mrr)
    says = Line("No MRR renews in these months.")
    if months[largest].mrr:
        says = Line(
            "Most MRR renews in {}: {}, of which {} is at risk.",
            (
                (MONTH, largest),
                (MONEY, months[largest].mrr),
                (MONEY, months[largest].mrrs[RISKY]),
            ),
        )
    return Chart(
        name="month_chart",
        title="MRR to renew by month",
        chart=STACKED,
        labels=tuple(months),
        label_kind=MONTH,
        kind=MONEY,
        series=tuple(
            Series(
                name=name,
                label=label,
                values=tuple(each.mrrs[name] for each in months.values()),
                band=band,
            )
            for name, (label, band) in LABELS.items()
        ),
        says=says,
    )


def _month_table(found: Pipeline) -> Table:
    return Table(
        name="months",
        title="Renewals by month",
        columns=(
            Column("month", "Month", MONTH),
            Column("renewals", "Renewals", COUNT),
            MRR,
            *_CATEGORY_COLUMNS,
        ),
        rows=tuple(
            (month, each.count, each.mrr, *(each.mrrs[name] for name in CATEGORIES))
            for month, each in found.months.items()
        ),
    )


def _accounts(found: Pipeline) -> Table:
    rows = []
    for each in found.renewals:
        account = each.account
        customer = account.customer
        rows.append(
            (
                each.day,
                account.renewal_in,
                customer.name,
                customer.manager,
                customer.tier,
                customer.mrr,
                account.score,
                account.status,
                LABELS[each.category][0],
                tuple(flag.replace("_", " ") for flag in each.flags),
            )
        )
    return Table(
        name="accounts",
        title="Renewals, overdue ones first",
        columns=(
            RENEWS_ON,
            RENEWS_IN,
            ACCOUNT,
            MANAGER,
            TIER,
            MRR,
            HEALTH,
            STATUS,
            Column("forecast", "Forecast", WORD, beneath=True),
            Column("flags", "Risks", TEXT, beneath=True),
        ),
        rows=tuple(rows),
        empty="Nothing renews in this time.",
    )

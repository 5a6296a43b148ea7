"""Segment Analysis: health by tier, stage and tag (IQ-138)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from vitals.domain.model import CHURNED
from vitals.domain.reports.accounts import by_urgency, costs, reasons
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    BARS,
    COUNT,
    MONEY,
    PERCENT,
    POINTS,
    SEGMENT,
    STACKED,
    TEXT,
    WORD,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Line,
    Plain,
    Series,
    Table,
)
from vitals.domain.reports.groups import BAND_LABELS, band_series
from vitals.domain.reports.headlines import call_headline, compared_with, standing_headline
from vitals.domain.reports.sections import (
    ACCOUNT,
    HEALTH,
    MANAGER,
    MRR,
    REASON,
    RENEWS_IN,
    STATUS,
    kpis,
    report,
)
from vitals.domain.reports.segments import ENOUGH, STAGE, TAG, TIER, segment_figures
from vitals.domain.snapshot import WITHOUT

MOST_TAGS: Final = 12
"""A chart shows so many tags, the largest; the table all."""

_NO_TIER: Final = "no_tier"

Rows = list[tuple[str, dict[str, Any]]]


def build(book: Book) -> Document:
    """Return the report on *book*."""
    found = segment_figures(book)
    rows: Rows = [
        (kind, row)
        for kind, part in ((TIER, "tiers"), (STAGE, "stages"), (TAG, "tags"))
        for row in found[part]
    ]
    return report(
        book,
        "segment_analysis",
        headlines=_headlines(book, found),
        sections=(
            _kpis(book, found["kpis"]["segments"]),
            _distribution("tier_bands", "Bands by tier", found["tiers"]),
            _distribution("stage_bands", "Bands by stage", found["stages"]),
            _averages(rows),
            _table(rows),
            _bands(rows),
            _first(book),
        ),
        reading=(
            Line(
                "Was and Change are like for like: the same accounts then and now, so whoever "
                "joined or left moves neither. A customer with several tags counts under each."
            ),
            Line(
                "Only segments of at least {} scored accounts are called strongest, weakest or "
                "fastest. Whoever churned counts in the stage Churned alone.",
                ((COUNT, ENOUGH),),
            ),
        ),
        table="segments",
    )


def _headlines(book: Book, found: dict[str, Any]) -> list[Line]:
    call = call_headline(book)
    lines = [standing_headline(book), *found["analysis"], *([call] if call else [])]
    return lines if len(lines) > 1 else [*lines, compared_with(book)]


def _kpis(book: Book, segments: int) -> Figures:
    count = Figure(
        name="segments",
        label="Segments",
        kind=COUNT,
        value=segments,
        note="tiers, stages and tags that have customers",
    )
    own = kpis(book, "average_score", "customers", "mrr", "at_risk", "revenue_at_risk")
    return Figures(name="kpis", title="Key figures", figures=(count, *own))


def _distribution(name: str, title: str, rows: Sequence[dict[str, Any]]) -> Chart | None:
    if not rows:
        return None
    worst = max(rows, key=lambda row: (row["at_risk_percent"] or 0, row["at_risk"]))
    return Chart(
        name=name,
        title=title,
        chart=STACKED,
        labels=tuple(row["segment"] or _NO_TIER for row in rows),
        label_kind=WORD,
        kind=COUNT,
        series=band_series(rows),
        says=Line(
            "How many accounts of each are in which band. The highest share at risk is {}.",
            ((PERCENT, worst["at_risk_percent"] or 0),),
        ),
    )


def _averages(rows: Rows) -> Chart | None:
    """Return the averages side by side: tiers, stages, and the largest tags."""
    tags = [row for kind, row in rows if kind == TAG][:MOST_TAGS]
    shown = [row for kind, row in rows if kind != TAG] + tags
    shown = [
        row
        for row in shown
        if row["segment"] not in (WITHOUT, CHURNED) and row["average_score"] is not None
    ]
    if not shown:
        return None
    best = max(shown, key=lambda row: row["average_score"])
    worst = min(shown, key=lambda row: row["average_score"])
    return Chart(
        name="averages",
        title="Average score by segment",
        chart=BARS,
        labels=tuple(row["segment"] for row in shown),
        label_kind=SEGMENT,
        kind=AVERAGE,
        series=(
            Series(
                name="average_score",
                label="Average score",
                values=tuple(row["average_score"] for row in shown),
            ),
        ),
        says=Line(
            "The averages go from {} ({}) to {} ({}).",
            (
                (AVERAGE, worst["average_score"]),
                (SEGMENT, worst["segment"]),
                (AVERAGE, best["average_score"]),
                (SEGMENT, best["segment"]),
            ),
        ),
    )


def _table(rows: Rows) -> Table:
    return Table(
        name="segments",
        title="Segments side by side",
        columns=(
            Column("by", "By", TEXT),
            Column("segment", "Segment", SEGMENT),
            Column("accounts", "Accounts", COUNT),
            Column("mrr", "MRR", MONEY),
            Column("average_score", "Average score", AVERAGE),
            Column("average_then", "Was", AVERAGE),
            Column("change", "Change", POINTS),
            Column("at_risk", "At risk", COUNT),
            Column("at_risk_percent", "At risk, %", PERCENT),
            Column("at_risk_mrr", "MRR at risk", MONEY),
        ),
        rows=tuple(_row(kind, row) for kind, row in rows),
        empty="No segments.",
    )


def _row(kind: str, row: dict[str, Any]) -> tuple[Plain, ...]:
    trend = row["trend"] or {}
    return (
        kind,
        row["segment"] or None,
        row["accounts"],
        row["mrr"],
        row["average_score"],
        trend.get("then"),
        trend.get("change"),
        row["at_risk"],
        row["at_risk_percent"],
        row["at_risk_mrr"],
    )


def _bands(rows: Rows) -> Table:
    return Table(
        name="segment_bands",
        title="Accounts by band",
        columns=(
            Column("by", "By", TEXT),
            Column("segment", "Segment", SEGMENT),
            *(Column(band, label, COUNT) for band, label in BAND_LABELS.items()),
        ),
        rows=tuple(
            (kind, row["segment"] or None, *(row["bands"][band] for band in BAND_LABELS))
            for kind, row in rows
        ),
        empty="No segments.",
    )


def _first(book: Book) -> Table:
    """Return the most urgent account at risk of each segment, and why."""
    first: dict[tuple[str, str], Account] = {}
    for ranked in by_urgency(each for each in book.accounts if each.at_risk):
        customer = ranked.account.customer
        own = [(TIER, customer.tier or WITHOUT), (STAGE, customer.lifecycle)]
        own += [(TAG, tag.casefold()) for tag in customer.tags]
        for segment in own:
            first.setdefault(segment, ranked.account)
    order = sorted(first, key=lambda key: ((TIER, STAGE, TAG).index(key[0]), key[1]))
    return Table(
        name="first_calls",
        title="Whom to call first in each segment",
        columns=(
            Column("by", "By", TEXT),
            Column("segment", "Segment", SEGMENT),
            ACCOUNT,
            MANAGER,
            HEALTH,
            STATUS,
            MRR,
            RENEWS_IN,
            REASON,
        ),
        rows=tuple(_call((kind, name or None), first[kind, name]) for kind, name in order),
        empty="Nobody is at risk.",
    )


def _call(segment: tuple[Plain, ...], account: Account) -> tuple[Plain, ...]:
    customer = account.customer
    return (
        *segment,
        customer.name,
        customer.manager,
        account.score,
        account.status,
        customer.mrr,
        account.renewal_in,
        reasons(account, costs(account)),
    )

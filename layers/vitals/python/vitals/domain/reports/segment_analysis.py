"""Segment Analysis: health by tier, stage and tag (IQ-138)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from vitals.domain.model import CHURNED
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import (
    AVERAGE,
    BARS,
    COUNT,
    PERCENT,
    SEGMENT,
    STACKED,
    WORD,
    Chart,
    Document,
    Figure,
    Figures,
    Line,
    Plain,
    Series,
)
from vitals.domain.reports.framing import report
from vitals.domain.reports.groups import band_series
from vitals.domain.reports.headlines import call_headline, compared_with, standing_headline
from vitals.domain.reports.sections import kpis
from vitals.domain.reports.segment_tables import Rows, band_table, first_calls, segment_table
from vitals.domain.reports.segments import (
    ENOUGH,
    FOLLOWING,
    STAGE,
    TAG,
    TIER,
    segment_figures,
    told_apart,
)
from vitals.domain.snapshot import WITHOUT

MOST_TAGS: Final = 12
"""A chart shows so many tags, the largest; the table all."""

_NO_TIER: Final = "no_tier"


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
            _distribution("tier_bands", "Bands by tier", TIER, found["tiers"]),
            _distribution("stage_bands", "Bands by stage", STAGE, found["stages"]),
            _averages(rows),
            segment_table(rows),
            band_table(rows),
            first_calls(book, rows),
        ),
        reading=(
            Line(
                "Was, Is and Change are of the accounts compared: those scored then and now, so "
                "whoever joined or left moves none of them. A customer with several tags counts "
                "under each."
            ),
            Line(
                "Only segments of at least {} scored accounts are called strongest, weakest or "
                "fastest, and no stage that follows from the score: Active, At risk, Churned.",
                ((COUNT, ENOUGH),),
            ),
            _of_churned(book),
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


def _of_churned(book: Book) -> Line:
    if CHURNED in book.filters.lifecycles:
        return Line("Churned customers count everywhere here: the filters ask for them.")
    return Line(
        "Whoever churned counts in the stage Churned alone, in no key figure, and in no band here: "
        "at risk no more."
    )


def _distribution(name: str, title: str, kind: str, rows: Sequence[dict[str, Any]]) -> Chart | None:
    """Return the chart of the bands of *rows*; None without any.

    Of a stage that follows from the score all are at risk, or nobody is: none such is named.
    """
    rows = [row for row in rows if row["at_risk"] is not None]
    if not rows:
        return None
    risky = [
        row for row in rows if row["at_risk"] and (kind != STAGE or row["segment"] not in FOLLOWING)
    ]
    text = "How many accounts of each are in which band."
    values: tuple[tuple[str, Plain], ...] = ()
    if risky:
        worst = max(risky, key=lambda row: (row["at_risk_percent"], row["at_risk"]))
        of = "Of stages that do not follow from the score, the" if kind == STAGE else "The"
        text += f" {of} highest share at risk is {{}} ({{}})."
        values = ((PERCENT, worst["at_risk_percent"]), (WORD, worst["segment"] or _NO_TIER))
    return Chart(
        name=name,
        title=title,
        chart=STACKED,
        labels=tuple(row["segment"] or _NO_TIER for row in rows),
        label_kind=WORD,
        kind=COUNT,
        series=band_series(rows),
        says=Line(text, values),
    )


def _averages(rows: Rows) -> Chart | None:
    """Return the averages side by side: tiers, the largest tags, stages not set by the score."""
    tags = [(kind, row) for kind, row in rows if kind == TAG][:MOST_TAGS]
    pairs = [
        (kind, row)
        for kind, row in [(kind, row) for kind, row in rows if kind != TAG] + tags
        if row["segment"] != WITHOUT
        and row["average_score"] is not None
        and (kind != STAGE or row["segment"] not in FOLLOWING)
    ]
    if not pairs:
        return None
    shown = [row for _, row in pairs]
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
        says=_from_to([row for kind, row in pairs if told_apart(kind, row)]),
    )


def _from_to(rows: Sequence[dict[str, Any]]) -> Line:
    """Return the sentence on the lowest and the highest average of those that may be compared."""
    best = max(rows, key=lambda row: row["average_score"], default=None)
    worst = min(rows, key=lambda row: row["average_score"], default=None)
    if best is None or worst is None or best["average_score"] == worst["average_score"]:
        return Line(
            "No two segments of at least {} scored accounts have different averages.",
            ((COUNT, ENOUGH),),
        )
    return Line(
        "Of those of at least {} scored accounts, the averages go from {} ({}) to {} ({}).",
        (
            (COUNT, ENOUGH),
            (AVERAGE, worst["average_score"]),
            (SEGMENT, worst["segment"]),
            (AVERAGE, best["average_score"]),
            (SEGMENT, best["segment"]),
        ),
    )

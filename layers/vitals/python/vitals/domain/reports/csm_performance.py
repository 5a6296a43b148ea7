"""CSM Performance: the managers' books side by side (IQ-137)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vitals.domain.numbers import Number
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import (
    AVERAGE,
    BARS,
    COUNT,
    DAY,
    DOWN,
    MONEY,
    PERCENT,
    POINTS,
    STACKED,
    TEXT,
    Chart,
    Document,
    Figure,
    Figures,
    Line,
    Plain,
    Prose,
    Series,
)
from vitals.domain.reports.framing import WITHOUT_CHURNED, report
from vitals.domain.reports.groups import band_series
from vitals.domain.reports.headlines import call_headline, compared_with, noun
from vitals.domain.reports.manager_tables import (
    account_table,
    leaderboard_table,
    movement_table,
    workload_table,
)
from vitals.domain.reports.managers import (
    DECLINE,
    ENOUGH,
    HIGH_AT_RISK,
    HIGH_OVERDUE,
    RENEWAL_DAYS,
    manager_figures,
)
from vitals.domain.reports.sections import kpis
from vitals.domain.snapshot import WITHOUT

NOBODY = "No manager"
Row = dict[str, Any]


def build(book: Book) -> Document:
    """Return the report on *book*."""
    found = manager_figures(book)
    board: list[Row] = found["leaderboard"]
    return report(
        book,
        "csm_performance",
        headlines=_headlines(book, found),
        sections=(
            _kpis(book, board),
            _distribution(board),
            leaderboard_table(board),
            _focus(found["focus"]),
            _moves_chart(book, board),
            movement_table(board),
            workload_table(found["workload"]),
            account_table(book),
        ),
        reading=(*_explanation(), *_of_lost(book)),
        table="leaderboard",
    )


def _headlines(book: Book, found: dict[str, Any]) -> list[Line]:
    ranked = [row for row in found["leaderboard"] if row["rank"] is not None]
    lines = [Line("No manager has an account with a score.")]
    if ranked:
        best = ranked[0]
        values = (
            (TEXT, best["manager"]),
            (AVERAGE, best["average_score"]),
            (COUNT, best["scored"]),
        )
        verb = "leads with" if len(ranked) > 1 else "has"
        scored = noun(best["scored"], "account", "accounts")
        lines = [Line(f"{{}} {verb} an average score of {{}}, of {{}} scored {scored}.", values)]
    moved = [row for row in ranked if row["trend"] and row["trend"]["change"]]
    if moved:
        most = max(moved, key=lambda row: abs(row["trend"]["change"]))
        lines.append(
            Line(
                "The book of {} moved most: {} points since {}, of the same accounts.",
                (
                    (TEXT, most["manager"]),
                    (POINTS, most["trend"]["change"]),
                    (DAY, book.then),
                ),
            )
        )
    lines += [area["line"] for area in found["focus"][:2]]
    call = call_headline(book)
    lines += [call] if call else []
    return lines if len(lines) > 1 else [*lines, compared_with(book)]


def _kpis(book: Book, board: Sequence[Row]) -> Figures:
    managers = Figure(
        name="managers",
        label="Managers",
        kind=COUNT,
        value=sum(row["manager"] != WITHOUT and row["accounts"] > 0 for row in board),
        note="who have customers",
    )
    overdue = Figure(
        name="overdue_contacts",
        label="Overdue contacts",
        kind=COUNT,
        value=sum(row["overdue_contacts"] for row in board),
        better=DOWN,
        note="past the cadence of their tier",
    )
    renewing = Figure(
        name="renewals_at_risk_mrr",
        label="Renewing MRR at risk",
        kind=MONEY,
        value=sum((row["renewals"]["at_risk_mrr"] for row in board), start=0),
        better=DOWN,
        note=f"renewals within {RENEWAL_DAYS} days",
    )
    own = kpis(book, "average_score", "customers", "mrr", "at_risk")
    return Figures(name="kpis", title="Key figures", figures=(managers, *own, overdue, renewing))


def _distribution(board: Sequence[Row]) -> Chart | None:
    board = [row for row in board if row["accounts"]]
    if not board:
        return None
    worst = max(board, key=lambda row: (row["at_risk_percent"], row["at_risk"]))
    text = "How many accounts of each manager are in which band, the best average first."
    values: tuple[tuple[str, Plain], ...] = ()
    if worst["at_risk"]:
        text += " The highest share at risk is {}'s: {}."
        values = ((TEXT, worst["manager"] or NOBODY), (PERCENT, worst["at_risk_percent"]))
    return Chart(
        name="manager_bands",
        title="Bands by manager",
        chart=STACKED,
        labels=tuple(row["manager"] or NOBODY for row in board),
        label_kind=TEXT,
        kind=COUNT,
        series=band_series(board),
        says=Line(text, values),
    )


def _focus(areas: Sequence[Row]) -> Prose:
    lines = tuple(area["line"] for area in areas)
    return Prose(
        name="focus",
        title="Focus areas",
        lines=lines or (Line("No manager's accounts pass a threshold."),),
    )


def _moves_chart(book: Book, board: Sequence[Row]) -> Chart | None:
    moved = [row for row in board if row["trend"]]
    if not moved:
        return None
    changes: list[Number] = [row["trend"]["change"] for row in moved]
    return Chart(
        name="portfolio_movement",
        title="Movement of the same accounts",
        chart=BARS,
        labels=tuple(row["manager"] or NOBODY for row in moved),
        label_kind=TEXT,
        kind=POINTS,
        series=(Series(name="change", label="Change", values=tuple(changes)),),
        says=Line(
            "Since {}, of the books' averages {} rose and {} fell.",
            (
                (DAY, book.then),
                (COUNT, sum(change > 0 for change in changes)),
                (COUNT, sum(change < 0 for change in changes)),
            ),
        ),
    )


def _explanation() -> tuple[Line, ...]:
    return (
        Line(
            "The rank goes by average score; equal averages share one. Movement is like for like: "
            "the accounts that a manager has now, if scored both times."
        ),
        Line(
            "Focus areas, of at least {} accounts: {} of them at risk, {} of the contacts overdue, "
            "an average down by {} points; most MRR at stake first.",
            (
                (COUNT, ENOUGH),
                (PERCENT, HIGH_AT_RISK),
                (PERCENT, HIGH_OVERDUE),
                (COUNT, DECLINE),
            ),
        ),
    )


def _of_lost(book: Book) -> tuple[Line, ...]:
    if not book.knows_gone:
        return (WITHOUT_CHURNED,)
    return (
        Line(
            "Lost are accounts that were there on {} and churned or were deleted since, under the "
            "manager they had; nothing else counts them.",
            ((DAY, book.then),),
        ),
    )

"""Trend: how the score went over the period, and who moved it (IQ-139)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    COUNT,
    DAY,
    DOWN,
    LINES,
    MONEY,
    NUMBER,
    TEXT,
    UP,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Line,
    Prose,
    Series,
    Table,
)
from vitals.domain.reports.framing import WITHOUT_CHURNED, report
from vitals.domain.reports.headlines import compared_with, mover_headline, standing_headline
from vitals.domain.reports.movement import Movement, movers, waterfall, waterfall_chart
from vitals.domain.reports.sections import kpis, mover_table
from vitals.domain.reports.trend_insights import (
    HEALTH_SCORE,
    MOVE,
    PERCENT_FROM,
    POINTS_FROM,
)
from vitals.domain.reports.trends import (
    MANAGER,
    MOVERS,
    WEEK,
    Overlays,
    course_figures,
    known_days,
    metric_of,
)

COLUMNS: Final = (
    ("average_score", "Average score", AVERAGE, HEALTH_SCORE),
    ("customers", "Customers", COUNT, "customers"),
    ("mrr", "MRR", MONEY, "mrr"),
    ("at_risk", "At risk", COUNT, "at_risk"),
    ("at_risk_mrr", "MRR at risk", MONEY, "at_risk_mrr"),
)


def build(book: Book) -> Document:
    """Return the report on *book*."""
    managers = [name.removeprefix(MANAGER) for name in sorted(book.daily) if name]
    found = course_figures(book, HEALTH_SCORE, "mrr", Overlays(managers=managers))
    moved = waterfall(book)
    fell, rose = movers(book, MOVERS)
    return report(
        book,
        "trend",
        headlines=_headlines(book, found, fell[:1], rose[:1]),
        sections=(
            _kpis(book, found, moved),
            _line_chart(found),
            _insights(found),
            waterfall_chart(moved) if moved else None,
            _movement_table(moved),
            mover_table(book, "fell_most", "Fell most, and what moved them", fell),
            mover_table(book, "rose_most", "Rose most, and what moved them", rose),
            _days(book),
        ),
        reading=(*_explanation(), WITHOUT_CHURNED),
        table="days",
    )


def _headlines(
    book: Book, found: dict[str, Any], fell: Sequence[Account], rose: Sequence[Account]
) -> list[Line]:
    lines = [standing_headline(book)]
    # The whole move is that of the first sentence, but for the day that it begins with.
    further = [each["line"] for each in found["insights"] if each["kind"] != MOVE]
    lines += further[:2]
    lines += [mover_headline(book, "{} fell from {} to {}", each) for each in fell]
    lines += [mover_headline(book, "{} rose from {} to {}", each) for each in rose]
    return lines if len(lines) > 1 else [*lines, compared_with(book)]


def _kpis(book: Book, found: dict[str, Any], moved: Movement | None) -> Figures:
    summary = found["summary"]
    counts = moved.counts if moved else {}
    shape = (
        ("lowest", "Lowest average", AVERAGE, summary["lowest"], None, "of the days shown"),
        ("highest", "Highest average", AVERAGE, summary["highest"], None, "of the days shown"),
        ("improved", "Improved", COUNT, counts.get("improved"), UP, "scores above those of then"),
        ("declined", "Declined", COUNT, counts.get("declined"), DOWN, "scores under those of then"),
    )
    own = tuple(
        Figure(name=name, label=label, kind=kind, value=value, better=better, note=note)
        for name, label, kind, value, better, note in shape
    )
    known = kpis(book, "average_score", "customers", "mrr", "at_risk", "revenue_at_risk")
    return Figures(name="kpis", title="Key figures", figures=(*known, *own))


def _line_chart(found: dict[str, Any]) -> Chart:
    summary = found["summary"]
    lines = [Series(name="book", label="Average score", values=tuple(found["values"]))]
    lines += [
        Series(name=MANAGER + each["manager"], label=each["label"], values=tuple(each["values"]))
        for each in found["overlays"]
    ]
    says = Line("No day has a score.")
    if len(found["days"]) == 1 and summary["last"] is not None:
        says = Line("The average score is {}.", ((AVERAGE, summary["last"]),))
    elif summary["change"] is not None:
        says = Line(
            "The average score went from {} on {} to {} on {}, between {} and {}.",
            (
                (AVERAGE, summary["first"]),
                (DAY, _first_known(found)),
                (AVERAGE, summary["last"]),
                (DAY, found["days"][-1]),
                (AVERAGE, summary["lowest"]),
                (AVERAGE, summary["highest"]),
            ),
        )
    for each in found["overlays"]:
        own = [value for value in each["values"] if value is not None]
        if own:
            values = ((TEXT, each["label"]), (AVERAGE, own[0]), (AVERAGE, own[-1]))
            says = Line(says.text + " {}: from {} to {}.", (*says.values, *values))
    return Chart(
        name="score_line",
        title="Average score by day" if found["every"] == 1 else "Average score by week",
        chart=LINES,
        labels=tuple(found["days"]),
        label_kind=DAY,
        kind=AVERAGE,
        series=tuple(lines),
        says=says,
    )


def _first_known(found: dict[str, Any]) -> Any:
    pairs = zip(found["days"], found["values"], strict=True)
    return next(day for day, value in pairs if value is not None)


def _insights(found: dict[str, Any]) -> Prose:
    none = Line(
        "Neither the move over the period nor momentum, divergence or acceleration passes a "
        "threshold."
    )
    lines = tuple(each["line"] for each in found["insights"]) or (none,)
    return Prose(name="insights", title="What the trend says", lines=lines)


def _movement_table(moved: Movement | None) -> Table:
    rows: Sequence[tuple[Any, ...]] = ()
    if moved:
        counts = moved.counts
        rows = (
            ("No longer scored", counts["left"], moved.left),
            ("Improved", counts["improved"], moved.improved),
            ("Declined", counts["declined"], moved.declined),
            ("Unchanged", counts["unchanged"], 0),
            ("Newly scored", counts["joined"], moved.joined),
        )
    return Table(
        name="movement_parts",
        title="What moved the average score, in parts",
        columns=(
            Column("part", "Part", TEXT),
            Column("customers", "Customers", COUNT),
            Column("points", "Points of the average", NUMBER),
        ),
        rows=tuple(rows),
        note=Line(
            "From {} to {}; the parts sum to the difference.",
            ((AVERAGE, moved.opening), (AVERAGE, moved.closing)),
        )
        if moved
        else None,
        empty="No earlier average is known.",
    )


def _days(book: Book) -> Table:
    """Return the figures of each week of the period, the newest first, and of its first day."""
    days = known_days(book, WEEK)
    first, figures = known_days(book)[0]
    if book.then is not None and book.figures_then is not None and book.then < first:
        first, figures = book.then, book.figures_then
    if first < days[0][0]:
        days.insert(0, (first, figures))
    rows = [
        (day, *(metric_of(figures, metric) for *_, metric in COLUMNS))
        for day, figures in reversed(days)
    ]
    return Table(
        name="days",
        title="The period week by week",
        columns=(
            Column("day", "Day", DAY),
            *(Column(name, label, kind) for name, label, kind, _ in COLUMNS),
        ),
        rows=tuple(rows),
        empty="No days.",
    )


def _explanation() -> tuple[Line, ...]:
    return (
        Line(
            "Each day's figures are those that the day began with, today's those of now. Days that "
            "nothing is known of are left out."
        ),
        Line(
            "Improved and declined are of those who were scored both times; the others left, "
            "joined, or lost or got their score."
        ),
        Line(
            "A move is that over the whole period, momentum the one over its last fourth, "
            "divergence a move against that of MRR or a manager, acceleration the second half's "
            "slope beside the first's. Each is said "
            "from {} points of a score on, or {} percent of anything else.",
            ((COUNT, POINTS_FROM), (COUNT, PERCENT_FROM)),
        ),
    )

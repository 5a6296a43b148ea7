"""A score's history: its line by day, its changes with what made them, in words and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from vitals.domain.change import Change
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    BAND,
    COUNT,
    DAY,
    INSTANT,
    LINES,
    NAME,
    POINTS,
    SCORE,
    TEXT,
    WORD,
    Chart,
    Column,
    Line,
    Plain,
    Series,
    Table,
)
from vitals.domain.reports.movement import DRIVERS, change_moves, drivers
from vitals.domain.reports.sections import MOVED_BY
from vitals.domain.reports.trends import DAILY_UNTIL, WEEK, score_line

CAUSES: Final = "causes"
_AT: Final = Column("at", "When", INSTANT)
_WHO: Final = Column("name", "Customer", NAME)
_CHANGE: Final = (
    Column("score_before", "From", SCORE),
    Column("score_after", "To", SCORE),
    Column("change", "Change", POINTS),
    Column("status_after", "Band", BAND),
    Column("cause", "Cause", WORD),
    Column("by", "By", TEXT),
    *MOVED_BY,
)


def moves_score(change: Change) -> bool:
    """Tell whether *change* published another score."""
    return change.score_before != change.score_after


def first_day_of(book: Book) -> date:
    """Return the day that the period of *book* begins with."""
    return book.then or book.today - timedelta(days=book.period)


def score_chart(book: Book, account: Account) -> Chart | None:
    """Return the score of *account* by day over the period; None without its history.

    Over a longer period than DAILY_UNTIL days, one day a week.
    """
    history = book.histories.get(account.customer.id)
    if history is None:
        return None
    length = max(0, (book.today - first_day_of(book)).days)
    every = WEEK if length > DAILY_UNTIL else 1
    days = [book.today - timedelta(days=ago) for ago in range(0, length + 1, every)][::-1]
    values = score_line(history, days, book.where, account.score)
    known = [(day, value) for day, value in zip(days, values, strict=True) if value is not None]
    says = Line("There was no score in the period.")
    if known:
        says = Line(
            "The score was {} on {} and {} on {}, the lowest {}, the highest {}.",
            (
                (SCORE, known[0][1]),
                (DAY, known[0][0]),
                (SCORE, known[-1][1]),
                (DAY, known[-1][0]),
                (SCORE, min(value for _, value in known)),
                (SCORE, max(value for _, value in known)),
            ),
        )
    return Chart(
        name="score_line",
        title="Score at the end of each day",
        chart=LINES,
        labels=tuple(days),
        label_kind=DAY,
        kind=SCORE,
        series=(Series(name="score", label="Score", values=tuple(values)),),
        says=says,
    )


def change_table(
    book: Book,
    changes: Iterable[Change],
    *,
    name: str,
    title: str,
    named: bool,
    note: Line | None = None,
) -> Table:
    """Return *changes* with what made and what moved them; *named*: with whom they are of."""
    return Table(
        name=name,
        title=title,
        columns=(_AT, *((_WHO,) if named else ()), *_CHANGE),
        rows=tuple(_row(change, book.actors, named=named) for change in changes),
        note=note,
        empty="The score did not change.",
    )


def _row(change: Change, actors: Mapping[str, str], *, named: bool) -> tuple[Plain, ...]:
    by: list[Plain] = [part for move in drivers(change_moves(change)) for part in move]
    by += [None] * (2 * DRIVERS - len(by))
    return (
        change.at,
        *((change.name,) if named else ()),
        change.score_before,
        change.score_after,
        points_of(change),
        change.status_after,
        change.cause,
        actors.get(change.by, change.by),
        *by,
    )


def points_of(change: Change) -> int | None:
    """Return by how many points *change* moved the score; None without one before or after."""
    if change.score_before is None or change.score_after is None:
        return None
    return change.score_after - change.score_before


def cause_table(changes: Sequence[Change]) -> Table:
    """Return how many of *changes* each cause made, and in which direction; the most first."""
    counts = Counter(change.cause for change in changes)
    rises = Counter(change.cause for change in changes if (points_of(change) or 0) > 0)
    falls = Counter(change.cause for change in changes if (points_of(change) or 0) < 0)
    return Table(
        name=CAUSES,
        title="What made them",
        columns=(
            Column("cause", "Cause", WORD),
            Column("changes", "Changes", COUNT),
            Column("rises", "Rises", COUNT),
            Column("falls", "Falls", COUNT),
        ),
        rows=tuple(
            (cause, counts[cause], rises[cause], falls[cause])
            for cause in sorted(counts, key=lambda cause: (-counts[cause], cause))
        ),
        empty="No score changed.",
    )

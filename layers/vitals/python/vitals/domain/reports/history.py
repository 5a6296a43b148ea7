"""A score's history: its line by day, its changes with what made them, in words and tables."""

from __future__ import annotations

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
from vitals.domain.reports.headlines import noun
from vitals.domain.reports.movement import DRIVERS, change_moves, drivers
from vitals.domain.reports.score_changes import ScoreChanges, points_of
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


def unread(book: Book) -> list[Line]:
    """Return what is to be said of changes that were not read, if there are such."""
    if book.read_from is None:
        return []
    text = "There are more changes than one report reads: those before {} are not in this one."
    return [Line(text, ((INSTANT, book.read_from),))]


def score_chart(book: Book, account: Account) -> Chart | None:
    """Return the score of *account* by day over the period; None without its history.

    It begins with the score that the period began with, if that is known, as of the day before.
    Over a longer period than DAILY_UNTIL days, it has one day a week.
    """
    history = book.histories.get(account.customer.id)
    if history is None:
        return None
    first = book.first_day
    length = max(0, (book.today - first).days)
    every = WEEK if length > DAILY_UNTIL else 1
    days = [book.today - timedelta(days=ago) for ago in range(0, length + 1, every)][::-1]
    values = score_line(history, days, book.where, account.score)
    if account.was is not None and first == book.then:
        days, values = [first - timedelta(days=1), *days], [account.was, *values]
    known = [(day, value) for day, value in zip(days, values, strict=True) if value is not None]
    return Chart(
        name="score_line",
        title="Score at the end of each day" if every == 1 else "Score at the end of each week",
        chart=LINES,
        labels=tuple(days),
        label_kind=DAY,
        kind=SCORE,
        series=(Series(name="score", label="Score", values=tuple(values)),),
        says=_course(known, first),
    )


def _course(known: Sequence[tuple[date, int]], first: date) -> Line:
    """Return from what to what the score went; a day before *first* is how that began."""
    if not known:
        return Line("There was no score in the period.")
    (begin, opening), (_, closing) = known[0], known[-1]
    scores = [value for _, value in known]
    if min(scores) == max(scores):
        values = ((SCORE, closing), (DAY, max(begin, first)))
        return Line("The score was {} on every day shown since {}.", values)
    when = "as {} began" if begin < first else "on {}"
    return Line(
        f"The score went from {{}} {when} to {{}} on {{}}; of the days shown, "
        "the lowest was {}, the highest {}.",
        (
            (SCORE, opening),
            (DAY, max(begin, first)),
            (SCORE, closing),
            (DAY, known[-1][0]),
            (SCORE, min(scores)),
            (SCORE, max(scores)),
        ),
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


def listed_of(changes: ScoreChanges, first: date) -> Line | None:
    """Return how many of *changes*, all of which are since *first*, a table of them lists."""
    more = changes.total - len(changes.listed)
    if not changes.total:
        return None
    if not more:
        text = f"{{}} {noun(changes.total, 'change', 'changes')} of the score since {{}}."
        return Line(text, ((COUNT, changes.total), (DAY, first)))
    text = f"The latest {{}} of {{}} changes since {{}}; {{}} more {noun(more, 'is', 'are')} older."
    values = ((COUNT, len(changes.listed)), (COUNT, changes.total), (DAY, first), (COUNT, more))
    return Line(text, values)


def cause_table(changes: ScoreChanges) -> Table:
    """Return how many of *changes* each cause made, and in which direction; the most first."""
    counts = changes.causes
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
            (cause, counts[cause], changes.rises[cause], changes.falls[cause])
            for cause in sorted(counts, key=lambda cause: (-counts[cause], cause))
        ),
        empty="No score changed.",
    )

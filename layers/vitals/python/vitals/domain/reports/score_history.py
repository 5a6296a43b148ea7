"""Score History: every change of a score, and what made it (IQ-142)."""

from __future__ import annotations

from vitals.domain.change import Change
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    COUNT,
    DAY,
    INSTANT,
    NAME,
    POINTS,
    SCORE,
    WORD,
    Document,
    Figure,
    Figures,
    Line,
    Plain,
)
from vitals.domain.reports.framing import report
from vitals.domain.reports.headlines import compared_with, noun
from vitals.domain.reports.history import (
    cause_table,
    change_table,
    listed_of,
    score_chart,
    unread,
)
from vitals.domain.reports.score_changes import ScoreChanges, points_of


def build(book: Book) -> Document:
    """Return the report on *book*: on the customer that it is about, else on everybody.

    Raises LookupError if it is about a customer that it does not hold.
    """
    account = account_meant(book) if book.about is not None else None
    changes = _changes(book, account)
    since = book.first_day
    return report(
        book,
        "score_history",
        headlines=_headlines(book, account, changes),
        sections=(
            _kpis(changes, account),
            score_chart(book, account) if account else None,
            change_table(
                book,
                changes.listed,
                name="changes",
                title="Score changes, newest first",
                named=account is None,
                note=listed_of(changes, since),
            ),
            cause_table(changes),
        ),
        reading=(
            Line(
                "A change is what published another score: a write, a contact, a new model, or "
                "time alone (decay). What moved it are the signals' parts of the score after, "
                "less those before; override is a score set by hand."
            ),
            Line("A first score is a change, but neither a rise nor a fall."),
            *_of_churned(book, account),
            *unread(book),
        ),
        table="changes",
        period=(since, book.today),
        compares=account is not None,
    )


def _of_churned(book: Book, account: Account | None) -> tuple[Line, ...]:
    if account is not None or not book.churned:
        return ()
    return (Line("Changes of churned customers are among these."),)


def account_meant(book: Book) -> Account:
    """Return the account that *book* is about.

    Raises LookupError if it does not hold it.
    """
    account = book.account(book.about) if book.about is not None else None
    if account is None:
        raise LookupError("the book does not hold the customer that it is about")
    return account


def _changes(book: Book, account: Account | None) -> ScoreChanges:
    """Return the changes of the score that the book knows of."""
    if account is None:
        return book.feed or ScoreChanges()
    return ScoreChanges.of(book.histories.get(account.customer.id, ()))


def _headlines(book: Book, account: Account | None, changes: ScoreChanges) -> list[Line]:
    lines = [_of_one(book, account, changes) if account else _of_all(book, changes), *unread(book)]
    for text, largest in (
        ("The largest fall", changes.fall),
        ("The largest rise", changes.rise),
    ):
        if largest is not None:
            lines.append(_largest(text, largest))
    return lines if len(lines) > 1 else [*lines, compared_with(book)]


def _of_one(book: Book, account: Account, changes: ScoreChanges) -> Line:
    stands = "{} scores {}" if account.score is not None else "{} has no score"
    times = noun(changes.total, "time", "times")
    score: tuple[tuple[str, Plain], ...] = ((SCORE, account.score),)
    return Line(
        f"{stands}; the score changed {{}} {times} since {{}}.",
        (
            (NAME, account.customer.name),
            *(score if account.score is not None else ()),
            (COUNT, changes.total),
            (DAY, book.first_day),
        ),
    )


def _of_all(book: Book, changes: ScoreChanges) -> Line:
    since, who = book.first_day, len(changes.customers)
    if not changes.total:
        return Line("No score has changed since {}.", ((DAY, since),))
    what = noun(changes.total, "There was {} score change", "There were {} score changes")
    text = f"{what} of {{}} {noun(who, 'customer', 'customers')} since {{}}."
    return Line(text, ((COUNT, changes.total), (COUNT, who), (DAY, since)))


def _largest(text: str, change: Change) -> Line:
    points = points_of(change) or 0
    return Line(
        f"{text} was {{}}'s: {{}} {noun(abs(points), 'point', 'points')}, from {{}} to {{}} "
        "on {}, by {}.",
        (
            (NAME, change.name),
            (POINTS, points),
            (SCORE, change.score_before),
            (SCORE, change.score_after),
            (INSTANT, change.at),
            (WORD, change.cause),
        ),
    )


def _kpis(changes: ScoreChanges, account: Account | None) -> Figures:
    shape = (
        ("changes", "Score changes", changes.total, "of the period"),
        ("rises", "Rises", changes.rises.total(), ""),
        ("falls", "Falls", changes.falls.total(), ""),
        ("band_changes", "Band changes", changes.band_changes, "of these changes"),
    )
    figures = [
        Figure(name=name, label=label, kind=COUNT, value=value, note=note)
        for name, label, value, note in shape
    ]
    if account is not None:
        score = Figure(
            name="score",
            label="Score",
            kind=SCORE,
            value=account.score,
            previous=account.was,
            better="up",
        )
        figures.insert(0, score)
    return Figures(name="kpis", title="Key figures", figures=tuple(figures))

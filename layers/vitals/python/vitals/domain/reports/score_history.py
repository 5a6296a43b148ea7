"""Score History: every change of a score, and what made it (IQ-142)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

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
)
from vitals.domain.reports.headlines import compared_with
from vitals.domain.reports.history import (
    cause_table,
    change_table,
    first_day_of,
    moves_score,
    points_of,
    score_chart,
)
from vitals.domain.reports.sections import report


def build(book: Book) -> Document:
    """Return the report on *book*: on the customer that it is about, else on everybody.

    Raises LookupError if it is about a customer that it does not hold.
    """
    account = account_meant(book) if book.about is not None else None
    changes = _changes(book, account)
    since = first_day_of(book)
    return report(
        book,
        "score_history",
        headlines=_headlines(book, account, changes),
        sections=(
            _kpis(changes, account),
            score_chart(book, account) if account else None,
            change_table(
                book,
                changes,
                name="changes",
                title="Score changes, newest first",
                named=account is None,
                note=_extent(account, changes),
            ),
            cause_table(changes),
        ),
        reading=(
            Line(
                "A change is what published another score: a write, a contact, a new model, or "
                "time alone (decay). What moved it are the signals' parts of the score after, "
                "less those before; override is a score set by hand."
            ),
            *(() if account else (Line("Changes of churned customers are among these."),)),
        ),
        table="changes",
        period=(since, book.today),
    )


def account_meant(book: Book) -> Account:
    """Return the account that *book* is about.

    Raises LookupError if it does not hold it.
    """
    account = book.account(book.about) if book.about is not None else None
    if account is None:
        raise LookupError("the book does not hold the customer that it is about")
    return account


def _changes(book: Book, account: Account | None) -> list[Change]:
    """Return the changes of the score that the book knows of, the newest first."""
    known = book.feed if account is None else book.histories.get(account.customer.id, ())
    return [change for change in known if moves_score(change)]


def _extent(account: Account | None, changes: Sequence[Change]) -> Line | None:
    if not changes:
        return None
    values = ((COUNT, len(changes)), (INSTANT, changes[-1].at))
    if account is None:
        return Line("The latest {} changes of a score, back to {}.", values)
    return Line("{} changes of the score, back to {}.", values)


def _headlines(book: Book, account: Account | None, changes: Sequence[Change]) -> list[Line]:
    since: date = first_day_of(book)
    lines = []
    if account is not None:
        name = account.customer.name
        lines.append(
            Line(
                "{} scores {}; the score changed {} times since {}.",
                ((NAME, name), (SCORE, account.score), (COUNT, len(changes)), (DAY, since)),
            )
        )
    elif changes:
        lines.append(
            Line(
                "The latest {} score changes are of {} customers, back to {}.",
                (
                    (COUNT, len(changes)),
                    (COUNT, len({change.customer_id for change in changes})),
                    (INSTANT, changes[-1].at),
                ),
            )
        )
    else:
        lines.append(Line("No score has changed since {}.", ((DAY, since),)))
    moved = [change for change in changes if points_of(change)]
    for text, sign in (("The largest fall", -1), ("The largest rise", 1)):
        largest = max(moved, key=lambda change: sign * (points_of(change) or 0), default=None)
        if largest is None or sign * (points_of(largest) or 0) <= 0:
            continue
        lines.append(
            Line(
                f"{text} was {{}}'s: {{}} points, from {{}} to {{}} on {{}}, by {{}}.",
                (
                    (NAME, largest.name),
                    (POINTS, points_of(largest)),
                    (SCORE, largest.score_before),
                    (SCORE, largest.score_after),
                    (INSTANT, largest.at),
                    (WORD, largest.cause),
                ),
            )
        )
    return lines if len(lines) > 1 else [*lines, compared_with(book)]


def _kpis(changes: Sequence[Change], account: Account | None) -> Figures:
    points = [points_of(change) or 0 for change in changes]
    shape = [
        ("changes", "Score changes", COUNT, len(changes), "that this report holds"),
        ("rises", "Rises", COUNT, sum(each > 0 for each in points), ""),
        ("falls", "Falls", COUNT, sum(each < 0 for each in points), ""),
        (
            "band_changes",
            "Band changes",
            COUNT,
            sum(change.status_before != change.status_after for change in changes),
            "of these changes",
        ),
    ]
    figures = [
        Figure(name=name, label=label, kind=kind, value=value, note=note)
        for name, label, kind, value, note in shape
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

"""What every report has around its sections: its head, and how to read it at its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from vitals.domain.model import ScoringModel
from vitals.domain.reports.book import Book
from vitals.domain.reports.catalogue import BY_NAME
from vitals.domain.reports.document import (
    READING,
    SCORE,
    Document,
    Figures,
    Line,
    Prose,
    Section,
    Table,
)
from vitals.domain.reports.groups import spelled_filters
from vitals.domain.reports.headlines import compared_with, model_headline

WITHOUT_CHURNED: Final = Line(
    "Churned customers count nowhere here, unless the filters ask for them."
)


def report(
    book: Book,
    name: str,
    *,
    headlines: Sequence[Line],
    sections: Sequence[Section | None],
    table: str,
    reading: Sequence[Line] = (),
    period: tuple[date, date] | None = None,
    compares: bool = True,
) -> Document:
    """Return the document of the report *name* on *book*, without the sections that are None.

    It ends with how to read it: *reading*, and what its figures need beside; one that *compares*
    says with which day, and whether another model scored then. Its period is *period*, else from
    that day until today.
    """
    compared = (book.then, book.today) if book.then is not None else None
    shown = [section for section in sections if section is not None]
    if compares:
        headlines = [*headlines, *model_headline(book)]
    return Document(
        report=name,
        title=BY_NAME[name].title,
        subject=book.subject,
        as_of=book.as_of,
        time_zone=book.model.time_zone,
        model_version=book.model.version,
        headlines=tuple(headlines),
        sections=(*shown, _how_to_read(book, shown, reading, compares=compares)),
        table=table,
        period=period or compared,
        filters=spelled_filters(book),
    )


def _how_to_read(
    book: Book, sections: Sequence[Section], reading: Sequence[Line], *, compares: bool
) -> Prose:
    """Return *reading*, and the sentences on what *sections* show."""
    names = {
        figure.name for each in sections if isinstance(each, Figures) for figure in each.figures
    }
    names |= {
        column.name for each in sections if isinstance(each, Table) for column in each.columns
    }
    lines = [*reading]
    if compares:
        lines.append(compared_with(book))
        if book.figures_then is not None and book.filters.shown():
            lines.append(
                Line(
                    "Figures of that day are of those whom the filters meant then; what moved, who "
                    "joined and who left is of those whom they mean now."
                )
            )
    if any("at_risk" in name for name in names):
        lines.append(
            Line(
                "At risk is a score under {}, where Watch begins: the bands Critical and At risk.",
                ((SCORE, at_risk_below(book.model)),),
            )
        )
    if "priority" in names:
        lines.append(
            Line(
                "Priority = (100 − score) / 100 × share of all MRR × renewal factor, from 0 to 1. "
                "The factor is the highest when the renewal is near or overdue. Customers without "
                "a score or revenue have no priority."
            )
        )
    return Prose(name=READING, title="How to read this", lines=tuple(lines))


def at_risk_below(model: ScoringModel) -> int:
    """Return the lowest score that is not at risk any more."""
    return dict(model.bands)["watch"]

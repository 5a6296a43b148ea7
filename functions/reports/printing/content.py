"""A document in words: what both printed forms show, before either of them lays it out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from printing import charts
from printing.palette import BANDS, TONES, Palette
from printing.wording import NUMERIC, UNCHANGED, UNKNOWN, Words, clean, phrase
from vitals.domain.reports import document as kinds
from vitals.domain.reports.document import (
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Plain,
    Prose,
    Section,
    Table,
)

_WORDS = frozenset({kinds.TEXT, kinds.NAME, kinds.WORD, kinds.BAND, kinds.SEGMENT})
MOST_ROWS = 500
"""A printed table shows so many of its rows, and says how many more there are."""
LONG, LONGER = 9, 14
"""Figures with more letters than these are written smaller."""


def _subject(document: Document, words: Words) -> str:
    """Return whom the document is about; "" for whose brand it bears already."""
    subject = clean(document.subject)
    return "" if subject == clean(words.look.name) else subject


def worded_document(document: Document, words: Words, colours: Palette) -> dict[str, Any]:
    """Return *document* in words, as JSON values; `sections` are told apart by their `form`."""
    return {
        "title": clean(document.title) or UNKNOWN,
        "subject": _subject(document, words),
        "tenant": clean(words.look.name) or UNKNOWN,
        "as_of": f"{words.instant(document.as_of)} {words.zone_name(document.as_of)}",
        "facts": _facts(document, words),
        "filters": _filters(document, words),
        "headlines": [words.said(line) for line in document.headlines],
        "sections": [
            {"id": f"s{number}", "title": clean(section.title) or UNKNOWN}
            | _section(f"s{number}", section, words, colours)
            for number, section in enumerate(document.sections, 1)
        ],
    }


def figure_change(figure: Figure, words: Words) -> tuple[str, str, str]:
    """Return what became of *figure* since the period's beginning: in words, its arrow, its tone.

    Each is "" where it is unknown; what is shown as unchanged points nowhere.
    """
    value, previous = figure.value, figure.previous
    change = words.change(figure.kind, value, previous)
    if change in ("", UNCHANGED):
        return change, "", ""
    up = value > previous  # type: ignore[operator]  # both are numbers: there is a change
    tone = "good" if up == (figure.better == kinds.UP) else "bad"
    return change, "▲" if up else "▼", tone if figure.better else ""


def _facts(document: Document, words: Words) -> list[list[str]]:
    """Return what the document is about, as (label, value)."""
    facts = [
        ["As of", words.instant(document.as_of)],
        ["Time zone", words.zone_name(document.as_of)],
    ]
    if document.period:
        first, last = document.period
        facts.append(["Period", f"{words.day(first)} – {words.day(last)}"])
    return [*facts, ["Model version", str(document.model_version)]]


def _filters(document: Document, words: Words) -> str:
    """Return what was asked for, part by part; "" where the subject is what was asked for."""
    shown = [
        f"{phrase(name)}: {clean(', '.join(values))}" for name, values in document.filters.items()
    ]
    return "  ·  ".join(shown) or ("" if _subject(document, words) else "None: all customers")


def _section(key: str, section: Section, words: Words, colours: Palette) -> dict[str, Any]:
    if isinstance(section, Figures):
        return {"form": "figures", "figures": [_figure(each, words) for each in section.figures]}
    if isinstance(section, Table):
        return {"form": "table", **_table(section, words)}
    if isinstance(section, Chart):
        picture = charts.drawn(key, section, words, colours)
        return {"form": "chart", "svg": picture, "says": charts.said(section, words)}
    assert isinstance(section, Prose)  # noqa: S101 - there is no other section
    form = "notes" if section.name == kinds.READING else "prose"
    return {"form": form, "lines": [words.said(line) for line in section.lines]}


def _figure(figure: Figure, words: Words) -> dict[str, Any]:
    change, arrow, tone = figure_change(figure, words)
    value = words.figure(figure)
    return {
        "label": clean(figure.label),
        "value": value,
        "length": "longer" if len(value) > LONGER else "long" if len(value) > LONG else "",
        "change": f"{arrow} {change}".strip(),
        "tone": tone,
        "note": clean(figure.note),
    }


def _table(table: Table, words: Words) -> dict[str, Any]:
    rows = table.rows[:MOST_ROWS]
    cells = [_cells(column, values, words) for column, values in _columns(table, rows, words)]
    more = len(table.rows) - len(rows)
    count = words.worded(kinds.COUNT, len(table.rows))
    return {
        "columns": [
            {
                "label": clean(column.label),
                "kind": column.kind,
                "numeric": column.kind in NUMERIC,
                "tabular": column.kind not in _WORDS,
                "beneath": column.beneath,
            }
            for column in table.columns
        ],
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "note": words.said(table.note) if table.note else "",
        "empty": "" if rows else clean(table.empty),
        "more": f"The first {MOST_ROWS} of {count} rows:"
        f" the CSV has the other {words.worded(kinds.COUNT, more)}, too."
        if more
        else "",
    }


def _columns(
    table: Table, rows: Sequence[Sequence[Plain]], words: Words
) -> Iterator[tuple[Column, list[Plain]]]:
    """Yield each column with its values: a change behind two averages is of those shown."""
    kinds_of = [column.kind for column in table.columns]
    for at, column in enumerate(table.columns):
        values = [row[at] for row in rows]
        if kinds_of[max(0, at - 2) : at + 1] == [kinds.AVERAGE, kinds.AVERAGE, kinds.POINTS]:
            values = [_between(row[at - 2], row[at - 1], words) for row in rows]
        yield column, values


def _between(then: Plain, now: Plain, words: Words) -> Plain:
    if not isinstance(then, int | Decimal) or not isinstance(now, int | Decimal):
        return None
    return words.difference(now, then, words.digits(kinds.AVERAGE, ()))


def _cells(column: Column, values: Sequence[Plain], words: Words) -> list[list[str]]:
    """Return (text, tone) of each value of a column."""
    texts = words.column(column.kind, values)
    return [[text, _tone(column.kind, value)] for text, value in zip(texts, values, strict=True)]


def _tone(kind: str, value: Plain) -> str:
    """Return how a cell is coloured: as a band, as good, bad or caution, or not at all."""
    if kind == kinds.BAND and value in BANDS:
        return f"band-{value}"
    if kind == kinds.WORD and isinstance(value, str):
        return TONES.get(value, "")
    if kind == kinds.POINTS and value and not isinstance(value, (str, tuple)):
        return "good" if value > 0 else "bad"  # type: ignore[operator]  # points are numbers
    return ""

"""A report as a typed document: every form of it is made from this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from vitals.domain.instants import iso

Plain = str | int | Decimal | date | datetime | tuple[str, ...] | None
"""A value as it is, before anybody words it; None is shown as nothing known."""

TEXT, NAME, WORD, BAND, SEGMENT = "text", "name", "word", "band", "segment"
"""Free text; a customer's name; a word of ours, like a tier; a band; a tag, a tier or a stage."""
COUNT, MONEY, PERCENT, DAYS = "count", "money", "percent", "days"
"""A whole number; an amount in the tenant's currency; 0 to 100; a whole number of days."""
SCORE, AVERAGE, POINTS, INDEX = "score", "average", "points", "index"
"""0 to 100; a mean of scores; a signed change of either; 0 to 1, finely."""
NUMBER = "number"
"""Any other number, a signal's value, say."""
DAY, MONTH, INSTANT = "day", "month", "instant"
"""A date; the first day of a month; an instant, shown in the report's zone."""
KINDS = (
    TEXT, NAME, WORD, BAND, SEGMENT, COUNT, MONEY, PERCENT, DAYS, SCORE, AVERAGE, POINTS, INDEX,
    NUMBER, DAY, MONTH, INSTANT,
)  # fmt: skip

READING = "reading"
"""The section that says how the others are read."""

UP, DOWN = "up", "down"
"""Which way a figure gets better."""

BARS, STACKED, LINES, WATERFALL, CONTRIBUTIONS = (
    "bars", "stacked", "lines", "waterfall", "contributions",
)  # fmt: skip
"""One value a label; several one upon the other; over time; from a first total to a last one by
the changes between them; signed parts.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence: *text* with a {} for each of *values*, which are (kind, value)."""

    text: str
    values: tuple[tuple[str, Plain], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a kind, and what it was at the period's beginning, if that is known.

    *better* tells which way is good; *note* what it counts.
    """

    name: str
    label: str
    kind: str
    value: Plain
    previous: Plain = None
    better: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The key figures of a document."""

    name: str
    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; *beneath* its row stands, on a narrow page, what explains the row."""

    name: str
    label: str
    kind: str
    beneath: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one value a column; *empty* is what stands there for none, *note* beneath it."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Plain, ...], ...]
    note: Line | None = None
    empty: str = "No customers."


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One value for each label of a chart; *band* colours it as one."""

    name: str
    label: str
    values: tuple[int | Decimal | None, ...]
    band: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture of figures: *labels* of *label_kind*, values of *kind*.

    *says* is what it shows, for who does not see it. *bands* are those of the labels, if they have.
    """

    name: str
    title: str
    chart: str
    labels: tuple[Plain, ...]
    label_kind: str
    kind: str
    series: tuple[Series, ...]
    says: Line
    bands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Sentences under a title."""

    name: str
    title: str
    lines: tuple[Line, ...]


Section = Figures | Table | Chart | Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One report as of an instant: the same inputs always give the same document (PLUS-15).

    *headlines* say what matters in up to five sentences, *period* is the first and the last day,
    *filters* what was asked for by part. *table* names the one that is the report's own as CSV.
    """

    report: str
    title: str
    subject: str
    as_of: datetime
    time_zone: str
    model_version: int
    headlines: tuple[Line, ...]
    sections: tuple[Section, ...]
    table: str
    period: tuple[date, date] | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def tables(self) -> dict[str, Table]:
        """Return the document's tables by name."""
        return {each.name: each for each in self.sections if isinstance(each, Table)}


def document_view(document: Document) -> dict[str, Any]:
    """Return *document* as JSON values: dates in ISO 8601, numbers exact, sentences as `said`."""
    return {
        "report": document.report,
        "title": document.title,
        "subject": document.subject,
        "as_of": iso(document.as_of),
        "time_zone": document.time_zone,
        "period": {
            "from": document.period[0].isoformat(),
            "to": document.period[1].isoformat(),
        }
        if document.period
        else None,
        "filters": {name: list(values) for name, values in document.filters.items()},
        "model_version": document.model_version,
        "headlines": [said(line) for line in document.headlines],
        "sections": [_section_view(section) for section in document.sections],
    }


def said(line: Line) -> str:
    """Return *line* with its values as they stand in JSON.

    A share has its percent sign, a change its sign, and a month no day: without them the sentence
    would say something else.
    """
    return line.text.format(*(_told(kind, value) for kind, value in line.values))


def _told(kind: str, value: Plain) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, int | Decimal):
        # An amount of 40000.00 reads as the number that it is in JSON.
        number = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
        sign = "+" if kind == POINTS and value > 0 else ""
        return f"{sign}{number}{'%' if kind == PERCENT else ''}"
    if kind == MONTH and isinstance(value, date):
        return f"{value:%Y-%m}"
    return str(plain(value))


def plain(value: Plain) -> Any:
    """Return *value* as a JSON value."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _section_view(section: Section) -> dict[str, Any]:
    head = {"section": type(section).__name__.lower(), "name": section.name, "title": section.title}
    if isinstance(section, Figures):
        return head | {"figures": [_figure_view(figure) for figure in section.figures]}
    if isinstance(section, Table):
        return head | _table_view(section)
    if isinstance(section, Chart):
        return head | _chart_view(section)
    return head | {"lines": [said(line) for line in section.lines]}


def _figure_view(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "label": figure.label,
        "kind": figure.kind,
        "value": plain(figure.value),
        "previous": plain(figure.previous),
        "better": figure.better,
        "note": figure.note or None,
    }


def _table_view(table: Table) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    return {
        "columns": [
            {"name": column.name, "label": column.label, "kind": column.kind}
            for column in table.columns
        ],
        "rows": [dict(zip(names, map(plain, row), strict=True)) for row in table.rows],
        "note": said(table.note) if table.note else None,
    }


def _chart_view(chart: Chart) -> dict[str, Any]:
    return {
        "chart": chart.chart,
        "kind": chart.kind,
        "labels": [plain(label) for label in chart.labels],
        "series": [
            {"name": each.name, "label": each.label, "values": list(each.values)}
            for each in chart.series
        ],
        "says": said(chart.says),
    }

"""Bars that start at 0: rows of one or more parts, and columns over time."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from printing import measure
from printing.drawing import ROOM, Drawing
from printing.palette import LINE, MUTED, text_on
from printing.svg import LEADING, SIZE, SMALL, WIDTH
from vitals.domain.reports import document as kinds

_BAR = 20
_ROW = 30
_PLOT = 190
_WIDEST_COLUMN = 64
_APART = 4


def draw_rows(drawing: Drawing) -> None:
    """Draw a row a label, its parts one after the other, each with its value."""
    canvas, several = drawing.canvas, len(drawing.chart.series) > 1
    y = drawing.legend() if several else 2.0
    labels, left = drawing.wrapped()
    totals = _totals(drawing)
    ends = _sums(drawing) if several else drawing.worded(drawing.chart.series[0])
    right = max((measure.bold(end, SIZE) for end in ends), default=0) + ROOM
    scale = (WIDTH - left - right) / max(totals, default=1)
    top = y
    for number, label in enumerate(labels):
        high = max(_ROW, LEADING * len(label) + 8)
        middle = y + high / 2
        canvas.block(label, left - ROOM, middle, anchor="end")
        end = _row(drawing, number, left, middle, scale)
        canvas.text(ends[number], end + 6, middle + SIZE * 0.36, bold=True)
        y += high
    canvas.rule(left, top, left, y)
    canvas.height = y + 2


def _row(drawing: Drawing, number: int, left: float, middle: float, scale: float) -> float:
    canvas, series = drawing.canvas, drawing.chart.series
    x = left
    for part, each in enumerate(series):
        wide = drawing.values(each)[number] * scale
        if not wide:
            continue
        only = len(series) == 1
        fill, hatch = drawing.style_of_label(number) if only else drawing.style(part)
        canvas.bar(x, middle - _BAR / 2, wide, _BAR, fill=fill, hatch=hatch)
        if not only:
            _inside(drawing, drawing.worded(each)[number], x, wide, (middle, fill))
        x += wide
    return x


def _inside(drawing: Drawing, shown: str, x: float, wide: float, place: tuple[float, str]) -> None:
    """Write a part's value in it, if there is room; *place* is its middle and its colour."""
    middle, fill = place
    room = measure.width(shown, SMALL) + 4
    if room + 2 > wide:
        return
    centre = x + wide / 2
    # The hatching stops around the text, which is then as easy to read as on plain colour.
    drawing.canvas.add(
        "rect", x=centre - room / 2, y=middle - 7, width=room, height=14, fill=fill, rx=2
    )
    drawing.canvas.text(
        shown, centre, middle + SMALL * 0.36, anchor="middle", size=SMALL, fill=text_on(fill)
    )


def draw_columns(drawing: Drawing) -> None:
    """Draw a column a label, over time, its parts one upon the other."""
    canvas, series = drawing.canvas, drawing.chart.series
    several = len(series) > 1
    top = (drawing.legend() if several else 0) + LEADING + 4
    totals = _totals(drawing)
    scale = _PLOT / max(totals)
    slot = WIDTH / max(1, len(drawing.chart.labels))
    wide = min(_WIDEST_COLUMN, slot * 0.68)
    bottom = top + _PLOT
    shown = _sums(drawing)
    step = 1 + int((max(measure.bold(text, SMALL) for text in shown) + 2) / slot)
    labels = _dates(drawing, slot)
    for number, label in enumerate(labels):
        middle = slot * (number + 0.5)
        y = bottom
        for part, each in enumerate(series):
            high = drawing.values(each)[number] * scale
            fill, hatch = drawing.style(part) if several else drawing.style_of_label(number)
            if high:
                canvas.bar(middle - wide / 2, y - high, wide, high, fill=fill, hatch=hatch)
            y -= high
        if number % step == 0:
            canvas.text(shown[number], middle, y - 6, anchor="middle", size=SMALL, bold=True)
        if label:
            half = measure.width(label, SMALL) / 2
            x = min(max(middle, half), WIDTH - half)
            canvas.text(label, x, bottom + 17, anchor="middle", size=SMALL, fill=MUTED)
    canvas.rule(0, bottom, WIDTH, bottom, stroke=LINE)
    canvas.height = bottom + 26


def _dates(drawing: Drawing, slot: float) -> list[str]:
    """Return the labels, as many as fit columns of a *slot*, "" for the others."""
    count = len(drawing.chart.labels)
    found: list[str] = []
    for step in range(1, count + 1):
        found = _every(drawing, step)
        widths = [measure.width(each, SMALL) + _APART for each in found]
        if all((one + other) / 2 <= slot * step for one, other in pairwise(widths)):
            break
    return [found[at // step] if at % step == 0 else "" for at in range(count)]


def _every(drawing: Drawing, step: int) -> list[str]:
    """Return each *step*th label in words; of months only the first of a year has the year."""
    chart, words = drawing.chart, drawing.words
    found, before = [], None
    for label in chart.labels[::step]:
        if chart.label_kind == kinds.MONTH and isinstance(label, date):
            found.append(words.month(label, year=label.year != before))
            before = label.year
        else:
            found.append(words.worded(chart.label_kind, label))
    return found


def _totals(drawing: Drawing) -> list[float]:
    rows = zip(*map(drawing.values, drawing.chart.series), strict=True)
    return [sum(row) for row in rows]


def _sums(drawing: Drawing) -> list[str]:
    rows = zip(*(series.values for series in drawing.chart.series), strict=True)
    exact = [sum(value for value in row if value is not None) for row in rows]
    return drawing.column(exact)

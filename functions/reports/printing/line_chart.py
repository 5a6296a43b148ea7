"""Lines over time, each told from the others by its dashes, its mark and its name at its end."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from printing import measure
from printing.drawing import exact, spread, ticks
from printing.palette import INK, LINE, MUTED, PAPER
from printing.svg import LEADING, SIZE, SMALL, WIDTH
from vitals.domain.reports import document as kinds

if TYPE_CHECKING:
    from printing.drawing import Drawing

_PLOT = 200
_TOP = 12
_NAMES = 170
_FEW = 16
_DASHES = (None, "7 4", "2 3", "10 3 2 3", "1 2")
_GAP = 12

Place = tuple[float, float]


def draw(drawing: Drawing) -> None:
    """Draw each series; where a value is unknown, its line is broken."""
    canvas, chart = drawing.canvas, drawing.chart
    known = [float(each) for series in chart.series for each in series.values if each is not None]
    # Half a score is none: its marks would be said twice.
    least = 1 if chart.kind in (kinds.SCORE, kinds.COUNT) else 0
    marks = ticks(min(known), max(known), 4, least)
    names = [drawing.words.column(chart.kind, [exact(mark)])[0] for mark in marks]
    left = max(measure.width(name, SMALL) for name in names) + _GAP
    ends = [_name(drawing, number) for number in range(len(chart.series))]
    right = max(measure.bold(line, SIZE) for end in ends for line in end) + _GAP
    xs = _across(drawing, left, WIDTH - right - _GAP)
    scale = _PLOT / (marks[-1] - marks[0])

    def down(value: float) -> float:
        return _TOP + _PLOT - (value - marks[0]) * scale

    for mark, name in zip(marks, names, strict=True):
        canvas.rule(left, down(mark), WIDTH - right, down(mark), stroke=LINE)
        canvas.text(name, left - 8, down(mark) + 4, anchor="end", size=SMALL, fill=MUTED)
    _dates(drawing, xs, left)
    last: list[Place] = []
    for number, series in enumerate(chart.series):
        places = [
            None if value is None else (x, down(float(value)))
            for x, value in zip(xs, series.values, strict=True)
        ]
        _line(drawing, number, places)
        last.append(next((place for place in reversed(places) if place), (xs[-1], _TOP + _PLOT)))
    _names(drawing, ends, last, WIDTH - right)
    canvas.height = _TOP + _PLOT + 28


def _name(drawing: Drawing, number: int) -> list[str]:
    """Return what stands at the end of a line: its name, and its last value."""
    series = drawing.chart.series[number]
    known = [value for value in series.values if value is not None]
    value = drawing.words.worded(drawing.chart.kind, known[-1] if known else None)
    return measure.lines(f"{series.label} {value}", SIZE, _NAMES)


def _across(drawing: Drawing, left: float, right: float) -> list[float]:
    """Return where each label stands: by its date, if all are dates, else evenly."""
    labels = drawing.chart.labels
    days: list[float] = []
    for label in labels:
        if isinstance(label, datetime):
            days.append(label.timestamp() / 86400)
        elif isinstance(label, date):
            days.append(label.toordinal())
    if len(days) != len(labels):
        days = list(range(len(labels)))
    first, extent = days[0], (max(days) - days[0]) or 1
    return [left + (day - first) / extent * (right - left) for day in days]


def _dates(drawing: Drawing, xs: list[float], left: float) -> None:
    """Write the first label, the last, and as many between them as fit."""
    labels = drawing.labels
    wide = max(measure.width(label, SMALL) for label in labels) + 16
    count = max(1, min(len(labels) - 1, int((xs[-1] - left) / wide)))
    wanted = [left + number * (xs[-1] - left) / count for number in range(count + 1)]
    shown = {min(range(len(xs)), key=lambda at: abs(xs[at] - x)) for x in wanted}
    bottom, end = _TOP + _PLOT, 0.0
    for number in sorted(shown):
        x = xs[number]
        place = min(max(x, wide / 2 - 8), WIDTH - wide / 2)
        if place - wide / 2 + 8 < end:
            continue
        end = place + wide / 2 - 8
        drawing.canvas.rule(x, bottom, x, bottom + 4, stroke=MUTED)
        drawing.canvas.text(
            labels[number], place, bottom + 18, anchor="middle", size=SMALL, fill=MUTED
        )


def _colour(drawing: Drawing, number: int) -> str:
    return (drawing.palette.strong, INK, MUTED)[number % 3]


def _line(drawing: Drawing, number: int, places: list[Place | None]) -> None:
    canvas, colour = drawing.canvas, _colour(drawing, number)
    path, before = [], None
    for place in places:
        if place:
            path.append(f"{'L' if before else 'M'}{place[0]:.2f} {place[1]:.2f}")
        before = place
    dashes = _DASHES[number % len(_DASHES)]
    canvas.add(
        "path", d="".join(path), fill="none", stroke=colour, stroke_width=2.2,
        stroke_linejoin="round", stroke_dasharray=dashes,
    )  # fmt: skip
    known = [place for place in places if place]
    alone = [now for before, now in pairwise([None, *places]) if now and not before]
    marked = known if len(known) <= _FEW else [*alone, *known[-1:]]
    for x, y in marked:
        _mark(drawing, number, x, y, colour)


def _mark(drawing: Drawing, number: int, x: float, y: float, colour: str) -> None:
    canvas = drawing.canvas
    shape: dict[str, str | float | None] = {"stroke": PAPER, "stroke_width": 1.2, "fill": colour}
    if number % 3 == 0:
        canvas.add("circle", cx=x, cy=y, r=4, **shape)
    elif number % 3 == 1:
        canvas.add("rect", x=x - 3.6, y=y - 3.6, width=7.2, height=7.2, **shape)
    else:
        canvas.add("path", d=f"M{x:.2f} {y - 5:.2f}l5 8.6h-10z", **shape)


def _names(drawing: Drawing, ends: list[list[str]], last: list[Place], x: float) -> None:
    """Write each name beside its line's end, none upon another."""
    gap = LEADING * max(map(len, ends)) + 2
    places = spread([y for _, y in last], gap, _TOP, _TOP + _PLOT)
    for number, (end, y) in enumerate(zip(ends, places, strict=True)):
        for row, text in enumerate(end):
            drawing.canvas.text(
                text, x + 4, y + 4 + row * LEADING, fill=_colour(drawing, number), bold=True
            )

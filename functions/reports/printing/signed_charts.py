"""Bars to either side: parts with a sign, and what led from a first total to a last one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from printing import measure
from printing.drawing import ROOM, exact, ticks
from printing.palette import BAD, BANDS, LINE, MUTED
from printing.svg import LEADING, SIZE, SMALL, WIDTH
from vitals.domain.reports import document as kinds

if TYPE_CHECKING:
    from printing.drawing import Drawing
    from printing.wording import Words
    from vitals.domain.reports.document import Chart

_BAR = 18
_ROW = 28
_GAIN, _LOSS = BANDS["healthy"], BAD
_LOSS_HATCH = "rising"
_SMALL_CHANGE = 0.5
_TOTALS = 2


def draw_contributions(drawing: Drawing) -> None:
    """Draw each part from a common 0: gains to the right, losses hatched to the left."""
    canvas, series = drawing.canvas, drawing.chart.series[0]
    values = drawing.values(series)
    shown = drawing.worded(series)
    labels, left = drawing.wrapped()
    aside = max(measure.bold(each, SIZE) for each in shown) + 8
    low, high = min(0.0, *values), max(0.0, *values)
    room = WIDTH - left - aside - (aside if low < 0 else 0)
    scale = room / (high - low)
    zero = left + (aside if low < 0 else 0) - low * scale
    y = 2.0
    for label, value, text in zip(labels, values, shown, strict=True):
        tall = max(_ROW, LEADING * len(label) + 8)
        middle = y + tall / 2
        canvas.block(label, left - ROOM, middle, anchor="end")
        start, wide = min(zero, zero + value * scale), abs(value) * scale
        if value:
            _bar(drawing, start, wide, middle, loss=value < 0)
        edge, anchor = (start - 6, "end") if value < 0 else (start + wide + 6, "start")
        canvas.text(text, edge, middle + SIZE * 0.36, anchor=anchor, bold=True)
        y += tall
    canvas.rule(zero, 0, zero, y)
    canvas.height = y + 2


def draw_waterfall(drawing: Drawing) -> None:
    """Draw the first and the last total, and each change from where the one before it ended.

    Changes that are small beside the totals are drawn larger: the axis starts above 0 then, and
    says so.
    """
    canvas, series = drawing.canvas, drawing.chart.series[0]
    values = drawing.values(series)
    spans = _spans(values)
    base = _base(spans)
    labels, left = drawing.wrapped()
    shown = _signed(drawing.chart, drawing.words)
    right = max(measure.bold(each, SIZE) for each in shown) + ROOM
    highest = max(max(span) for span in spans)
    scale = (WIDTH - left - right) / ((highest - base) or 1)
    y = 2.0
    last = len(spans) - 1
    for number, (start, end) in enumerate(spans):
        tall = max(_ROW, LEADING * len(labels[number]) + 8)
        middle = y + tall / 2
        canvas.block(labels[number], left - ROOM, middle, anchor="end")
        low, high = sorted((max(start, base), max(end, base)))
        x, wide = left + (low - base) * scale, (high - low) * scale
        if number in (0, last):
            canvas.bar(left, middle - _BAR / 2, wide, _BAR, fill=drawing.palette.strong)
        else:
            _bar(drawing, x, max(wide, 1), middle, loss=end < start)
        canvas.text(shown[number], x + max(wide, 1) + 6, middle + SIZE * 0.36, bold=True)
        if number < last:
            at = left + (end - base) * scale
            canvas.rule(at, middle + _BAR / 2, at, y + tall + 5, stroke=LINE)
        y += tall
    canvas.rule(left, 0, left, y)
    if base:
        start_at = drawing.words.worded(drawing.chart.kind, exact(base))
        canvas.text(f"The axis starts at {start_at}.", left, y + 16, size=SMALL, fill=MUTED)
        y += 20
    canvas.height = y + 2


def _bar(drawing: Drawing, x: float, wide: float, middle: float, *, loss: bool) -> None:
    fill, hatch = (_LOSS, _LOSS_HATCH) if loss else (_GAIN, "")
    drawing.canvas.bar(x, middle - _BAR / 2, wide, _BAR, fill=fill, hatch=hatch)


def _spans(values: list[float]) -> list[tuple[float, float]]:
    """Return from where to where each bar goes; the totals go from 0."""
    spans = [(0.0, values[0])]
    for value in values[1:-1]:
        at = spans[-1][1]
        spans.append((at, at + value))
    return [*spans, (0.0, values[-1])] if len(values) > 1 else spans


def _base(spans: list[tuple[float, float]]) -> float:
    reached = [end for _, end in spans]
    low, high = min(reached), max(reached)
    if low <= 0 or high - low > _SMALL_CHANGE * high:
        return 0
    return max(0, ticks(low - (high - low), high, 4)[0])


def said(chart: Chart, words: Words) -> str:
    """Return what a waterfall shows in words: its changes with the digits that are drawn."""
    changes, shown = chart.series[0].values[1:-1], _signed(chart, words)[1:-1]
    line = chart.says
    told = [value for kind, value in line.values if kind == kinds.POINTS]
    if chart.kind == kinds.POINTS or told != list(changes):
        return words.said(line)
    drawn = iter(shown)
    values = tuple(
        (kinds.TEXT, next(drawn)) if kind == kinds.POINTS else (kind, value)
        for kind, value in line.values
    )
    return words.said(replace(line, values=values))


def _signed(chart: Chart, words: Words) -> list[str]:
    """Return the values in words: the totals as they are, the changes with their sign.

    What is shown adds up.
    """
    values = [value or 0 for value in chart.series[0].values]
    digits = words.digits(chart.kind, values)
    if len(values) < _TOTALS:
        return words.column(chart.kind, values)
    first, *changes, last = words.parts(values, digits)
    return [
        words.worded(chart.kind, first, digits),
        *(words.signed(chart.kind, change, digits) for change in changes),
        words.worded(chart.kind, last, digits),
    ]

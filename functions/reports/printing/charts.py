"""Charts in SVG: which picture shows which."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from printing import bar_charts, line_chart, signed_charts
from printing.drawing import Drawing
from printing.palette import Palette
from printing.svg import Canvas
from printing.wording import UNKNOWN, clean
from vitals.domain.reports import document as kinds

if TYPE_CHECKING:
    from printing.wording import Words
    from vitals.domain.reports.document import Chart


def drawn(key: str, chart: Chart, words: Words, colours: Palette) -> str:
    """Return *chart* as an SVG picture whose ids begin with *key*; "" where nothing is known."""
    values = [value for series in chart.series for value in series.values]
    if not any(value is not None if chart.chart == kinds.LINES else value for value in values):
        return ""
    chart = _clean(chart)
    canvas = Canvas(key, chart.title, said(chart, words))
    drawing = Drawing(canvas, chart, words, colours)
    dated = chart.label_kind in (kinds.MONTH, kinds.DAY)
    signed = any(value and value < 0 for value in values)
    if chart.chart == kinds.LINES:
        line_chart.draw(drawing)
    elif chart.chart == kinds.WATERFALL:
        signed_charts.draw_waterfall(drawing)
    elif chart.chart == kinds.CONTRIBUTIONS or signed:
        signed_charts.draw_contributions(drawing)
    elif dated:
        bar_charts.draw_columns(drawing)
    else:
        bar_charts.draw_rows(drawing)
    return canvas.drawn()


def said(chart: Chart, words: Words) -> str:
    """Return what *chart* shows in words, with the very figures that are drawn."""
    if chart.chart == kinds.WATERFALL:
        return signed_charts.said(chart, words)
    return words.said(chart.says)


def _clean(chart: Chart) -> Chart:
    """Return *chart* with names that a picture can hold."""
    series = tuple(replace(each, label=clean(each.label)) for each in chart.series)
    return replace(chart, title=clean(chart.title) or UNKNOWN, series=series)

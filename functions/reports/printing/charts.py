"""Charts in SVG: which picture shows which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from printing import bar_charts, line_chart, signed_charts
from printing.drawing import ROOM, Drawing
from printing.palette import MUTED, Palette
from printing.svg import SIZE, Canvas
from vitals.domain.reports import document as kinds

if TYPE_CHECKING:
    from printing.wording import Words
    from vitals.domain.reports.document import Chart


def drawn(key: str, chart: Chart, words: Words, colours: Palette) -> str:
    """Return *chart* as an SVG picture whose ids begin with *key*."""
    canvas = Canvas(key, chart.title, words.said(chart.says))
    drawing = Drawing(canvas, chart, words, colours)
    known = any(value for series in chart.series for value in series.values)
    dated = chart.label_kind in (kinds.MONTH, kinds.DAY)
    signed = any(value and value < 0 for series in chart.series for value in series.values)
    if not known and chart.chart != kinds.LINES:
        canvas.text("Nothing to show yet.", 0, SIZE + 4, fill=MUTED)
        canvas.height = SIZE + ROOM
    elif chart.chart == kinds.LINES:
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

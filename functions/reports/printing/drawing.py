"""A chart on its canvas: what all charts share."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import floor, log10
from typing import TYPE_CHECKING

from printing import measure
from printing.palette import BANDS, Palette
from printing.svg import LEADING, SIZE, WIDTH, Canvas
from vitals.domain.reports import document as kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from printing.wording import Words
    from vitals.domain.reports.document import Chart, Plain, Series

LABELS = 190
"""The most room for labels at the left."""
ROOM = 14
_HATCHES = {"at_risk": "rising", "watch": "dots", "unscored": "falling"}
_MORE_HATCHES = ("", "rising", "", "dots", "falling")
_LEGEND_GAP = 22
_SWATCH = 12
_LEAST_EXTENT = 1e-6
_LARGE = 1000


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart on its canvas."""

    canvas: Canvas
    chart: Chart
    words: Words
    palette: Palette

    @property
    def labels(self) -> list[str]:
        """The labels in words."""
        return [self.words.worded(self.chart.label_kind, each) for each in self.chart.labels]

    def values(self, series: Series) -> list[float]:
        """Return the values of *series* for drawing, 0 for none known."""
        return [float(value or 0) for value in series.values]

    def worded(self, series: Series) -> list[str]:
        """Return the values of *series* in words."""
        return self.column(series.values)

    def column(self, values: Sequence[Plain]) -> list[str]:
        """Return values in words; of large amounts, what comes after the point is in no picture."""
        kind, words = self.chart.kind, self.words
        numbers = [Decimal(each) for each in values if isinstance(each, int | Decimal)]
        largest = max(map(abs, numbers), default=Decimal(0))
        if kind == kinds.MONEY and largest >= _LARGE:
            return [words.worded(kind, each, 0) for each in values]
        return words.column(kind, values)

    def style(self, number: int) -> tuple[str, str]:
        """Return colour and hatching of a series."""
        band = self.chart.series[number].band
        if band in BANDS:
            return BANDS[band], _HATCHES.get(band, "")
        tints = self.palette.tints
        return tints[number % len(tints)], _MORE_HATCHES[number % len(_MORE_HATCHES)]

    def style_of_label(self, number: int) -> tuple[str, str]:
        """Return colour and hatching of a label's only bar: that of its band, if it has one."""
        bands = self.chart.bands
        band = bands[number] if number < len(bands) else None
        return (BANDS[band], _HATCHES.get(band, "")) if band in BANDS else self.style(0)

    def wrapped(self) -> tuple[list[list[str]], float]:
        """Return the labels in lines for the left of rows, and the room that they take."""
        found = [measure.lines(label, SIZE, LABELS) for label in self.labels]
        widest = max((measure.bold(line, SIZE) for label in found for line in label), default=0)
        return found, min(widest, LABELS) + ROOM

    def legend(self) -> float:
        """Name the series at the top; return where the rest begins."""
        x, y = 0.0, SIZE
        for number, series in enumerate(self.chart.series):
            fill, hatch = self.style(number)
            wide = _SWATCH + 6 + measure.width(series.label, SIZE)
            if x and x + wide > WIDTH:
                x, y = 0.0, y + LEADING + 3
            self.canvas.bar(x, y - _SWATCH + 2, _SWATCH, _SWATCH, fill=fill, hatch=hatch)
            self.canvas.text(series.label, x + _SWATCH + 6, y)
            x += wide + _LEGEND_GAP
        return y + ROOM


def ticks(low: float, high: float, count: int, least: float = 0) -> list[float]:
    """Return about *count* round numbers, the first at most *low*, the last at least *high*.

    They are *least* apart, or more.
    """
    extent = max(high - low or abs(high) or 1, abs(high) * _LEAST_EXTENT, _LEAST_EXTENT)
    step = max(_step(extent / count), least)
    first = floor(low / step)
    found = [first * step]
    while found[-1] < high - step * 1e-9:
        found.append((first + len(found)) * step)
    return found if len(found) > 1 else [found[0], found[0] + step]


def _step(rough: float) -> float:
    base = 10.0 ** floor(log10(rough))
    return next(factor * base for factor in (1, 2, 5, 10) if factor * base >= rough * 0.999)


def exact(mark: float) -> Decimal:
    """Return a round number as what it is meant to be."""
    return Decimal(f"{mark:.10g}")


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places near the *wanted* ones that are *gap* apart, from *low* to *high*."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places = list(wanted)
    at = low
    for each in order:
        places[each] = at = max(wanted[each], at)
        at += gap
    at = high
    for each in reversed(order):
        places[each] = at = min(places[each], at)
        at -= gap
    return places

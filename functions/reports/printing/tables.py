"""How wide a table's columns are on paper, how large its letters, which way the page is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from printing import measure
from vitals.domain.reports import document as kinds

PAPERS = {"a4": (595.0, 842.0), "letter": (612.0, 792.0)}
"""Width and height, in points."""
MARGIN = 45.0
PADDING = 9.0
"""The room beside a cell's text, in points, on both sides together."""
_SIZES = (8.5, 7.5)
_SIZES_TURNED = (8.5, 7.5, 6.5)
_HEADING = 1.06
_LEAST_TEXT = 12
"""Text gets at least the room of so many letters' height, if it needs that."""
_SPARE = 26.0
_WRAPPING = frozenset({kinds.TEXT, kinds.NAME, kinds.SEGMENT})
_CHIP = 8.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths in points, letters of *size* points, on a page that is *turned* or not."""

    widths: tuple[float, ...]
    size: float
    turned: bool


def laid_out(table: dict[str, Any], paper: str, most: float = _SIZES[0]) -> Layout:
    """Return the layout of *table*: upright and large if it fits, else smaller, else turned.

    Its letters have *most* points at the most.
    """
    wide, high = PAPERS[paper]
    upright = [(size, False, wide - 2 * MARGIN) for size in _SIZES]
    turned = [(size, True, high - 2 * MARGIN) for size in _SIZES_TURNED]
    for size, turn, room in (*upright, *turned):
        if size > most:
            continue
        least, wanted = _needs(table, size)
        if sum(least) <= room:
            return Layout(_shared(table, least, wanted, room), size, turn)
    return Layout(tuple(each * room / sum(least) for each in least), size, turn)


def _needs(table: dict[str, Any], size: float) -> tuple[list[float], list[float]]:
    """Return the least room of each column, and how much it could use."""
    least, wanted = [], []
    for at, column in enumerate(table["columns"]):
        texts = [row[at][0] for row in table["rows"]]
        widest = max((measure.width(text, size) for text in texts), default=0)
        heading = measure.longest_word(column["label"], size * _HEADING)
        chip = _CHIP if column["kind"] in (kinds.BAND, kinds.WORD) else 0
        if column["kind"] in _WRAPPING:
            least.append(max(heading, min(widest, size * _LEAST_TEXT)) + PADDING)
        else:
            least.append(max(heading, widest + chip) + PADDING)
        whole = measure.width(column["label"], size * _HEADING)
        wanted.append(max(whole, widest + chip) + PADDING)
    return least, wanted


def _shared(
    table: dict[str, Any], least: list[float], wanted: list[float], room: float
) -> tuple[float, ...]:
    """Return the widths: what is left goes to text that needs it, then to all text, or to all."""
    left = room - sum(least)
    missing = [more - less for less, more in zip(least, wanted, strict=True)]
    part = min(1.0, left / sum(missing)) if sum(missing) > 0 else 0.0
    widths = [less + part * more for less, more in zip(least, missing, strict=True)]
    left = room - sum(widths)
    texts = [at for at, column in enumerate(table["columns"]) if column["kind"] in _WRAPPING]
    for at in texts or range(len(widths)):
        share = left / len(texts or widths)
        widths[at] += share if texts else min(share, _SPARE)
    return tuple(round(each, 2) for each in widths)

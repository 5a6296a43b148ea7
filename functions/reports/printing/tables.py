"""How a document's tables are laid out: columns, letters, what stands beneath a row, the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from printing import measure
from printing.wording import UNKNOWN
from vitals.domain.reports import document as kinds

PAPERS = {"a4": (595.0, 842.0), "letter": (612.0, 792.0)}
"""Width and height, in points."""
MARGIN = 45.0
PADDING = 9.0
"""The room beside a cell's text, in points, on both sides together."""
_SIZES = (8.5, 7.5)
_SIZES_TURNED = (*_SIZES, 6.5)
_HEADING = 1.06
_LEAST_TEXT = 12
"""Text gets at least the room of so many letters' height, if it needs that."""
_FIRST_TEXT = 18
"""The first column, beside a line beneath the row, needs no more than so many."""
_SPARE = 26.0
_WRAPPING = frozenset({kinds.TEXT, kinds.NAME, kinds.SEGMENT})
_CHIP = 8.0


@dataclass(frozen=True, slots=True)
class Layout:
    """How all tables of a document are laid out, so that they look like one another.

    Letters have *size* points; *widths* are those of each table's columns in points, without the
    columns that stand *beneath* their row where the page is too narrow; *turned* are all pages.
    """

    size: float
    turned: bool
    beneath: bool
    widths: tuple[tuple[float, ...], ...]


def laid_out(tables: Sequence[dict[str, Any]], paper: str) -> Layout:
    """Return the layout of *tables*: large letters before whole rows, both before turned pages."""
    wide, high = PAPERS[paper]
    ways = [
        *((size, False, beneath) for size in _SIZES for beneath in (False, True)),
        *((size, True, beneath) for size in _SIZES_TURNED for beneath in (False, True)),
    ]
    for size, turned, beneath in ways:
        room = (high if turned else wide) - 2 * MARGIN
        needs = [_needs(table, size, beneath=beneath) for table in tables]
        if all(_least(need) <= room for need in needs):
            break
    return Layout(size, turned, beneath, tuple(_shared(need, room) for need in needs))


def lay_out(content: dict[str, Any], paper: str) -> Layout:
    """Give the tables of *content* their widths, and each row its cells and what is beneath it.

    A table of nothing is a sentence, and needs no room.
    """
    tables = [each for each in content["sections"] if each["form"] == "table" and each["rows"]]
    layout = laid_out(tables, paper)
    for table, widths in zip(tables, layout.widths, strict=True):
        columns = table["columns"]
        under = [layout.beneath and column["beneath"] for column in columns]
        table["widths"] = widths
        table["rows"] = [
            {
                "cells": [cell for cell, below in zip(row, under, strict=True) if not below],
                "beneath": _beneath(compress(zip(columns, row, strict=True), under)),
            }
            for row in table["rows"]
        ]
        table["columns"] = [each for each, below in zip(columns, under, strict=True) if not below]
    return layout


def _beneath(cells: Iterable[tuple[dict[str, Any], list[str]]]) -> list[dict[str, Any]]:
    """Return *cells* with their labels, without those of nothing; a word has its number beside."""
    notes: list[dict[str, Any]] = []
    worded = False
    for column, cell in cells:
        if cell[0] == UNKNOWN:
            continue
        if worded and column["numeric"]:
            notes[-1]["cells"].append(cell)
        else:
            notes.append({"label": column["label"], "cells": [cell]})
        worded = column["kind"] == kinds.WORD
    return notes


@dataclass(frozen=True, slots=True)
class _Need:
    """What a column needs, in points: at the *least*, and how much it could use."""

    least: float
    wanted: float


def _needs(table: dict[str, Any], size: float, *, beneath: bool) -> list[_Need]:
    under = beneath and any(column["beneath"] for column in table["columns"])
    needs: list[_Need] = []
    for at, column in enumerate(table["columns"]):
        if beneath and column["beneath"]:
            continue
        texts = [row[at][0] for row in table["rows"]]
        widest = max((measure.width(text, size) for text in texts), default=0)
        heading = measure.longest_word(column["label"], size * _HEADING)
        chip = _CHIP if column["kind"] in (kinds.BAND, kinds.WORD) else 0
        wraps = column["kind"] in _WRAPPING
        least = max(heading, min(widest, size * _LEAST_TEXT) if wraps else widest + chip)
        whole = max(measure.width(column["label"], size * _HEADING), widest + chip)
        if under and not needs and wraps:
            # It has the height of two lines, and what stands beneath has the room beside it.
            whole = max(least, min(whole, size * _FIRST_TEXT))
        needs.append(_Need(least + PADDING, whole + PADDING))
    return needs


def _least(needs: Sequence[_Need]) -> float:
    return sum(need.least for need in needs)


def _shared(needs: Sequence[_Need], room: float) -> tuple[float, ...]:
    """Return the widths: what is left goes to columns that could use it, then some to each.

    Columns that need more than there is are made narrower, all by the same part.
    """
    left = room - _least(needs)
    if left < 0:
        return tuple(need.least * room / _least(needs) for need in needs)
    missing = sum(need.wanted - need.least for need in needs)
    part = min(1.0, left / missing) if missing > 0 else 0.0
    widths = [need.least + part * (need.wanted - need.least) for need in needs]
    share = (room - sum(widths)) / len(widths)
    return tuple(round(width + min(share, _SPARE), 2) for width in widths)

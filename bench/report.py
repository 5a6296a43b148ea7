"""Lines of figures, and the table that holds them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_HEAD = ("Line", "Measured", "Floor", "Ratio", "Target", "Calls", "Read units", "Write units")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measurement beside its floor and its target; what does not apply is empty."""

    what: str
    measured: str
    floor: str = ""
    ratio: float | None = None
    target: str = ""
    calls: str = ""
    reads: str = ""
    writes: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the line's cells."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (
            self.what, self.measured, self.floor, ratio, self.target, self.calls,
            self.reads, self.writes,
        )  # fmt: skip


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return *rows* under *head* as a Markdown table whose columns are aligned in the source."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (head, *rows)
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def table_of(lines: Sequence[Line]) -> str:
    """Return *lines* as a table."""
    return markdown(_HEAD, [line.cells for line in lines])

"""A picture in SVG: the few shapes that charts are made of, with nothing random in them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from printing.palette import INK, MUTED, mixed

WIDTH = 720
SIZE = 12
SMALL = 11
LEADING = 15


class Canvas:
    """A picture WIDTH wide, in the order in which its shapes are added.

    *key* makes the ids its own in a page with other pictures; *says* is what it shows.
    """

    def __init__(self, key: str, title: str, says: str) -> None:
        self.key = key
        self.title = title
        self.says = says
        self.height = 0.0
        self._shapes: list[str] = []
        self._patterns: dict[tuple[str, str], str] = {}

    def add(self, name: str, **values: str | float | None) -> None:
        """Add an empty element; an attribute's _ stands for -, and None leaves it out."""
        self._shapes.append(f"<{name}{_attributes(values)}/>")

    def text(
        self,
        text: str,
        x: float,
        y: float,
        *,
        anchor: str = "start",
        size: float = SIZE,
        fill: str = INK,
        bold: bool = False,
    ) -> None:
        """Add *text* with its baseline at y."""
        given: dict[str, str | float | None] = {
            "x": x,
            "y": y,
            "font_size": size,
            "fill": fill,
            "text_anchor": None if anchor == "start" else anchor,
            "font_weight": 600 if bold else None,
        }
        self._shapes.append(f"<text{_attributes(given)}>{escape(text)}</text>")

    def block(self, parts: Sequence[str], x: float, middle: float, *, anchor: str) -> None:
        """Add lines of text around *middle*."""
        top = middle - LEADING * (len(parts) - 1) / 2 + SIZE * 0.36
        for number, part in enumerate(parts):
            self.text(part, x, top + number * LEADING, anchor=anchor)

    def bar(
        self, x: float, y: float, wide: float, high: float, *, fill: str, hatch: str = ""
    ) -> None:
        """Add a bar, outlined so that the palest has an edge, and *hatch*ed, if it is.

        *hatch* is rising, falling or dots.
        """
        edge = mixed(fill, INK, 35)
        shape = {"x": x, "y": y, "width": wide, "height": high}
        self.add("rect", **shape, fill=fill, stroke=edge, stroke_width=0.75)
        if hatch:
            self.add("rect", **shape, fill=f"url(#{self._pattern(hatch, edge)})")

    def rule(self, x1: float, y1: float, x2: float, y2: float, **more: str | float | None) -> None:
        """Add a line."""
        given: dict[str, str | float | None] = {"stroke": MUTED, "stroke_width": 1, **more}
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, **given)

    def drawn(self) -> str:
        """Return the picture, *height* high, with its title and what it says as its alternative."""
        ids = f"{self.key}-title {self.key}-says"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_short(self.height)}"'
            f' width="{WIDTH}" height="{_short(self.height)}" role="img"'
            f' aria-labelledby={quoteattr(ids)} font-family="Inter, sans-serif">'
            f'<title id="{self.key}-title">{escape(self.title)}</title>'
            f'<desc id="{self.key}-says">{escape(self.says)}</desc>'
            f"{self._defined()}{''.join(self._shapes)}</svg>"
        )

    def _pattern(self, hatch: str, colour: str) -> str:
        known = self._patterns
        return known.setdefault((hatch, colour), f"{self.key}-{hatch}-{len(known)}")

    def _defined(self) -> str:
        found = "".join(
            f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse">'
            f"{_HATCHES[hatch].format(colour)}</pattern>"
            for (hatch, colour), name in self._patterns.items()
        )
        return f"<defs>{found}</defs>" if found else ""


_STROKE = '<path d="{}" stroke="{{}}" stroke-width="1" fill="none"/>'
_HATCHES = {
    "rising": _STROKE.format("M-1 1L1 -1M0 6L6 0M5 7L7 5"),
    "falling": _STROKE.format("M5 -1L7 1M0 0L6 6M-1 5L1 7"),
    "dots": '<circle cx="3" cy="3" r="1.1" fill="{}"/>',
}


def _attributes(values: dict[str, str | float | None]) -> str:
    return "".join(
        f" {name.replace('_', '-')}={quoteattr(value if isinstance(value, str) else _short(value))}"
        for name, value in values.items()
        if value is not None
    )


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")

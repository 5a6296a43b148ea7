"""The colours of a rendered report: one accent, greys, and bands from dark to light."""

from __future__ import annotations

from dataclasses import dataclass

from vitals.delivery.colours import (
    BAD,
    GOOD,
    INK,
    LINE,
    MUTED,
    PAPER,
    READABLE,
    WASH,
    accent_of,
    contrast,
    luminance,
    mixed,
    text_on,
)
from vitals.domain.reports.look import ACCENT

__all__ = [
    "BAD", "BANDS", "CAUTION", "GOOD", "INK", "LINE", "MUTED", "PAPER", "READABLE", "TONES", "WASH",
    "Palette", "contrast", "luminance", "mixed", "palette", "text_on",
]  # fmt: skip
CAUTION = "#8a5a00"

BANDS = {
    "critical": "#8a1c2b",
    "at_risk": "#c4522b",
    "watch": "#e3a63f",
    "healthy": "#a9d8c6",
    "expansion": "#dceff6",
    "unscored": "#ffffff",
}
"""Each band's colour. Each is lighter than the one below it, so that grey paper keeps the order."""

TONES = {
    "overdue": "bad",
    "due_soon": "caution",
    "critical": "bad",
    "warning": "caution",
    "high": "bad",
    "medium": "caution",
    "at_risk": "bad",
}
"""How words of ours that are not bands are coloured; others are not."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The *accent* of a tenant, the text that reads on it, and the accent that reads on paper."""

    accent: str
    on_accent: str
    strong: str
    tints: tuple[str, ...]


def palette(accent: str) -> Palette:
    """Return the palette of *accent*; of the product's own if it is no colour."""
    found = accent_of(accent, ACCENT)
    strong = found.text
    tints = (strong, mixed(strong, PAPER, 45), mixed(strong, PAPER, 75), MUTED, LINE)
    return Palette(found.colour, found.on, strong, tints)

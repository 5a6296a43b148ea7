"""The colours of a rendered report: one accent, greys, and bands from dark to light."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vitals.domain.reports.look import ACCENT

INK, MUTED, LINE, WASH, PAPER = "#1b2430", "#556070", "#d5dae1", "#f4f6f8", "#ffffff"
GOOD, BAD, CAUTION = "#0b6b4f", "#a3202c", "#8a5a00"
READABLE = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3)."""

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

_KNEE = 0.04045
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Palette:
    """The *accent* of a tenant, the text that reads on it, and the accent that reads on paper."""

    accent: str
    on_accent: str
    strong: str
    tints: tuple[str, ...]


def palette(accent: str) -> Palette:
    """Return the palette of *accent*; of the product's own if it is no colour."""
    base = accent.lower() if _COLOUR.fullmatch(accent) else ACCENT
    strong = base
    while contrast(strong, PAPER) < READABLE:
        strong = mixed(strong, INK, 15)
    tints = (strong, mixed(strong, PAPER, 45), mixed(strong, PAPER, 75), MUTED, LINE)
    return Palette(base, text_on(base), strong, tints)


def text_on(colour: str) -> str:
    """Return the one of white and ink that reads better on *colour*; black where neither does."""
    best = max((PAPER, INK), key=lambda text: contrast(text, colour))
    return best if contrast(best, colour) >= READABLE else "#000000"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mixed(colour: str, other: str, percent: int) -> str:
    """Return *colour* with so many percent of *other* in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    parts = (round((one * (100 - percent) + two * percent) / 100) for one, two in pairs)
    return "#" + "".join(f"{part:02x}" for part in parts)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= _KNEE else ((channel + 0.055) / 1.055) ** 2.4)
